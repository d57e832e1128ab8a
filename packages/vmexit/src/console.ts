/** The outer end of a serial line as what programs like to hold: Web Streams, listeners, and a way to wait for words. */
import { VmexitError } from '@vmexit/core'
import { Gathered } from './gathered.ts'

/** What a {@link Console} needs of a serial port: `uart()` of `@vmexit/chipset` has it. */
export interface SerialEnd {
  /** Sends characters to the guest; false when much is waiting. */
  receive(bytes: Uint8Array): boolean
  /** Whether the guest takes characters yet. */
  readonly listening: boolean
}

/** Bytes of output that may wait for a reader before the guest is paused. */
const enough = 1 << 20

/** Characters of output that are kept for {@link Console.waitFor} and {@link Console.recent}. */
const kept = 1 << 16

/**
 * A console. Output that nobody reads is dropped until `readable` is asked for; from then on the guest is paused while
 * more than a mebibyte waits to be read, until the stream is read or cancelled.
 */
export class Console {
  readonly #line: () => SerialEnd
  readonly #waiting = new Set<Waiting>()
  readonly #typed: Uint8Array[] = []
  readonly #listeners = new Set<(bytes: Uint8Array) => void>()
  readonly #watchers = new Set<(bytes: Uint8Array) => void>()
  readonly #decoder = new TextDecoder('utf-8')
  readonly #gathered = new Gathered(enough)
  #recent = ''
  #readable: ReadableStream<Uint8Array> | undefined
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined
  #writable: WritableStream<Uint8Array> | undefined
  #read: (() => void) | undefined
  #drained: (() => void) | undefined
  #refused: ((error: VmexitError) => void) | undefined
  #ended = false

  /** `line` gives the serial port, which is made after its console. */
  constructor(line: () => SerialEnd) {
    this.#line = line
  }

