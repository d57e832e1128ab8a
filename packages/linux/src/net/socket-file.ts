/**
 * Sockets as open files (socket(2)). What a family does it does with bytes of the kernel's, and answers at once, −EAGAIN where it
 * would have to wait; waiting, signals and the memory of programs are `transfer.ts`'s.
 */
import type { Account } from '@vmexit/net'
import { Mode, type Stat } from '@vmexit/vfs'
import { Errno } from '../errno.ts'
import { AnonymousFile } from '../files/anonymous-file.ts'
import { type OpenFile, Poll } from '../files/open-file.ts'
import { Code } from '../signals/queue.ts'
import { sendToTask } from '../signals/send.ts'
import { Signal } from '../signals/set.ts'
import type { Task } from '../system.ts'
import { WaitQueue } from '../tasks/wait-queue.ts'
import { buffersOf } from './buffer-account.ts'
import { Level, Option } from './constants.ts'
import { type Measured, socketIoctl } from './ioctl.ts'
import type { NetNamespace, OpenSocket } from './namespace.ts'

/** A control message (cmsg(3)) that is no files. */
export interface ControlMessage {
  readonly level: number
  readonly type: number
  readonly data: Uint8Array
}

/** What comes with bytes that are sent. */
export interface SentWith {
  /** The address that the call names, as it lies in memory. */
  readonly to: Uint8Array | undefined
  readonly flags: number
  readonly rights: readonly OpenFile[]
  readonly controls: readonly ControlMessage[]
}

/** What came with bytes that were received. */
export interface ReceivedWith {
  /** Bytes of the whole message. */
  size: number
  /** Where it came from; undefined where the family does not say. */
  from: Uint8Array | undefined
  /** The receiver has the references to them. */
  rights: readonly OpenFile[]
  controls: ControlMessage[]
}

/** A record to be filled in. */
export function receivedWith(): ReceivedWith {
  return { size: 0, from: undefined, rights: [], controls: [] }
}

/** What having a socket costs beside its buffers. */
const SOCKET_BYTES = 2048

/** Bits of poll(2) that stand for others besides. */
const ALONG: readonly (readonly [bit: number, along: number])[] = [
  [Poll.IN, Poll.RDNORM],
  [Poll.OUT, Poll.WRNORM],
]

/** A socket. */
export abstract class SocketFile extends AnonymousFile implements OpenSocket, Measured {
  protected readonly kind = 'socket'
  readonly queue: WaitQueue = new WaitQueue()
  readonly namespace: NetNamespace
  readonly uid: number
  abstract readonly family: number
  abstract readonly type: number
  abstract readonly protocol: number
  /** Nanoseconds that a call waits at most: SO_RCVTIMEO, SO_SNDTIMEO. */
  receiveTimeout: number = Number.POSITIVE_INFINITY
  sendTimeout: number = Number.POSITIVE_INFINITY
  readonly #plain = new Map<number, number>()
  readonly #account: Account
  #edges = 0

  constructor(task: Task, namespace: NetNamespace, flags: number) {
    super(task.kernel, 2 | flags)
    this.namespace = namespace
    this.uid = task.ids.fsuid
    this.#account = buffersOf(task.process.account)
    namespace.sockets.add(this)
    namespace.enter()
  }

  /** Its number in `socket:[…]`. */
  get inode(): number {
    return this.ino
  }
  /** Bytes without boundaries. */
  abstract readonly isStream: boolean
  /** Its writer gets SIGPIPE where nobody reads. */
  abstract readonly signals: boolean
  /** The longest message. */
  abstract readonly largest: number
  /** Bytes that the next `receive` gives at most. */
  abstract readonly next: number

  get readable(): number {
    return this.next
  }
  get unsent(): number {
    return 0
  }
  get atMark(): number {
    return -Errno.ENOTTY
  }
  /** Bytes that the control messages of the next message take at most. */
  get controlRoom(): number {
    return 64
  }
  /** Flags that every message comes with. */
  get messageFlags(): number {
    return 0
  }

  abstract bind(task: Task, address: Uint8Array): number
  /** Also −EINPROGRESS: it has begun, and `connected` says how it goes. */
  abstract connect(task: Task, address: Uint8Array): number
  /** −EALREADY as long as the connection is being made, then 0 or why there is none. */
  connected(): number {
    return 0
  }
  listen(_task: Task, _backlog: number): number {
    return -Errno.EOPNOTSUPP
  }
  accept(_task: Task, _flags: number): SocketFile | number {
    return -Errno.EOPNOTSUPP
  }
  abstract localAddress(): Uint8Array
  abstract peerAddress(): Uint8Array | number
  /** Sends bytes, which are not kept. */
  abstract send(task: Task, bytes: Uint8Array, message: SentWith): number
  abstract receive(into: Uint8Array, flags: number, message: ReceivedWith): number
  abstract shutdown(how: number): number
  /** Bits of `Poll`, without those that others stand for. */
  protected abstract pollBits(): number
  protected abstract closeSocket(): void

