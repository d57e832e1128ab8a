/** How a container is brought to its end, and what it prints is read. */
import type { Container } from '@vmexit/container'

/** Milliseconds that a program has to end by itself when the process is to. */
const GRACE = 10_000

/** How a container is brought to its end. */
export class Life {
  readonly #container: Container
  readonly #stopSignal: string
  outputs: readonly Promise<void>[] = []
  /** What it has changed is of no use any more. */
  isDiscarded = false

  constructor(container: Container, stopSignal = 'SIGTERM') {
    this.#container = container
    this.#stopSignal = stopSignal
  }

  /** Sends its program a signal, by a name or a number. @throws VmexitError `container-options`. */
  kill(signal: string): void {
    this.#container.kill(/^[0-9]+$/.test(signal) ? Number(signal) : (signal as 'SIGTERM'))
  }

  /** What its image says is sent to end it; what stands still cannot take it. */
  stop(): void {
    this.#container.resume()
    try {
      this.kill(this.#stopSignal)
    } catch {
      this.kill('SIGTERM')
    }
  }

  async run(signal: AbortSignal): Promise<{ readonly exitCode: number; readonly signal?: string }> {
    let late: NodeJS.Timeout | undefined
    const interrupted = (): void => {
      this.stop()
      late = setTimeout(() => this.kill('SIGKILL'), GRACE)
    }
    if (signal.aborted) interrupted()
    else signal.addEventListener('abort', interrupted)
    try {
      const [status] = await Promise.all([this.#container.exited, ...this.outputs])
      return status
    } finally {
      clearTimeout(late)
      signal.removeEventListener('abort', interrupted)
    }
  }
}

/** Gives all that a stream has. */
export async function each(
  stream: ReadableStream<Uint8Array>,
  take: (bytes: Uint8Array) => Promise<void> | void,
): Promise<void> {
  for (const reader = stream.getReader(); ; ) {
    const { done, value } = await reader.read()
    if (done) return
    await take(value)
  }
}
