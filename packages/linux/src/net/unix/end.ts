/**
 * Ends of UNIX sockets (unix(7)), without the descriptors and the system calls. No call waits: each answers a value or a negated
 * error number, −EAGAIN for *not yet*, and `wake` tells when it is worth to ask again: as sockets of `@vmexit/net`.
 */
import { type Account, Poll, Shutdown } from '@vmexit/net'
import type { ByteString } from '@vmexit/vfs'
import { Errno } from '../../errno.ts'
import type { OpenFile } from '../../files/open-file.ts'
import type { Carrier, Rights } from './rights.ts'

/** Who sends, or made a socket: `struct ucred`. */
export interface Credentials {
  readonly pid: number
  readonly uid: number
  readonly gid: number
}

/** A message in a queue; of a stream, a piece of it. */
export interface Queued {
  readonly bytes: Uint8Array
  /** Bytes of it that have been read. */
  read: number
  /** What of the sender's buffer it takes. */
  readonly cost: number
  readonly sender: UnixEnd
  /** The sender's name, as it was. */
  readonly from: ByteString | undefined
  /** The files with it, and the user who sent them. */
  rights: readonly OpenFile[]
  readonly user: number
  readonly credentials: Credentials
}

/** What comes with bytes that are sent. */
export interface Outgoing {
  readonly rights: readonly OpenFile[]
  readonly credentials: Credentials
  /** Of whoever sends. */
  readonly user: number
}

/** What came with bytes that were received. */
export interface Incoming {
  /** Bytes of the whole message. */
  size: number
  from: ByteString | undefined
  /** The receiver has the references to them. */
  rights: readonly OpenFile[]
  credentials: Credentials | undefined
}

/** What all UNIX sockets of a kernel share. */
export interface UnixWorld {
  readonly rights: Rights
}

/** What keeping a message costs, as Linux counts it: a record, and a block of memory for the bytes. */
function costOf(bytes: number): number {
  if (bytes > 3776) return bytes + 640
  let block = 512
  while (block < bytes + 320) block *= 2
  return block + 256
}
/** Linux's net.core.wmem_default, and the lowest that can be set. */
const SEND_BUFFER = 212_992
const SMALLEST = 4608

/** An end. */
export abstract class UnixEnd implements Carrier {
  readonly type: number
  /** Undefined where it has none; abstract ones begin with a zero. */
  name: ByteString | undefined = undefined
  /** Called when `poll` may answer more than before. */
  wake: (() => void) | undefined = undefined
  holder: OpenFile | undefined = undefined
  listener: UnixEnd | undefined = undefined
  passesCredentials = false
  /** Who made the other end: SO_PEERCRED. */
  peerCredentials: Credentials = { pid: 0, uid: -1, gid: -1 }
  sendBuffer: number = SEND_BUFFER
  isClosed = false
  protected readonly world: UnixWorld
  protected readonly account: Account
  protected error = 0
  protected readShut = false
  protected writeShut = false
  protected readonly queue: Queued[] = []
  /** Forgets its name. */
  onUnbind: (() => void) | undefined = undefined
  #sent = 0

  /** `account` pays for what it sends and nobody has read. */
  constructor(world: UnixWorld, type: number, account: Account) {
    this.world = world
    this.type = type
    this.account = account
  }

  abstract connect(to: UnixEnd, who: Credentials): number
  /** Bytes taken. `to`: the receiver that the call names. */
  abstract send(bytes: Uint8Array, message: Outgoing, to: UnixEnd | undefined): number
  abstract receive(into: Uint8Array, peek: boolean, message: Incoming): number
  abstract poll(): number
  abstract readonly peer: UnixEnd | undefined
  /** Bytes that the next receive gives at most. */
  abstract readonly next: number
  listen(_backlog: number, _who: Credentials): number {
    return -Errno.EOPNOTSUPP
  }
  accept(): UnixEnd | number {
    return -Errno.EOPNOTSUPP
  }
  get isListening(): boolean {
    return false
  }

