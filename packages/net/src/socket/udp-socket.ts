/** A UDP socket: udp(7). */
import type { Account } from '../account.ts'
import { Errno } from '../errno.ts'
import { anyAddress, isMulticast } from '../ip/address.ts'
import type { Ip, Outgoing } from '../ip/ip.ts'
import { type Packet, Protocol } from '../ip/packet.ts'
import type { Binding } from '../ports.ts'
import type { Udp, UdpEndpoint } from '../udp/udp.ts'
import { SocketType } from './constants.ts'
import { MessageSocket } from './message-socket.ts'
import type { SocketAddress } from './socket.ts'

/** A socket of datagrams. */
export class UdpSocket extends MessageSocket {
  readonly type: number = SocketType.datagram
  readonly protocol: number = Protocol.udp
  readonly #udp: Udp
  #binding: Binding | undefined
  #endpoint: UdpEndpoint | undefined

  constructor(ip: Ip, udp: Udp, account?: Account) {
    super(ip, account)
    this.#udp = udp
  }

  /** What of UDP stands behind it, for lists of sockets. */
  get endpoint(): UdpEndpoint | undefined {
    return this.#endpoint
  }

  bind(to: SocketAddress): number {
    if (this.#binding !== undefined) return -Errno.EINVAL
    const { address } = to
    const { interfaces } = this.ip
    const known = interfaces.isLocal(address) || isMulticast(address) || interfaces.isBroadcast(address)
    return address === anyAddress || known ? this.assign(to) : -Errno.EADDRNOTAVAIL
  }

  protected override assign({ address, port }: SocketAddress): number {
    const { ports } = this.#udp
    const chosen = port === 0 ? ports.choose(1) : port
    if (chosen === undefined) return -Errno.EADDRINUSE
    if (this.#binding === undefined) {
      const binding = this.bindingOf(address, chosen)
      const bound = ports.bind(binding)
      if (bound !== 0) return bound
      this.#binding = binding
      this.#endpoint = this.#endpointOf(chosen)
      this.#udp.add(this.#endpoint)
    }
    this.local = { address, port: chosen }
    return 0
  }

  protected override transmit(bytes: Uint8Array, to: SocketAddress, outgoing: Omit<Outgoing, 'protocol'>): number {
    if (to.port === 0) return -Errno.EINVAL
    if (this.#binding === undefined) {
      const bound = this.assign({ address: anyAddress, port: 0 })
      if (bound !== 0) return bound
    }
    return this.#udp.send(bytes, this.local.port, to.port, outgoing)
  }

  protected override detach(): void {
    if (this.#endpoint !== undefined) this.#udp.remove(this.#endpoint)
    if (this.#binding !== undefined) this.#udp.ports.release(this.#binding)
  }

  #endpointOf(port: number): UdpEndpoint {
    const socket = this
    return {
      port,
      get address() {
        return socket.local.address
      },
      get peer() {
        return socket.remote
      },
      get device() {
        return socket.device
      },
      get reusePort() {
        return socket.reusePort
      },
      hasJoined: (group) => socket.hasJoined(group),
      receive(packet: Packet, from: number, at: number, end: number) {
        if (socket.queue.put(packet, from, at, end)) socket.wake?.()
      },
      failed(error: number) {
        socket.error = error
        socket.wake?.()
      },
    }
  }
}
