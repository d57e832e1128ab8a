/** What UDP, ping and raw sockets have in common: messages are sent at once, and wait in a queue to be read. */
import type { Account } from '../account.ts'
import { Errno } from '../errno.ts'
import { anyAddress, type Ipv4, isMulticast, limitedBroadcast, loopbackAddress } from '../ip/address.ts'
import type { Ip, Outgoing } from '../ip/ip.ts'
import { IpOption, Level, Message, Poll, Shutdown } from './constants.ts'
import { DatagramQueue } from './datagram-queue.ts'
import { type Received, Socket, type SocketAddress } from './socket.ts'

/** A socket of messages. */
export abstract class MessageSocket extends Socket {
  protected readonly ip: Ip
  protected readonly queue: DatagramQueue
  protected closed = false
  protected sendBuffer = 212992
  readonly #groups = new Set<Ipv4>()
  #ttl = 64
  #tos = 0
  #multicastTtl = 1
  #readShut = false
  #writeShut = false
  readonly #flags = new Map<number, number>()

  constructor(ip: Ip, account?: Account) {
    super()
    this.queue = new DatagramQueue(account)
    this.ip = ip
  }

  get readable(): number {
    return this.queue.nextSize
  }

  get unsent(): number {
    return 0
  }

  protected get receiveBuffer(): number {
    return this.queue.limit
  }

  protected set receiveBuffer(bytes: number) {
    this.queue.limit = bytes
  }

  send(bytes: Uint8Array, _flags = 0, to?: SocketAddress): number {
    const error = this.takeError()
    if (error !== 0) return -error
    if (this.#writeShut) return -Errno.EPIPE
    const target = to ?? this.remote
    if (target === undefined) return -Errno.EDESTADDRREQ
    const address = target.address === anyAddress ? loopbackAddress : target.address
    const many = this.ip.interfaces.isBroadcast(address)
    if (many && !this.broadcast) return -Errno.EACCES
    const source = this.#sourceFor(address)
    if (typeof source === 'number' && source < 0) return source
    const ttl = isMulticast(address) ? this.#multicastTtl : this.#ttl
    const outgoing = { source, destination: address, ttl, tos: this.#tos, device: this.device }
    const sent = this.transmit(bytes, { address, port: target.port }, outgoing)
    return sent < 0 ? sent : bytes.length
  }

  receive(into: Uint8Array, flags = 0, from?: Received): number {
    const error = this.takeError()
    if (error !== 0) return -error
    const size = this.queue.take(into, (flags & Message.peek) !== 0, from)
    if (size !== undefined) return size
    return this.#readShut ? 0 : -Errno.EAGAIN
  }

  /** Sets where it sends to and takes from; address 0 of family AF_UNSPEC is {@link disconnect}. */
  connect(to: SocketAddress): number {
    const address = to.address === anyAddress ? loopbackAddress : to.address
    if (this.ip.interfaces.isBroadcast(address) && !this.broadcast) return -Errno.EACCES
    const source = this.#sourceFor(address)
    if (source < 0) return source
    const bound = this.local.address === anyAddress ? this.assign({ address: source, port: this.local.port }) : 0
    if (bound !== 0) return bound
    this.remote = { address, port: to.port }
    return 0
  }

  /** Takes {@link connect} back. */
  disconnect(): void {
    this.remote = undefined
  }

  shutdown(how: number): number {
    if (how < Shutdown.read || how > Shutdown.both) return -Errno.EINVAL
    if (this.remote === undefined) return -Errno.ENOTCONN
    if (how !== Shutdown.write) this.#readShut = true
    if (how !== Shutdown.read) this.#writeShut = true
    this.wake?.()
    return 0
  }

  poll(): number {
    let bits: number = Poll.out
    if (this.queue.length > 0 || this.#readShut) bits |= Poll.in
    if (this.#readShut) bits |= Poll.rdhup
    if (this.#readShut && this.#writeShut) bits |= Poll.hup
    return this.error === 0 ? bits : bits | Poll.err
  }

  close(): void {
    if (this.closed) return
    this.closed = true
    this.wake = undefined
    for (const group of [...this.#groups]) this.leave(group)
    this.queue.clear()
    this.detach()
  }

  /** Takes messages to a group of hosts (IP_ADD_MEMBERSHIP). */
  join(group: Ipv4): number {
    if (!isMulticast(group)) return -Errno.EINVAL
    if (this.#groups.has(group)) return -Errno.EADDRINUSE
    if (this.#groups.size >= 20) return -Errno.ENOBUFS // Linux's net.ipv4.igmp_max_memberships
    this.#groups.add(group)
    this.ip.groups.set(group, (this.ip.groups.get(group) ?? 0) + 1)
    return 0
  }

  /** Takes {@link join} back. */
  leave(group: Ipv4): number {
    if (!this.#groups.delete(group)) return -Errno.EADDRNOTAVAIL
    const left = (this.ip.groups.get(group) ?? 1) - 1
    if (left > 0) this.ip.groups.set(group, left)
    else this.ip.groups.delete(group)
    return 0
  }

  hasJoined(group: Ipv4): boolean {
    return this.#groups.has(group)
  }

  /** Sends a message that has a source. */
  protected abstract transmit(bytes: Uint8Array, to: SocketAddress, outgoing: Omit<Outgoing, 'protocol'>): number
  /** Sets the local address, and a port if there is none. */
  protected abstract assign(local: SocketAddress): number
  /** Nothing comes any more. */
  protected abstract detach(): void

  protected override getProtocolOption(level: number, option: number): number {
    if (level !== Level.ip) return -Errno.ENOPROTOOPT
    switch (option) {
      case IpOption.ttl:
        return this.#ttl
      case IpOption.tos:
        return this.#tos
      case IpOption.multicastTtl:
        return this.#multicastTtl
      case IpOption.packetInfo:
      case IpOption.receiveTtl:
      case IpOption.receiveErrors:
      case IpOption.mtuDiscovery:
        return this.#flags.get(option) ?? 0
      case IpOption.mtu:
        return this.remote === undefined ? -Errno.ENOTCONN : this.ip.mtuTo(this.remote.address)
      default:
        return -Errno.ENOPROTOOPT
    }
  }

  protected override setProtocolOption(level: number, option: number, value: number): number {
    if (level !== Level.ip) return -Errno.ENOPROTOOPT
    switch (option) {
      case IpOption.ttl:
        if (value !== -1 && (value < 1 || value > 255)) return -Errno.EINVAL
        this.#ttl = value === -1 ? 64 : value
        return 0
      case IpOption.tos:
        this.#tos = value & 255
        return 0
      case IpOption.multicastTtl:
        if (value < -1 || value > 255) return -Errno.EINVAL
        this.#multicastTtl = value === -1 ? 1 : value
        return 0
      case IpOption.packetInfo:
      case IpOption.receiveTtl:
      case IpOption.receiveErrors:
      case IpOption.mtuDiscovery:
        this.#flags.set(option, value)
        return 0
      default:
        return -Errno.ENOPROTOOPT
    }
  }

  #sourceFor(destination: Ipv4): Ipv4 | number {
    const { address } = this.local
    if (address !== anyAddress && !isMulticast(address) && !this.ip.interfaces.isBroadcast(address)) return address
    // A host that has no address yet may ask for one.
    const source = this.ip.sourceFor(destination, this.device)
    return source < 0 && destination === limitedBroadcast && source === -Errno.EADDRNOTAVAIL ? anyAddress : source
  }
}