  /** What the guest prints from now on, in the pieces in which it comes. It ends when the machine is disposed. */
  get readable(): ReadableStream<Uint8Array> {
    this.#readable ??= new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller
          if (this.#ended) controller.close()
        },
        pull: () => this.#read?.(),
        cancel: () => {
          this.#controller = undefined
          this.#read?.()
        },
      },
      { highWaterMark: enough, size: (chunk) => chunk?.length ?? 0 },
    )
    return this.#readable
  }

  /** What is typed to the guest. Writing waits while the guest does not read. */
  get writable(): WritableStream<Uint8Array> {
    this.#writable ??= new WritableStream<Uint8Array>({
      write: (bytes) => {
        if (this.#send(bytes)) return undefined
        if (this.#ended) throw ended()
        return new Promise<void>((resolve, reject) => {
          this.#drained = resolve
          this.#refused = reject
        })
      },
    })
    return this.#writable
  }

  /**
   * Types text or bytes. They wait until the guest listens: what a driver finds when it takes the port it throws away. A
   * line ends with `\n`; a terminal's Enter sends `\r`. Nothing holds you back: for much, use {@link writable}.
   */
  write(input: string | Uint8Array): void {
    this.#send(typeof input === 'string' ? new TextEncoder().encode(input) : input)
  }

  /** Calls `listener` with what the guest prints, until the returned object is disposed. */
  onOutput(listener: (bytes: Uint8Array) => void): Disposable {
    this.#listeners.add(listener)
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) }
  }

  /**
   * Calls `watcher` with the same characters earlier: each in the midst of the run, at the instruction that sends it. What
   * was counted can be read there; the machine must be left alone. Until the returned object is disposed.
   */
  onTransmit(watcher: (bytes: Uint8Array) => void): Disposable {
    this.#watchers.add(watcher)
    return { [Symbol.dispose]: () => void this.#watchers.delete(watcher) }
  }

  /** The last 65,536 characters that were printed. */
  get recent(): string {
    return this.#recent
  }

  /**
   * Waits until the guest has printed `pattern`, and returns what was printed up to its end, taking that out of
   * {@link recent}. The machine must be running meanwhile. Rejects with a {@link VmexitError} `console-aborted` or
   * `console-ended`, which say what was printed last.
   */
  waitFor(pattern: string | RegExp, { signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<string> {
    return new Promise((resolve, reject) => {
      const look = (): boolean => {
        const found = endOf(pattern, this.#recent)
        if (found < 0) return false
        resolve(this.#recent.slice(0, found))
        this.#recent = this.#recent.slice(found)
        return true
      }
      if (look()) return
      const finish = (): void => {
        this.#waiting.delete(waiting)
        signal?.removeEventListener('abort', aborted)
      }
      const fail = (code: 'console-aborted' | 'console-ended', why: string): void => {
        finish()
        reject(
          new VmexitError(code, {
            problem: `${why} before the guest printed ${pattern}; the last it printed is ${JSON.stringify(this.#recent.slice(-200))}`,
            remedy: 'look there for what the guest did instead',
          }),
        )
      }
      const aborted = (): void => fail('console-aborted', 'the wait was aborted')
      const waiting: Waiting = {
        look: () => {
          if (look()) finish()
        },
        end: () => fail('console-ended', 'the machine ended'),
      }
      if (signal?.aborted) return aborted()
      if (this.#ended) return waiting.end()
      signal?.addEventListener('abort', aborted)
      this.#waiting.add(waiting)
    })
  }

  /** Sends what was typed, or keeps it. False when enough is waiting. */
  #send(bytes: Uint8Array): boolean {
    const line = this.#line()
    if (this.#typed.length === 0 && line.listening) return line.receive(bytes)
    this.#typed.push(bytes.slice())
    return false
  }

  #sendTyped(): void {
    if (this.#typed.length === 0 || !this.#line().listening) return
    let room = true
    for (const bytes of this.#typed.splice(0)) room = this.#line().receive(bytes)
    if (room) this.drain()
  }

  /** For the serial port: the guest prints. */
  transmit(bytes: Uint8Array): void {
    for (const watcher of this.#watchers) watcher(bytes)
    this.#gathered.add(bytes)
  }

  /** For the serial port: the guest has read all that was typed. */
  drain(): void {
    this.#drained?.()
    this.#drained = undefined
    this.#refused = undefined
  }

  /** For the machine, between slices: hands out what was typed and what was printed. Returns a promise if the guest must be paused. */
  flush(): Promise<void> | undefined {
    this.#sendTyped()
    if (this.#gathered.length > 0) {
      const bytes = this.#gathered.take()
      for (const listener of this.#listeners) listener(bytes)
      this.#recent = (this.#recent + this.#decoder.decode(bytes, { stream: true })).slice(-kept)
      for (const waiting of [...this.#waiting]) waiting.look()
      this.#controller?.enqueue(bytes)
    }
    const room = this.#controller?.desiredSize ?? 1
    if (room > 0) return undefined
    return new Promise((resolve) => {
      this.#read = () => {
        this.#read = undefined
        resolve()
      }
    })
  }

  /** For the machine, when it is disposed. */
  end(): void {
    if (this.#ended) return
    this.flush()
    this.#ended = true
    this.#controller?.close()
    this.#refused?.(ended())
    for (const waiting of [...this.#waiting]) waiting.end()
  }
}

function ended(): VmexitError {
  return new VmexitError('console-ended', {
    problem: 'the machine ended before it took what was typed',
    remedy: 'write while it runs',
  })
}

interface Waiting {
  look(): void
  end(): void
}

/** Where the first match of `pattern` ends, or -1. */
function endOf(pattern: string | RegExp, text: string): number {
  if (typeof pattern === 'string') {
    const at = text.indexOf(pattern)
    return at < 0 ? -1 : at + pattern.length
  }
  const match = new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, '')).exec(text)
  return match === null ? -1 : match.index + match[0].length
}
