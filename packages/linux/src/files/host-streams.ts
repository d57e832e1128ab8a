/** Streams of the host as descriptors of programs: plain ones, like pipes. A terminal is `HostTerminal`. */
import { Mode } from '@vmexit/vfs'
import type { Kernel } from '../system.ts'
import { WaitQueue } from '../tasks/wait-queue.ts'
import { AnonymousFile } from './anonymous-file.ts'
import { type KernelOperations, type OpenFile, Poll } from './open-file.ts'

/** A stream of the host, which programs open by name as often as they like. */
abstract class HostStream extends AnonymousFile {
  // (Whoever runs the program has given it to its user: as Docker does by fchown(2), anybody's it is who reaches it.)
  protected override get mode(): number {
    return Mode.IFIFO | 0o666
  }
  override get canTell(): boolean {
    return true
  }
  override describe(): string {
    return `pipe:[${this.ino}]`
  }
  override reopen(): KernelOperations {
    return new SameStream(this)
  }
}

/** A stream that was opened by name. */
class SameStream implements KernelOperations {
  readonly seekable = false
  readonly #stream: OpenFile

  constructor(stream: OpenFile) {
    this.#stream = stream
  }
  get queue(): WaitQueue {
    return this.#stream.queue!
  }
  get edges(): number {
    return this.#stream.edges
  }
  read(into: Uint8Array, start: number, length: number): number {
    return this.#stream.read(into, start, length)
  }
  write(from: Uint8Array, start: number, length: number): number {
    return this.#stream.write(from, start, length)
  }
  poll(): number {
    return this.#stream.poll()
  }
  ioctl(request: number, argument: number): number {
    return this.#stream.ioctl(request, argument)
  }
  release(): void {}
}

/** What programs write goes to the host. */
export class HostOutput extends HostStream {
  protected readonly kind = 'output'
  readonly queue: WaitQueue = new WaitQueue()
  readonly #take: (bytes: Uint8Array) => void
  #isPaused = false

  /** `take` gets each piece; the bytes are its own. */
  constructor(kernel: Kernel, take: (bytes: Uint8Array) => void) {
    super(kernel, 1)
    this.#take = take
  }

  /** The host takes no more for now: writers wait. */
  get paused(): boolean {
    return this.#isPaused
  }
  set paused(paused: boolean) {
    this.#isPaused = paused
    if (!paused) this.queue.wake()
  }

  override write(from: Uint8Array, start: number, length: number): number {
    if (this.#isPaused) return this.kernel.block(this.queue)
    this.#take(from.slice(start, start + length))
    return length
  }
  override poll(): number {
    return this.#isPaused ? 0 : Poll.OUT | Poll.WRNORM
  }
  protected release(): void {}
}

/** What the host gives, programs read. */
export class HostInput extends HostStream {
  protected readonly kind = 'input'
  readonly queue: WaitQueue = new WaitQueue()
  readonly #pieces: Uint8Array[] = []
  #isEnded = false

  constructor(kernel: Kernel, bytes?: Uint8Array) {
    super(kernel, 0)
    if (bytes !== undefined) {
      this.feed(bytes)
      this.end()
    }
  }

  /** Gives bytes to whoever reads. */
  feed(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#pieces.push(bytes)
    this.queue.wake()
  }
  /** No more comes. */
  end(): void {
    this.#isEnded = true
    this.queue.wake()
  }
  /** Bytes that nobody has read yet. */
  get waiting(): number {
    return this.#pieces.reduce((sum, piece) => sum + piece.length, 0)
  }

  override read(into: Uint8Array, start: number, length: number): number {
    const piece = this.#pieces[0]
    if (piece === undefined) return this.#isEnded ? 0 : this.kernel.block(this.queue)
    const count = Math.min(length, piece.length)
    into.set(piece.subarray(0, count), start)
    if (count < piece.length) this.#pieces[0] = piece.subarray(count)
    else this.#pieces.shift()
    return count
  }
  override poll(): number {
    if (this.#pieces.length > 0) return Poll.IN | Poll.RDNORM
    return this.#isEnded ? Poll.HUP : 0
  }
  protected release(): void {}
}
