/**
 * A guest's connection, carried as binary messages of a WebSocket (RFC 6455) to a relay that makes the connection: what websockify does.
 * A WebSocket ends in both directions at once: after the guest's end the relay still has a while to say what it has to.
 */
import type { Clock } from '@vmexit/core'
import type { Account } from '../account.ts'
import { Errno } from '../errno.ts'
import { LazyTimer } from '../lazy-timer.ts'
import { Poll, Shutdown } from '../socket/constants.ts'
import type { StreamSocket } from '../socket/stream-socket.ts'
import { drainTime } from './guest-stream.ts'
import type { WebSocketLike } from './web-socket.ts'

const chunkBytes = 65536
/** Bytes that a WebSocket has not sent yet, above which it is given no more. */
const unsentLimit = 1 << 20
/** How often a WebSocket is asked how much it has sent, since it does not tell: nanoseconds. */
const askAgain = 5e6
/** For how long a relay may be silent when the guest has ended: nanoseconds. */
const silence = 5e9
/** What keeping a message takes beside its bytes, about: servers may send a byte at a time. */
const messageBytes = 256

/** How one is joined. */
export interface RelayOptions {
  readonly clock: Clock
  /** Something came in. */
  moved(): void
  /** Called once. */
  closed(): void
}

/** A message, or what is left of one, and the one that came behind it. */
interface Kept {
  bytes: Uint8Array
  next: Kept | undefined
}

/** What has come from a relay and no guest has taken yet. It is bounded, and paid for: nobody can tell a WebSocket to wait. */
export class RelayInbox {
  readonly #limit: number
  readonly #account: Account | undefined
  #first: Kept | undefined
  #last: Kept | undefined
  /** Bytes kept, with those that the messages take themselves. */
  #bytes = 0
  /** How it ended. */
  ended: 'in order' | 'broken' | undefined
  changed: () => void = () => {}

  constructor(socket: WebSocketLike, limit: number, account: Account | undefined) {
    this.#limit = limit
    this.#account = account
    socket.binaryType = 'arraybuffer'
    socket.addEventListener('message', ({ data }) => {
      if (this.ended !== undefined) return
      if (!(data instanceof ArrayBuffer) || !this.#take(new Uint8Array(data))) {
        this.ended = 'broken'
        socket.close()
      }
      this.changed()
    })
    socket.addEventListener('error', () => {}) // a close follows; without a listener, the ws package throws
    socket.addEventListener('close', ({ code }) => {
      // 1000, or a close without a code (RFC 6455, section 7.4.1).
      this.ended ??= code === 1000 || code === 1005 ? 'in order' : 'broken'
      this.changed()
    })
  }

  /** The oldest bytes. */
  get first(): Uint8Array | undefined {
    return this.#first?.bytes
  }

  /** Drops the first of them. */
  drop(size: number): void {
    const first = this.#first
    if (first === undefined) return
    const isWhole = size === first.bytes.length
    if (isWhole) this.#first = first.next
    else first.bytes = first.bytes.subarray(size)
    const freed = isWhole ? size + messageBytes : size
    this.#bytes -= freed
    this.#account?.release(freed)
  }

  clear(): void {
    this.#account?.release(this.#bytes)
    this.#bytes = 0
    this.#first = undefined
    this.ended ??= 'broken'
  }

  #take(bytes: Uint8Array): boolean {
    if (bytes.length === 0) return true
    const size = bytes.length + messageBytes
    if (this.#bytes + size > this.#limit || this.#account?.charge(size) === false) return false
    const kept: Kept = { bytes, next: undefined }
    if (this.#first === undefined || this.#last === undefined) this.#first = kept
    else this.#last.next = kept
    this.#last = kept
    this.#bytes += size
    return true
  }
}

/** Joins them, once begun, until one side ends. */
export function joinRelay(
  guest: StreamSocket,
  socket: WebSocketLike,
  inbox: RelayInbox,
  { clock, moved, closed }: RelayOptions,
): { begin(): void; end(): void } {
  const buffer = new Uint8Array(chunkBytes)
  let guestEnded = false
  let over = false
  let isLeaving = false

  const finish = (how: 'in order' | 'broken') => {
    if (over) return
    over = true
    timer.stop()
    inbox.changed = () => {}
    inbox.clear()
    if (how === 'broken') guest.linger = 0
    guest.close()
    socket.close()
    closed()
    moved()
  }
  /** Ends it in order: what the relay has said is still sent, and until the guest has it the connection counts as open. */
  const leave = () => {
    if (over) return
    isLeaving = true
    inbox.changed = () => {}
    inbox.clear()
    socket.close()
    guest.wake = undefined
    guest.shutdown(Shutdown.write)
    guest.wake = () => {
      if (!guest.lingering) finish('in order')
    }
    timer.set(clock.now + clock.ticks(drainTime))
    guest.wake()
    moved()
  }
  const timer = new LazyTimer(clock, () => {
    if (isLeaving) finish('broken')
    else if (guestEnded) leave()
    else toRelay()
  })
  const toRelay = () => {
    while (!guestEnded && !over && !isLeaving) {
      if (socket.bufferedAmount > unsentLimit) return timer.setOnce(clock.now + clock.ticks(askAgain))
      const size = guest.receive(buffer)
      if (size === -Errno.EAGAIN) return
      if (size < 0) return finish('broken')
      if (size > 0) socket.send(buffer.slice(0, size))
      else guestEnded = true
    }
    if (guestEnded && !isLeaving) timer.set(clock.now + clock.ticks(silence))
  }
  const toGuest = () => {
    for (let bytes = inbox.first; bytes !== undefined; bytes = inbox.first) {
      const size = guest.send(bytes)
      if (size === -Errno.EAGAIN) return
      if (size < 0) return finish('broken')
      inbox.drop(size)
      if (guestEnded) timer.set(clock.now + clock.ticks(silence))
    }
    if (inbox.ended === 'in order') leave()
    else if (inbox.ended !== undefined) finish('broken')
  }
  guest.wake = () => {
    const bits = guest.poll()
    if (bits & Poll.err && guest.readable === 0) return finish('broken')
    if (bits & Poll.in) toRelay()
    if (!over && !isLeaving && bits & Poll.out) toGuest()
  }
  inbox.changed = () => {
    if (inbox.ended === 'broken') finish('broken')
    else toGuest()
    moved()
  }
  return {
    begin: () => {
      toRelay()
      if (!over && !isLeaving) toGuest()
    },
    end: () => finish('broken'),
  }
}
