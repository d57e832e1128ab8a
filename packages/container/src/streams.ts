/** Standard streams of a program as Web Streams, with back-pressure both ways. */
import { HostInput, HostOutput, type LinuxKernel } from '@vmexit/linux'

/** Bytes that wait for whoever reads: as many as a pipe holds. Beyond, the program waits. */
const MOST = 65_536

/** What a program writes. */
export class OutputStream {
  readonly file: HostOutput
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>
  #controller!: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>
  #isOver = false

  /** `wake` is called when the program can go on. */
  constructor(kernel: LinuxKernel, wake: () => void) {
    this.file = new HostOutput(kernel, (bytes) => this.take(bytes))
    const goOn = (): void => {
      if (!this.file.paused) return
      this.file.paused = false
      wake()
    }
    this.readable = new ReadableStream(
      {
        start: (controller) => {
          this.#controller = controller
        },
        pull: goOn,
        cancel: () => {
          this.#isOver = true
          goOn()
        },
      },
      { highWaterMark: MOST, size: (bytes) => bytes?.length ?? 0 },
    )
  }

  /** Bytes for whoever reads; dropped when nobody does any more. */
  take(bytes: Uint8Array): void {
    if (this.#isOver) return
    this.#controller.enqueue(new Uint8Array(bytes))
    this.file.paused = (this.#controller.desiredSize ?? 1) <= 0
  }

  /** The kernel has failed. */
  fail(error: unknown): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#controller.error(error)
  }

  /** The program has ended. */
  end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.file.paused = false
    this.#controller.close()
  }
}

/** What a program reads. A writer waits until the program has taken what is there. */
export class InputStream {
  readonly file: HostInput
  readonly writable: WritableStream<Uint8Array>

  constructor(kernel: LinuxKernel, wake: () => void) {
    let goOn: (() => void) | undefined
    const file = new PipeInput(kernel, () => goOn?.())
    this.file = file
    const end = (): void => {
      file.end()
      wake()
    }
    this.writable = new WritableStream<Uint8Array>({
      async write(bytes) {
        file.feed(new Uint8Array(bytes))
        wake()
        while (file.waiting > MOST)
          await new Promise<void>((done) => {
            goOn = done
          })
      },
      close: end,
      abort: end,
    })
  }
}

class PipeInput extends HostInput {
  readonly #taken: () => void

  constructor(kernel: LinuxKernel, taken: () => void) {
    super(kernel)
    this.#taken = taken
  }
  override read(into: Uint8Array, start: number, length: number): number {
    const count = super.read(into, start, length)
    if (count > 0) this.#taken()
    return count
  }
}

/** All that a stream gives. */
export async function collect(readable: ReadableStream<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = []
  for (const reader = readable.getReader(); ; ) {
    const { done, value } = await reader.read()
    if (done) break
    pieces.push(value)
  }
  const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    all.set(piece, at)
    at += piece.length
  }
  return all
}
