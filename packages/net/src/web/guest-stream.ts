/** A guest's connection as something to wait for: what is read and written is no faster than the other side takes it. */
import type { Clock } from '@vmexit/core'
import { Errno } from '../errno.ts'
import { Poll, Shutdown } from '../socket/constants.ts'
import type { StreamSocket } from '../socket/stream-socket.ts'

const readBytes = 16384
/** Bytes that are still taken from a guest that has been answered before it had said all, so that the answer is not lost to a reset. */
const drainLimit = 1 << 20
/** How long that may take, and how long what was written may go without being taken: nanoseconds. */
export const drainTime = 30e9

/** The connection is over before its time. */
export class BrokenConnection extends Error {}

/** One at a time reads from it, or writes to it. */
export class GuestStream {
  readonly #socket: StreamSocket
  readonly #clock: Clock
  readonly #moved: () => void
  readonly #broken = new AbortController()
  readonly #buffer = new Uint8Array(readBytes)
  #wake: (() => void) | undefined
  #isOver = false

  /** `moved`: something has been done to the connection, and virtual time should run. */
  constructor(socket: StreamSocket, clock: Clock, moved: () => void) {
    this.#socket = socket
    this.#clock = clock
    this.#moved = moved
    socket.wake = () => {
      if (socket.poll() & Poll.err) this.#break()
      this.#wake?.()
    }
  }

  /** Aborted when the guest has reset the connection, or it was broken here. */
  get broken(): AbortSignal {
    return this.#broken.signal
  }

  /** What has come; it stands until the next read. Undefined at the end. Throws {@link BrokenConnection}. */
  async read(): Promise<Uint8Array | undefined> {
    for (;;) {
      this.#check()
      const size = this.#socket.receive(this.#buffer)
      if (size === -Errno.EAGAIN) {
        await this.#woken()
        continue
      }
      if (size < 0) throw this.#break()
      this.#moved() // the window has opened
      return size === 0 ? undefined : this.#buffer.subarray(0, size)
    }
  }

  /** Answers when all of it has been taken. Throws {@link BrokenConnection}. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      this.#check()
      const size = this.#socket.send(bytes.subarray(at))
      if (size === -Errno.EAGAIN) {
        await this.#woken()
        continue
      }
      if (size < 0) throw this.#break()
      at += size
      this.#moved()
    }
  }

  /** Ends it in order: what was written arrives, also at a guest that still writes. */
  async end(): Promise<void> {
    using _ = this.#clock.after(this.#clock.ticks(drainTime), () => this.reset())
    try {
      this.#check()
      this.#socket.shutdown(Shutdown.write)
      for (let left = drainLimit; left > 0; ) {
        const bytes = await this.read()
        if (bytes === undefined) break
        left -= bytes.length
      }
      // Until then it counts as open: else a guest that takes nothing could have any number of full buffers.
      for (this.#check(); this.#socket.lingering; this.#check()) await this.#woken()
    } catch (error) {
      if (!(error instanceof BrokenConnection)) throw error
    }
    this.#close()
  }

  /** Ends it at once. */
  reset(): void {
    if (this.#isOver) return
    this.#socket.linger = 0
    this.#break()
    this.#close()
    this.#wake?.()
  }

  #close(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#socket.close()
    this.#moved()
  }

  #break(): BrokenConnection {
    this.#broken.abort()
    return new BrokenConnection()
  }

  #check(): void {
    if (this.#isOver || this.#broken.signal.aborted) throw new BrokenConnection()
  }

  #woken(): Promise<void> {
    return new Promise((done) => {
      this.#wake = () => {
        this.#wake = undefined
        done()
      }
    })
  }
}
