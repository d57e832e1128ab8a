/** UNIX sockets with connections: SOCK_STREAM, and SOCK_SEQPACKET, which keeps messages apart. */
import { type Account, Poll } from '@vmexit/net'
import { Errno } from '../../errno.ts'
import { Type } from '../constants.ts'
import { type Credentials, type Incoming, type Outgoing, UnixEnd, type UnixWorld } from './end.ts'

/** A stream is sent in pieces of so many bytes. */
const PIECE = 32_768
/** Connections that wait at one end, at most (net.core.somaxconn). */
const MOST_WAITING = 4096

/** An end of a connection, or one that waits for connections. */
export class ConnectedEnd extends UnixEnd {
  #peer: ConnectedEnd | undefined = undefined
  /** It has had one. */
  #wasConnected = false
  #backlog: number | undefined = undefined
  #waiting: ConnectedEnd[] = []
  /** Ends that found the backlog full. */
  readonly #turnedAway = new Set<ConnectedEnd>()
  #own: Credentials = { pid: 0, uid: -1, gid: -1 }

  /** Two that are connected: socketpair(2). */
  static pair(world: UnixWorld, type: number, account: Account, who: Credentials): [ConnectedEnd, ConnectedEnd] {
    const ends: [ConnectedEnd, ConnectedEnd] = [
      new ConnectedEnd(world, type, account),
      new ConnectedEnd(world, type, account),
    ]
    ends[0].#join(ends[1])
    for (const end of ends) end.peerCredentials = who
    return ends
  }

  get peer(): ConnectedEnd | undefined {
    return this.#peer
  }
  #join(other: ConnectedEnd): void {
    this.#peer = other
    other.#peer = this
    this.#wasConnected = other.#wasConnected = true
  }
  override get isListening(): boolean {
    return this.#backlog !== undefined
  }

  override listen(backlog: number, who: Credentials): number {
    if (this.name === undefined || this.#wasConnected) return -Errno.EINVAL
    this.#backlog = Math.min(backlog >>> 0, MOST_WAITING)
    this.#own = who
    this.#callBack()
    return 0
  }

  connect(to: UnixEnd, who: Credentials): number {
    if (this.#backlog !== undefined) return -Errno.EINVAL
    if (this.#wasConnected) return -Errno.EISCONN
    if (to.isClosed) return -Errno.ECONNREFUSED
    if (to.type !== this.type || !(to instanceof ConnectedEnd)) return -Errno.EPROTOTYPE
    if (to.#backlog === undefined || to.readShut) return -Errno.ECONNREFUSED
    if (to.#waiting.length > to.#backlog) {
      to.#turnedAway.add(this)
      return -Errno.EAGAIN
    }
    const end = new ConnectedEnd(this.world, this.type, to.account)
    end.name = to.name
    end.listener = to
    end.peerCredentials = who
    this.peerCredentials = to.#own
    this.#join(end)
    to.#waiting.push(end)
    to.wake?.()
    return 0
  }

  override accept(): ConnectedEnd | number {
    if (this.#backlog === undefined) return -Errno.EINVAL
    const end = this.#waiting.shift()
    if (end === undefined) return this.readShut ? -Errno.EINVAL : -Errno.EAGAIN
    end.listener = undefined
    this.#callBack()
    return end
  }

  #callBack(): void {
    const ends = [...this.#turnedAway]
    this.#turnedAway.clear()
    for (const end of ends) end.wake?.()
  }

  send(bytes: Uint8Array, message: Outgoing): number {
    const peer = this.#peer
    if (!this.#wasConnected) return -Errno.ENOTCONN
    if (this.writeShut || peer === undefined || peer.isClosed || peer.readShut) return -Errno.EPIPE
    const error = this.takeError()
    if (error !== 0) return -error
    if (this.type === Type.STREAM && bytes.length === 0) return 0
    if (this.type !== Type.STREAM) {
      if (bytes.length > this.largest) return -Errno.EMSGSIZE
      if (this.room <= 0) return -Errno.EAGAIN
      const put = this.enqueue(peer, bytes, message)
      return put < 0 ? put : bytes.length
    }
    let done = 0
    while (done < bytes.length) {
      const size = Math.min(bytes.length - done, PIECE, this.room)
      if (size <= 0) return done > 0 ? done : -Errno.EAGAIN
      // Files go with the first byte.
      const put = this.enqueue(peer, bytes.subarray(done, done + size), done > 0 ? { ...message, rights: [] } : message)
      if (put < 0) return done > 0 ? done : put
      done += size
    }
    return done
  }

  get next(): number {
    if (this.type !== Type.STREAM) return this.queue[0]?.bytes.length ?? 0
    return this.readable
  }

  receive(into: Uint8Array, peek: boolean, incoming: Incoming): number {
    if (!this.#wasConnected) return this.type === Type.STREAM ? -Errno.EINVAL : -Errno.ENOTCONN
    const first = this.queue[0]
    if (first === undefined) {
      const error = this.takeError()
      if (error !== 0) return -error
      return this.readShut ? 0 : -Errno.EAGAIN
    }
    incoming.from = first.from
    incoming.credentials = first.credentials
    if (this.type !== Type.STREAM) {
      const size = Math.min(into.length, first.bytes.length)
      into.set(first.bytes.subarray(0, size))
      incoming.size = first.bytes.length
      incoming.rights = peek ? this.copyRights(first) : this.takeRights(first)
      if (!peek) this.dequeue()
      return size
    }
    if (into.length === 0) return 0
    return this.#read(into, peek, incoming)
  }

  /** Reads pieces of a stream: no further than the first one that brings files, nor than the bytes of one sender where that is told. */
  #read(into: Uint8Array, peek: boolean, incoming: Incoming): number {
    let done = 0
    let index = 0
    while (done < into.length) {
      const piece = this.queue[peek ? index : 0]
      if (piece === undefined) break
      if (done > 0 && this.#isOther(piece.credentials, incoming)) break
      const size = Math.min(into.length - done, piece.bytes.length - piece.read)
      into.set(piece.bytes.subarray(piece.read, piece.read + size), done)
      done += size
      const had = piece.rights.length > 0
      if (had) incoming.rights = peek ? this.copyRights(piece) : this.takeRights(piece)
      if (peek) index++
      else {
        piece.read += size
        if (piece.read === piece.bytes.length) this.dequeue()
      }
      if (had) break
    }
    incoming.size = done
    return done
  }

  #isOther({ pid, uid, gid }: Credentials, { credentials }: Incoming): boolean {
    if (!this.passesCredentials || credentials === undefined) return false
    return pid !== credentials.pid || uid !== credentials.uid || gid !== credentials.gid
  }

  poll(): number {
    if (this.#backlog !== undefined) return this.#waiting.length > 0 ? Poll.in : 0
    let bits = this.shutBits
    if (!this.#wasConnected) bits |= Poll.hup
    if (this.queue.length > 0) bits |= Poll.in
    if (this.isWritable) bits |= Poll.out
    return bits
  }

  protected peerShut(reads: boolean, writes: boolean): void {
    if (this.#backlog !== undefined) this.#callBack()
    this.#peer?.shut(writes, reads)
  }

  protected closed(unread: boolean): void {
    const peer = this.#peer
    this.#backlog = undefined
    for (const end of this.#waiting) {
      if (end.#peer !== undefined) end.#peer.error = Errno.ECONNRESET
      end.close()
    }
    this.#waiting = []
    this.#callBack()
    if (peer === undefined || peer.isClosed) return
    if (unread) peer.error = Errno.ECONNRESET
    peer.shut(true, true)
  }
}
