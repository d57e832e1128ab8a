/** Raw sockets (raw(7)) and ping sockets (icmp(7)): packets of one protocol, or echo requests and their replies. */
import type { Account } from '../account.ts'
import { get16, get32, set16, set32 } from '../bytes.ts'
import { Errno } from '../errno.ts'
import { anyAddress } from '../ip/address.ts'
import { type Icmp, IcmpType, setIcmpChecksum } from '../ip/icmp.ts'
import type { Ip, Outgoing } from '../ip/ip.ts'
import { ipAt, ipHeader, type Packet, Protocol, payloadAt, setHeaderChecksum } from '../ip/packet.ts'
import type { Binding, Ports } from '../ports.ts'
import { IpOption, Level, SocketType } from './constants.ts'
import { MessageSocket } from './message-socket.ts'
import type { SocketAddress } from './socket.ts'

/** A raw socket: it reads whole packets with their header. Whether a program may have one is the kernel's to say. */
export class RawSocket extends MessageSocket {
  readonly type: number = SocketType.raw
  readonly protocol: number
  #headerIncluded: boolean
  readonly #listener = (packet: Packet): boolean => this.#offer(packet)

  /** Protocol 255 (IPPROTO_RAW) only sends, packets with their header. */
  constructor(ip: Ip, protocol: number, account?: Account) {
    super(ip, account)
    this.protocol = protocol
    this.#headerIncluded = protocol === 255
    ip.listeners.add(this.#listener)
  }

  bind({ address }: SocketAddress): number {
    if (address !== anyAddress && !this.ip.interfaces.isLocal(address)) return -Errno.EADDRNOTAVAIL
    return this.assign({ address, port: this.protocol })
  }

  protected override assign(local: SocketAddress): number {
    this.local = { address: local.address, port: this.protocol }
    return 0
  }

  protected override transmit(bytes: Uint8Array, _to: SocketAddress, outgoing: Omit<Outgoing, 'protocol'>): number {
    if (!this.#headerIncluded) {
      const frame = new Uint8Array(payloadAt + bytes.length)
      frame.set(bytes, payloadAt)
      return this.ip.send(frame, { ...outgoing, protocol: this.protocol })
    }
    if (bytes.length < ipHeader || bytes[0] >> 4 !== 4) return -Errno.EINVAL
    const headerBytes = (bytes[0] & 15) * 4
    if (headerBytes < ipHeader || headerBytes > bytes.length || bytes.length > 65535) return -Errno.EINVAL
    const frame = new Uint8Array(ipAt + bytes.length)
    frame.set(bytes, ipAt)
    set16(frame, ipAt + 2, bytes.length)
    if (get32(frame, ipAt + 12) === 0) set32(frame, ipAt + 12, outgoing.source)
    setHeaderChecksum(frame)
    return this.ip.sendPacket(frame, this.device)
  }

  protected override detach(): void {
    this.ip.listeners.delete(this.#listener)
  }

  protected override getProtocolOption(level: number, option: number): number {
    if (level === Level.ip && option === IpOption.headerIncluded) return Number(this.#headerIncluded)
    return super.getProtocolOption(level, option)
  }

  protected override setProtocolOption(level: number, option: number, value: number): number {
    if (level !== Level.ip || option !== IpOption.headerIncluded) return super.setProtocolOption(level, option, value)
    this.#headerIncluded = value !== 0
    return 0
  }

  #offer(packet: Packet): boolean {
    if (packet.protocol !== this.protocol) return false
    if (this.local.address !== anyAddress && this.local.address !== packet.destination) return false
    if (this.remote !== undefined && this.remote.address !== packet.source) return false
    if (this.device !== undefined && this.device !== packet.device) return false
    if (this.queue.put(packet, 0, ipAt, packet.end)) this.wake?.()
    return true
  }
}

/** A ping socket: its port is the identifier of the echo requests it sends and of the replies it reads. */
export class PingSocket extends MessageSocket {
  readonly type: number = SocketType.datagram
  readonly protocol: number = Protocol.icmp
  readonly #icmp: Icmp
  readonly #ports: Ports
  #binding: Binding | undefined
  readonly #listener = (packet: Packet): void => this.#take(packet)

  constructor(ip: Ip, icmp: Icmp, identifiers: Ports, account?: Account) {
    super(ip, account)
    this.#icmp = icmp
    this.#ports = identifiers
  }

  bind(to: SocketAddress): number {
    if (this.local.port !== 0) return -Errno.EINVAL
    if (to.address !== anyAddress && !this.ip.interfaces.isLocal(to.address)) return -Errno.EADDRNOTAVAIL
    return this.assign(to)
  }

  protected override assign({ address, port }: SocketAddress): number {
    if (this.local.port === 0) {
      const chosen = port === 0 ? this.#ports.choose(2) : port
      if (chosen === undefined) return -Errno.EADDRINUSE
      const flags = { reuseAddress: false, reusePort: false, listening: false, ephemeral: false }
      const binding = { address: anyAddress, port: chosen, device: undefined, ...flags }
      const bound = this.#ports.bind(binding)
      if (bound !== 0) return bound
      this.#binding = binding
      this.#icmp.replies.add(this.#listener)
      this.local = { address, port: chosen }
    } else this.local = { address, port: this.local.port }
    return 0
  }

  protected override transmit(bytes: Uint8Array, _to: SocketAddress, outgoing: Omit<Outgoing, 'protocol'>): number {
    if (bytes.length < 8 || bytes[0] !== IcmpType.echo || bytes[1] !== 0) return -Errno.EINVAL
    const bound = this.local.port === 0 ? this.assign({ address: anyAddress, port: 0 }) : 0
    if (bound !== 0) return bound
    const frame = new Uint8Array(payloadAt + bytes.length)
    frame.set(bytes, payloadAt)
    set16(frame, payloadAt + 4, this.local.port)
    setIcmpChecksum(frame)
    return this.ip.send(frame, { ...outgoing, protocol: Protocol.icmp })
  }

  protected override detach(): void {
    this.#icmp.replies.delete(this.#listener)
    if (this.#binding !== undefined) this.#ports.release(this.#binding)
  }

  #take(packet: Packet): void {
    if (get16(packet.frame, packet.at + 4) !== this.local.port) return
    if (this.remote !== undefined && this.remote.address !== packet.source) return
    if (this.queue.put(packet, 0, packet.at, packet.end)) this.wake?.()
  }
}
