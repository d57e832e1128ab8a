/** UNIX sockets of datagrams: each message goes to a name, or to the one end that it is connected to. */
import { type Account, Poll } from '@vmexit/net'
import { Errno } from '../../errno.ts'
import { Type } from '../constants.ts'
import { type Credentials, type Incoming, type Outgoing, UnixEnd, type UnixWorld } from './end.ts'

/** Messages that wait at one end (net.unix.max_dgram_qlen). */
const MOST_WAITING = 10

/** An end that takes messages from whoever knows its name. */
export class DatagramEnd extends UnixEnd {
  #peer: DatagramEnd | undefined = undefined
  /** Senders that found the queue full. */
  readonly #turnedAway = new Set<DatagramEnd>()

  /** Two that are connected: socketpair(2). */
  static pair(world: UnixWorld, account: Account, who: Credentials): [DatagramEnd, DatagramEnd] {
    const ends: [DatagramEnd, DatagramEnd] = [
      new DatagramEnd(world, Type.DGRAM, account),
      new DatagramEnd(world, Type.DGRAM, account),
    ]
    ends[0].#peer = ends[1]
    ends[1].#peer = ends[0]
    for (const end of ends) end.peerCredentials = who
    return ends
  }

  get peer(): DatagramEnd | undefined {
    return this.#peer
  }

  connect(to: UnixEnd): number {
    if (to.isClosed) return -Errno.ECONNREFUSED
    if (!(to instanceof DatagramEnd)) return -Errno.EPROTOTYPE
    if (!to.#takesFrom(this)) return -Errno.EPERM
    this.#peer = to
    return 0
  }
  /** Takes `connect` back. */
  disconnect(): void {
    this.#peer = undefined
  }

  #takesFrom(sender: DatagramEnd): boolean {
    return this.#peer === undefined || this.#peer === sender
  }
  /** Two that are connected with each other may fill the sender's buffer. */
  #isFullFor(sender: DatagramEnd): boolean {
    return this.queue.length > MOST_WAITING && this.#peer !== sender
  }

  send(bytes: Uint8Array, message: Outgoing, named: UnixEnd | undefined): number {
    const error = this.takeError()
    if (error !== 0) return -error
    if (bytes.length > this.largest) return -Errno.EMSGSIZE
    const to = named ?? this.#peer
    if (to === undefined) return -Errno.ENOTCONN
    if (this.writeShut) return -Errno.EPIPE
    if (to.isClosed) {
      if (named === undefined) this.#peer = undefined
      return -Errno.ECONNREFUSED
    }
    if (!(to instanceof DatagramEnd)) return -Errno.EPROTOTYPE
    if (!to.#takesFrom(this)) return -Errno.EPERM
    if (to.readShut) return -Errno.EPIPE
    if (to.#isFullFor(this)) {
      to.#turnedAway.add(this)
      return -Errno.EAGAIN
    }
    if (this.room <= 0) return -Errno.EAGAIN
    const put = this.enqueue(to, bytes, message)
    return put < 0 ? put : bytes.length
  }

  get next(): number {
    return this.queue[0]?.bytes.length ?? 0
  }

  receive(into: Uint8Array, peek: boolean, incoming: Incoming): number {
    const first = this.queue[0]
    if (first === undefined) {
      const error = this.takeError()
      if (error !== 0) return -error
      return this.readShut ? 0 : -Errno.EAGAIN
    }
    const size = Math.min(into.length, first.bytes.length)
    into.set(first.bytes.subarray(0, size))
    incoming.from = first.from
    incoming.credentials = first.credentials
    incoming.size = first.bytes.length
    incoming.rights = peek ? this.copyRights(first) : this.takeRights(first)
    if (peek) return size
    this.dequeue()
    this.#callBack()
    return size
  }

  #callBack(): void {
    const ends = [...this.#turnedAway]
    this.#turnedAway.clear()
    for (const end of ends) end.wake?.()
  }

  poll(): number {
    let bits = this.shutBits
    if (this.queue.length > 0) bits |= Poll.in
    const peer = this.#peer
    const isFull = peer !== undefined && !peer.isClosed && peer.#isFullFor(this)
    if (isFull) peer.#turnedAway.add(this)
    else if (this.isWritable) bits |= Poll.out
    return bits
  }

  protected peerShut(): void {}

  protected closed(): void {
    this.#callBack()
    this.#turnedAway.clear()
    this.#peer = undefined
  }
}