  /** An option that is the family's: its bytes, a number, or a negated error number. `room`: how many bytes the caller takes. */
  protected abstract getOwnOption(level: number, option: number, room: number): Uint8Array | number
  protected abstract setOwnOption(task: Task, level: number, option: number, value: Uint8Array): number

  getOption(level: number, option: number, room: number): Uint8Array | number {
    if (level === Level.SOCKET) {
      if (option === Option.TYPE) return this.type
      if (option === Option.DOMAIN) return this.family
      if (option === Option.PROTOCOL) return this.protocol
    }
    return this.getOwnOption(level, option, room)
  }
  setOption(task: Task, level: number, option: number, value: Uint8Array): number {
    if (
      level === Level.SOCKET &&
      [Option.TYPE, Option.DOMAIN, Option.PROTOCOL, Option.ACCEPTCONN].includes(option as 3)
    )
      return -Errno.ENOPROTOOPT
    return this.setOwnOption(task, level, option, value)
  }

  /** Options that are kept and told, and change nothing. */
  protected getPlain(option: number): number {
    return this.#plain.get(option) ?? 0
  }
  protected setPlain(option: number, value: number): number {
    this.#plain.set(option, value)
    return 0
  }

  /** The family's side has news: whoever waits looks again. */
  protected readonly woken = (): void => {
    this.#edges++
    this.queue.wake()
  }
  override get canTell(): boolean {
    return true
  }
  override get edges(): number {
    return this.#edges
  }

  protected override get mode(): number {
    return Mode.IFSOCK | 0o777
  }
  override describe(): string {
    return `socket:[${this.ino}]`
  }
  override stat(into: Stat): number {
    const answer = super.stat(into)
    into.uid = this.uid
    return answer
  }
  override poll(): number {
    let bits = this.pollBits()
    for (const [bit, along] of ALONG) if ((bits & bit) !== 0) bits |= along
    return bits
  }
  override ioctl(request: number, argument: number): number {
    return socketIoctl(this.kernel.current!, this, request, argument)
  }
  /** Nobody reads what a task has written. */
  brokenPipe(task: Task): void {
    const { process: proc, ids } = task
    if (this.signals) sendToTask(task, { signal: Signal.SIGPIPE, code: Code.SI_USER, pid: proc.pid, uid: ids.uid })
  }
  /** As sendfile(2) writes. */
  override write(from: Uint8Array, start: number, length: number): number {
    const message = { to: undefined, flags: 0, rights: [], controls: [] }
    const count = this.send(this.kernel.current!, from.subarray(start, start + length), message)
    if (count === -Errno.EPIPE) this.brokenPipe(this.kernel.current!)
    return count === -Errno.EAGAIN ? this.kernel.block(this.queue) : count
  }
  protected release(): void {
    this.closeSocket()
    this.namespace.sockets.delete(this)
    this.namespace.leave()
    this.kernel.network.dismiss()
    this.#account.release(SOCKET_BYTES)
  }
}

/** A task may have another socket, and pays for it: 0, −ENFILE or −ENOBUFS. */
export function admit({ kernel, process: proc }: Task): number {
  const { network } = kernel
  if (!network.admit()) {
    network.rights.collect()
    if (!network.admit()) return -Errno.ENFILE
  }
  if (buffersOf(proc.account).charge(SOCKET_BYTES)) return 0
  network.dismiss()
  return -Errno.ENOBUFS
}
/** Takes `admit` back: there is no socket. */
export function dismiss({ kernel, process: proc }: Task): void {
  kernel.network.dismiss()
  buffersOf(proc.account).release(SOCKET_BYTES)
}

/** A number as an option has it. */
export function numberOf(value: Uint8Array): number | undefined {
  if (value.length < 4) return undefined
  return new DataView(value.buffer, value.byteOffset, value.byteLength).getInt32(0, true)
}
export function numbers(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4)
  const view = new DataView(bytes.buffer)
  for (const [n, value] of values.entries()) view.setInt32(n * 4, value | 0, true)
  return bytes
}
