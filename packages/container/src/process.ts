/** A program of a container, as the host has it: its streams, its end, signals to it. */
import { HostTerminal, type OpenFile, type Process, Signal, type Spawn } from '@vmexit/linux'
import { containerError } from './errors.ts'
import { type ExitStatus, type SignalName, statusOf } from './exit-status.ts'
import type { ContainerHost } from './host.ts'
import { InputStream, OutputStream } from './streams.ts'

/** A size of a terminal, in characters. */
export interface TerminalSize {
  readonly rows: number
  readonly columns: number
}

/** A program that runs in a container. */
export class ContainerProcess {
  readonly stdin: WritableStream<Uint8Array>
  /** Of a terminal, all that is to be shown. Somebody has to read, or cancel: a program waits for it, as at a pipe. */
  readonly stdout: ReadableStream<Uint8Array<ArrayBuffer>>
  readonly stderr: ReadableStream<Uint8Array<ArrayBuffer>>
  /** Resolves when it has ended. Rejects only where the kernel itself fails. */
  readonly exited: Promise<ExitStatus>
  readonly #host: ContainerHost
  readonly #tty: HostTerminal | undefined
  #process: Process | undefined
  #status: ExitStatus | undefined

  /** Starts it; `ended` is called at once when it has. @throws VmexitError. */
  constructor(
    host: ContainerHost,
    start: (files: Pick<Spawn, 'files' | 'terminal' | 'onExit'>) => Process,
    { terminal, signal }: { readonly terminal?: TerminalSize; readonly signal?: AbortSignal },
    ended: (status: ExitStatus) => void = () => {},
  ) {
    signal?.throwIfAborted()
    this.#host = host
    const { kernel } = host
    const wake = (): void => {
      this.#tty?.queue.wake()
      host.wake()
    }
    const output = new OutputStream(kernel, wake)
    const errors = new OutputStream(kernel, wake)
    let files: readonly OpenFile[]
    if (terminal === undefined) {
      const input = new InputStream(kernel, wake)
      this.stdin = input.writable
      files = [input.file, output.file, errors.file]
    } else {
      const tty = new HostTerminal(kernel, (bytes) => output.take(bytes))
      tty.tty.room = () => !output.file.paused
      tty.tty.resize(terminal.rows, terminal.columns)
      this.#tty = tty
      this.stdin = new WritableStream({ write: (bytes) => this.#type(bytes) })
      files = [tty, tty, tty]
      errors.end()
    }
    this.stdout = output.readable
    this.stderr = errors.readable
    const { promise, resolve, reject } = Promise.withResolvers<ExitStatus>()
    this.exited = promise
    // Whoever does not ask for the end need not handle that it did not come.
    promise.catch(() => {})
    const abort = (): void => void this.kill('SIGKILL')
    const settled = (): void => {
      forget()
      signal?.removeEventListener('abort', abort)
      this.#tty?.end()
    }
    const forget = host.onFailure((error) => {
      for (const stream of [output, errors]) stream.fail(error)
      settled()
      reject(error)
    })
    try {
      this.#process = start({
        files,
        ...(this.#tty !== undefined && { terminal: this.#tty.tty }),
        onExit: (status) => {
          this.#status = statusOf(status)
          for (const stream of [output, errors]) stream.end()
          settled()
          ended(this.#status)
          resolve(this.#status)
        },
      })
    } catch (error) {
      settled()
      throw error
    }
    signal?.addEventListener('abort', abort)
    host.wake()
  }

  /** How it has ended; undefined while it runs. */
  get status(): ExitStatus | undefined {
    return this.#status
  }
  /** The process, in the kernel. */
  get process(): Process {
    return this.#process!
  }

  /**
   * Sends a signal. The first process of a container gets those that it handles, and SIGKILL and SIGSTOP, as on Linux. To one that
   * has ended nothing is sent. Answers the signal's number. @throws VmexitError `container-options`.
   */
  kill(signal: SignalName | number = 'SIGTERM'): number {
    const number = typeof signal === 'number' ? signal : Signal[signal]
    if (!(Number.isInteger(number) && number >= 1 && number <= 64))
      containerError('options', `there is no signal ${signal}`, 'give one of signal(7), such as SIGTERM')
    if (this.#status === undefined) {
      this.#host.kernel.signal(this.process, number)
      this.#host.wake()
    }
    return number
  }

  /** Its terminal has another size; nothing where it has none. */
  resize({ rows, columns }: TerminalSize): void {
    this.#tty?.tty.resize(rows, columns)
    this.#host.wake()
  }

  #type(bytes: Uint8Array): void {
    if (this.#status !== undefined) return
    this.#tty!.tty.type(bytes)
    this.#host.wake()
  }
}