  /** Files with the message that is received next. */
  get nextRights(): number {
    return this.queue.find(({ rights }) => rights.length > 0)?.rights.length ?? 0
  }
  /** Bytes in its queue. */
  get readable(): number {
    return this.queue.reduce((sum, { bytes, read }) => sum + bytes.length - read, 0)
  }
  /** Bytes that it has sent, and what keeping them costs. */
  get unsent(): number {
    return this.#sent
  }
  /** There is room for a message: a quarter of the buffer is taken at most, so that a sender is not woken for each byte. */
  protected get isWritable(): boolean {
    return this.#sent * 4 <= this.sendBuffer
  }
  protected get room(): number {
    return this.sendBuffer - this.#sent
  }
  /** The longest message. */
  get largest(): number {
    return this.sendBuffer - 32
  }

  setSendBuffer(bytes: number): void {
    this.sendBuffer = Math.max(SMALLEST, Math.min(bytes, SEND_BUFFER) * 2)
  }

  takeError(): number {
    const { error } = this
    this.error = 0
    return error
  }
  /** Tells the end what went wrong. */
  fail(error: number): void {
    this.error = error
    this.wake?.()
  }

  shutdown(how: number): number {
    if (how < Shutdown.read || how > Shutdown.both) return -Errno.EINVAL
    const [reads, writes] = [how !== Shutdown.write, how !== Shutdown.read]
    if (reads) this.readShut = true
    if (writes) this.writeShut = true
    this.peerShut(reads, writes)
    this.wake?.()
    return 0
  }
  /** The other end is shut along with this one. */
  protected abstract peerShut(reads: boolean, writes: boolean): void
  shut(reads: boolean, writes: boolean): void {
    if (reads) this.readShut = true
    if (writes) this.writeShut = true
    this.wake?.()
  }

  /** Puts a message into another end's queue: 0, or −ENOBUFS where nobody pays. */
  protected enqueue(into: UnixEnd, bytes: Uint8Array, { rights, credentials, user }: Outgoing): number {
    const cost = costOf(bytes.length)
    if (!this.account.charge(cost)) return -Errno.ENOBUFS
    this.#sent += cost
    into.world.rights.add(into, user, rights)
    into.queue.push({ bytes: bytes.slice(), read: 0, cost, sender: this, from: this.name, rights, user, credentials })
    into.wake?.()
    return 0
  }

  /** Takes the first message out of the queue. */
  protected dequeue(): void {
    const message = this.queue.shift()
    if (message === undefined) return
    const { sender, cost } = message
    sender.account.release(cost)
    sender.#sent -= cost
    if (sender.isWritable) sender.wake?.()
  }

  /** The files of a message are whoever's receives them. */
  protected takeRights(message: Queued): readonly OpenFile[] {
    const { rights, user } = message
    this.world.rights.remove(this, user, rights)
    message.rights = []
    return rights
  }

  /** The files of a message for who only looks at it: with references of their own. */
  protected copyRights({ rights }: Queued): readonly OpenFile[] {
    for (const file of rights) file.references++
    return rights
  }

  *carried(): Iterable<OpenFile> {
    for (const { rights } of this.queue) yield* rights
  }
  discard(): void {
    const files: OpenFile[] = []
    while (this.queue.length > 0) {
      files.push(...this.takeRights(this.queue[0]!))
      this.dequeue()
    }
    this.world.rights.close(files)
  }

  close(): void {
    if (this.isClosed) return
    this.isClosed = true
    this.wake = undefined
    this.onUnbind?.()
    this.closed(this.queue.length > 0)
    this.discard()
  }
  /** It ends, with or without messages that nobody has read. */
  protected abstract closed(unread: boolean): void

  protected get shutBits(): number {
    let bits = 0
    if (this.readShut) bits |= Poll.in | Poll.rdhup
    if (this.readShut && this.writeShut) bits |= Poll.hup
    return this.error === 0 ? bits : bits | Poll.err
  }
}
