/** Sockets of family AF_PACKET (packet(7)): frames as they pass devices, for DHCP clients and tcpdump. */
import type { PacketAddress, PacketSocket } from '@vmexit/net'
import { Errno } from '../errno.ts'
import type { Task } from '../system.ts'
import { familyOf, readPacket, writePacket } from './addresses.ts'
import { buffersOf } from './buffer-account.ts'
import { Family, Level, Msg, Option } from './constants.ts'
import { maySendRaw } from './privilege.ts'
import { admit, numbers, type ReceivedWith, type SentWith, SocketFile } from './socket-file.ts'

/** Kinds of hardware (`ARPHRD_…`). */
const ETHERNET = 1
const LOOPBACK = 772
const BUFFER = 212_992
/** Level and option of what was dropped. */
const SOL_PACKET = 263
const PACKET_STATISTICS = 6

/** A packet socket. */
export class PacketFile extends SocketFile {
  readonly family: number = Family.PACKET
  readonly isStream = false
  readonly signals = false
  readonly largest = 65_550
  readonly #socket: PacketSocket
  #address: PacketAddress
  readonly #from: PacketAddress = { device: 0, protocol: 0, type: 0, mac: 0 }

  constructor(task: Task, socket: PacketSocket, protocol: number, flags: number) {
    super(task, task.ns.net, flags)
    this.#socket = socket
    this.#address = { device: 0, protocol, type: 0, mac: 0 }
    socket.wake = this.woken
  }

  /** socket(2): the protocol is an ether type in network byte order. */
  static open(task: Task, type: number, protocol: number, flags: number): PacketFile | number {
    if (!maySendRaw(task, task.ns.net)) return -Errno.EPERM
    const etherType = ((protocol & 0xff) << 8) | ((protocol >>> 8) & 0xff)
    const socket = task.ns.net.stack.packetSocket(type, etherType, buffersOf(task.process.account))
    if (typeof socket === 'number') return socket
    const admitted = admit(task)
    if (admitted < 0) {
      socket.close()
      return admitted
    }
    return new PacketFile(task, socket, etherType, flags)
  }

  get type(): number {
    return this.#socket.type
  }
  /** In network byte order, as it was given. */
  get protocol(): number {
    const { protocol } = this.#address
    return ((protocol & 0xff) << 8) | (protocol >>> 8)
  }
  get etherType(): number {
    return this.#address.protocol
  }
  /** The index of the device that it hears; 0 for all. */
  get device(): number {
    return this.#address.device
  }
  get next(): number {
    return Math.max(0, this.#socket.receive(NOTHING, Msg.PEEK | Msg.TRUNC))
  }

  bind(_task: Task, address: Uint8Array): number {
    const to = readPacket(address)
    if (to === undefined || familyOf(address) !== Family.PACKET) return -Errno.EINVAL
    const bound = this.#socket.bind(to)
    if (bound === 0) this.#address = { ...to, protocol: to.protocol || this.#address.protocol }
    return bound
  }
  connect(): number {
    return -Errno.EOPNOTSUPP
  }
  localAddress(): Uint8Array {
    const device = this.namespace.stack.ip.interfaces.byIndex(this.#address.device)
    return writePacket({ ...this.#address, mac: device?.mac ?? 0 }, device?.kind === 'loopback' ? LOOPBACK : ETHERNET)
  }
  peerAddress(): number {
    return -Errno.EOPNOTSUPP
  }
  send(_task: Task, bytes: Uint8Array, { to }: SentWith): number {
    if (to === undefined) return this.#socket.send(bytes)
    const target = readPacket(to)
    if (target === undefined || familyOf(to) !== Family.PACKET) return -Errno.EINVAL
    return this.#socket.send(bytes, target)
  }
  receive(into: Uint8Array, flags: number, message: ReceivedWith): number {
    const size = this.#socket.receive(into, (flags & Msg.PEEK) | Msg.TRUNC, this.#from)
    if (size < 0) return size
    message.size = size
    const device = this.namespace.stack.ip.interfaces.byIndex(this.#from.device)
    message.from = writePacket(this.#from, device?.kind === 'loopback' ? LOOPBACK : ETHERNET)
    return Math.min(size, into.length)
  }
  shutdown(): number {
    return -Errno.EOPNOTSUPP
  }
  protected pollBits(): number {
    return this.#socket.poll()
  }
  protected closeSocket(): void {
    this.#socket.close()
  }
  protected getOwnOption(level: number, option: number): Uint8Array | number {
    if (level === SOL_PACKET && option === PACKET_STATISTICS) return numbers(0, this.#socket.dropped)
    if (level !== Level.SOCKET) return -Errno.ENOPROTOOPT
    if (option === Option.SNDBUF || option === Option.RCVBUF) return BUFFER
    return option === Option.ERROR || option === Option.ACCEPTCONN ? 0 : -Errno.ENOPROTOOPT
  }
  protected setOwnOption(_task: Task, level: number, option: number): number {
    return level === Level.SOCKET && option === Option.BROADCAST ? 0 : -Errno.ENOPROTOOPT
  }
}
const NOTHING = new Uint8Array(0)
