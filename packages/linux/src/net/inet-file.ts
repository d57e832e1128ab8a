/** Sockets of family AF_INET (ip(7), tcp(7), udp(7), raw(7)): those of a stack of `@vmexit/net`. */
import {
  type Connection,
  IpOption,
  type Listener,
  MessageSocket,
  received,
  type Socket,
  StreamSocket,
  type UdpEndpoint,
  UdpSocket,
} from '@vmexit/net'
import { Errno } from '../errno.ts'
import type { Task } from '../system.ts'
import { familyOf, readInet, writeInet } from './addresses.ts'
import { buffersOf } from './buffer-account.ts'
import { Family, Level, Msg, Type } from './constants.ts'
import { getInetOption, setInetOption } from './inet-options.ts'
import type { NetNamespace } from './namespace.ts'
import { mayBind, maySendRaw } from './privilege.ts'
import {
  admit,
  type ControlMessage,
  dismiss,
  numberOf,
  numbers,
  type ReceivedWith,
  type SentWith,
  SocketFile,
} from './socket-file.ts'

/** Flags that the stack knows. */
const KNOWN = Msg.OOB | Msg.PEEK | Msg.MORE
/** The longest datagram of IPv4. */
const LARGEST = 65_535

/** A socket of IPv4. */
export class InetFile extends SocketFile {
  readonly family: number = Family.INET
  readonly socket: Socket
  readonly #received = received()

  constructor(task: Task, namespace: NetNamespace, socket: Socket, flags: number) {
    super(task, namespace, flags)
    this.socket = socket
    socket.wake = this.woken
  }

  /** socket(2): `flags` are O_NONBLOCK. */
  static open(task: Task, type: number, protocol: number, flags: number): InetFile | number {
    if (protocol < 0 || protocol > 255) return -Errno.EINVAL
    if (type === Type.RAW && !maySendRaw(task, task.ns.net))
      return protocol === 0 ? -Errno.EPROTONOSUPPORT : -Errno.EPERM
    const { net } = task.ns
    const socket = net.stack.socket(Family.INET, type, protocol, buffersOf(task.process.account))
    if (typeof socket === 'number') return socket
    const admitted = admit(task)
    return admitted < 0 ? admitted : new InetFile(task, net, socket, flags)
  }

  get type(): number {
    return this.socket.type
  }
  get protocol(): number {
    return this.socket.protocol
  }
  get isStream(): boolean {
    return this.socket instanceof StreamSocket
  }
  get signals(): boolean {
    return this.isStream
  }
  get largest(): number {
    return LARGEST
  }
  get next(): number {
    return this.socket.readable
  }
  override get readable(): number {
    const { socket } = this
    return socket instanceof StreamSocket && socket.state === 'listen' ? -Errno.EINVAL : socket.readable
  }
  override get unsent(): number {
    return this.socket.unsent
  }
  override get atMark(): number {
    return this.socket instanceof StreamSocket ? Number(this.socket.atMark) : -Errno.ENOTTY
  }
  /** What of the stack it is: for lists of sockets. */
  get endpoint(): Connection | Listener | UdpEndpoint | undefined {
    const { socket } = this
    return socket instanceof StreamSocket || socket instanceof UdpSocket ? socket.endpoint : undefined
  }

  bind(task: Task, address: Uint8Array): number {
    const to = readInet(address)
    if (to === undefined) return -Errno.EINVAL
    const family = familyOf(address)
    if (family !== Family.INET && !(family === Family.UNSPEC && to.address === 0)) return -Errno.EAFNOSUPPORT
    const isPort = this.type !== Type.RAW && to.port !== 0
    if (isPort && !mayBind(task, this.namespace, to.port)) return -Errno.EACCES
    return this.socket.bind(to)
  }

  connect(_task: Task, address: Uint8Array): number {
    const family = familyOf(address)
    if (family === undefined) return -Errno.EINVAL
    if (family === Family.UNSPEC) {
      if (!(this.socket instanceof MessageSocket)) return -Errno.EOPNOTSUPP
      this.socket.disconnect()
      return 0
    }
    const to = readInet(address)
    if (to === undefined) return -Errno.EINVAL
    return family === Family.INET ? this.socket.connect(to) : -Errno.EAFNOSUPPORT
  }
  override connected(): number {
    const { remoteAddress } = this.socket
    // (The stack answers by itself how it went; the address does not matter any more.)
    return this.socket.connect(typeof remoteAddress === 'number' ? { address: 0, port: 0 } : remoteAddress)
  }

  override listen(_task: Task, backlog: number): number {
    return this.socket.listen(backlog)
  }
  override accept(task: Task, flags: number): InetFile | number {
    const admitted = admit(task)
    if (admitted < 0) return admitted
    const socket = this.socket.accept()
    if (typeof socket !== 'number') return new InetFile(task, this.namespace, socket, flags)
    dismiss(task)
    return socket
  }

  localAddress(): Uint8Array {
    return writeInet(this.socket.localAddress)
  }
  peerAddress(): Uint8Array | number {
    const { remoteAddress } = this.socket
    if (typeof remoteAddress === 'number') return remoteAddress
    const isThere =
      !(this.socket instanceof StreamSocket) || !['closed', 'syn-sent', 'time-wait'].includes(this.socket.state)
    return isThere ? writeInet(remoteAddress) : -Errno.ENOTCONN
  }

  send(_task: Task, bytes: Uint8Array, { to, flags, controls }: SentWith): number {
    if ((flags & Msg.OOB) !== 0 && !this.isStream) return -Errno.EOPNOTSUPP
    if (to === undefined || this.isStream) return this.#sendWith(bytes, flags, undefined, controls)
    const family = familyOf(to)
    const target = readInet(to)
    if (target === undefined) return -Errno.EINVAL
    if (family !== Family.INET && family !== Family.UNSPEC) return -Errno.EAFNOSUPPORT
    return this.#sendWith(bytes, flags, target, controls)
  }

  /** Sends with the options that control messages set for this once. */
  #sendWith(
    bytes: Uint8Array,
    flags: number,
    to: ReturnType<typeof readInet>,
    controls: readonly ControlMessage[],
  ): number {
    const before: [option: number, value: number][] = []
    const { socket } = this
    for (const { level, type, data } of controls) {
      if (level !== Level.IP) continue
      const value = numberOf(data)
      if ((type !== IpOption.ttl && type !== IpOption.tos) || value === undefined) return -Errno.EINVAL
      before.push([type, socket.getOption(Level.IP, type)])
      const set = socket.setOption(Level.IP, type, value)
      if (set < 0) return set
    }
    const count = socket.send(bytes, flags & KNOWN, to)
    for (const [option, value] of before.toReversed()) socket.setOption(Level.IP, option, value)
    return count
  }

  receive(into: Uint8Array, flags: number, message: ReceivedWith): number {
    const { socket } = this
    const from = this.#received
    const count = socket.receive(into, flags & KNOWN, from)
    if (this.isStream || count < 0) {
      message.size = Math.max(0, count)
      return count
    }
    message.size = from.size
    message.from = writeInet({ address: from.address, port: this.type === Type.RAW ? 0 : from.port })
    if (socket.getOption(Level.IP, IpOption.packetInfo) > 0) {
      const data = numbers(from.device, 0, 0)
      new DataView(data.buffer).setUint32(4, from.destination)
      new DataView(data.buffer).setUint32(8, from.destination)
      message.controls.push({ level: Level.IP, type: IpOption.packetInfo, data })
    }
    if (socket.getOption(Level.IP, IpOption.receiveTtl) > 0)
      message.controls.push({ level: Level.IP, type: IpOption.ttl, data: numbers(from.ttl) })
    return count
  }

  shutdown(how: number): number {
    return this.socket.shutdown(how)
  }
  protected pollBits(): number {
    return this.socket.poll()
  }
  protected closeSocket(): void {
    this.socket.close()
  }
  protected getOwnOption(level: number, option: number, room: number): Uint8Array | number {
    return getInetOption(this.socket, level, option, room)
  }
  protected setOwnOption(task: Task, level: number, option: number, value: Uint8Array): number {
    return setInetOption(task, this.namespace, this.socket, level, option, value)
  }
}
