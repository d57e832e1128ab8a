/** UDP (RFC 768; RFC 1122 section 4.1): which endpoints a datagram is for, and who has which port. */
import { get16, set16 } from '../bytes.ts'
import { checksum, pseudoHeader } from '../checksum.ts'
import { Errno } from '../errno.ts'
import { anyAddress, type Ipv4, isMulticast } from '../ip/address.ts'
import type { Ip, Outgoing, ProtocolHandler, ReportedError } from '../ip/ip.ts'
import { type Packet, Protocol, payloadAt } from '../ip/packet.ts'
import type { NetDevice } from '../link/device.ts'
import { Ports } from '../ports.ts'
import type { Random } from '../random.ts'

/** Bytes of the header, and of the largest payload. */
const udpHeader = 8
const largestDatagram = 65535 - 20 - udpHeader

/** What takes datagrams: a socket. */
export interface UdpEndpoint {
  readonly address: Ipv4
  readonly port: number
  /** Where it takes them from only; undefined for everywhere. */
  readonly peer: { readonly address: Ipv4; readonly port: number } | undefined
  readonly device: NetDevice | undefined
  readonly reusePort: boolean
  /** Whether it takes datagrams to a group. */
  hasJoined(group: Ipv4): boolean
  /** A datagram: its payload is `frame[at…end)`. */
  receive(packet: Packet, port: number, at: number, end: number): void
  failed(error: number): void
}

/** What passed, as `/proc/net/snmp` counts it. */
export interface UdpCounters {
  datagramsIn: number
  noPorts: number
  errorsIn: number
  datagramsOut: number
}

/** The endpoints of one stack. */
export class Udp implements ProtocolHandler {
  readonly ports: Ports
  readonly counters: UdpCounters = { datagramsIn: 0, noPorts: 0, errorsIn: 0, datagramsOut: 0 }
  /** Asked about a datagram that no endpoint is for: for gateways. True where it was taken. */
  intercept: ((packet: Packet, sourcePort: number, destinationPort: number, payload: Uint8Array) => boolean) | undefined
  readonly #ip: Ip
  readonly #endpoints = new Map<number, Set<UdpEndpoint>>()

  constructor(ip: Ip, random: Random) {
    this.#ip = ip
    this.ports = new Ports(random.next())
    ip.handlers.set(Protocol.udp, this)
  }

  get endpoints(): UdpEndpoint[] {
    return [...this.#endpoints.values()].flatMap((endpoints) => [...endpoints])
  }

  add(endpoint: UdpEndpoint): void {
    const others = this.#endpoints.get(endpoint.port)
    if (others === undefined) this.#endpoints.set(endpoint.port, new Set([endpoint]))
    else others.add(endpoint)
  }

  remove(endpoint: UdpEndpoint): void {
    const others = this.#endpoints.get(endpoint.port)
    if (others?.delete(endpoint) && others.size === 0) this.#endpoints.delete(endpoint.port)
  }

  /** Sends a datagram: 0 or a negated error number. */
  send(payload: Uint8Array, sourcePort: number, port: number, outgoing: Omit<Outgoing, 'protocol'>): number {
    if (payload.length > largestDatagram) return -Errno.EMSGSIZE
    const frame = new Uint8Array(payloadAt + udpHeader + payload.length)
    set16(frame, payloadAt, sourcePort)
    set16(frame, payloadAt + 2, port)
    set16(frame, payloadAt + 4, udpHeader + payload.length)
    frame.set(payload, payloadAt + udpHeader)
    const initial = pseudoHeader(outgoing.source, outgoing.destination, Protocol.udp, udpHeader + payload.length)
    // 0 would say that there is no checksum.
    set16(frame, payloadAt + 6, checksum(frame, payloadAt, frame.length, initial) || 0xffff)
    this.counters.datagramsOut++
    return this.#ip.send(frame, { ...outgoing, protocol: Protocol.udp })
  }

  receive(packet: Packet): boolean {
    const { frame, at, end, source, destination } = packet
    const length = end - at < udpHeader ? 0 : get16(frame, at + 4)
    if (length < udpHeader || length > end - at || !this.#isIntact(packet, length)) {
      this.counters.errorsIn++
      return true
    }
    const sourcePort = get16(frame, at)
    const port = get16(frame, at + 2)
    const many = packet.group || isMulticast(destination) || this.#ip.interfaces.isBroadcast(destination)
    const takers = [...(this.#endpoints.get(port) ?? [])].filter((endpoint) => takes(endpoint, packet, sourcePort))
    if (takers.length === 0) {
      const payload = frame.subarray(at + udpHeader, at + length)
      if (this.intercept?.(packet, sourcePort, port, payload)) return true
      this.counters.noPorts++
      return many
    }
    this.counters.datagramsIn++
    const chosen = many ? takers : [best(takers, source ^ (sourcePort << 8))]
    for (const endpoint of chosen) endpoint.receive(packet, sourcePort, at + udpHeader, at + length)
    return true
  }

  failed({ code, type, source, destination, payload }: ReportedError): void {
    const port = get16(payload, 0)
    const remotePort = get16(payload, 2)
    for (const endpoint of this.#endpoints.get(port) ?? []) {
      const { peer, address } = endpoint
      if (peer?.address !== destination || peer.port !== remotePort) continue
      if (address !== anyAddress && address !== source) continue
      if (type === 3) endpoint.failed(code === 3 ? Errno.ECONNREFUSED : Errno.EHOSTUNREACH)
    }
  }

  #isIntact({ frame, at, source, destination }: Packet, length: number): boolean {
    if (get16(frame, at + 6) === 0) return true
    return checksum(frame, at, at + length, pseudoHeader(source, destination, Protocol.udp, length)) === 0
  }
}

function takes(endpoint: UdpEndpoint, packet: Packet, sourcePort: number): boolean {
  const { address, peer, device } = endpoint
  if (device !== undefined && device !== packet.device) return false
  if (peer !== undefined && (peer.address !== packet.source || peer.port !== sourcePort)) return false
  if (isMulticast(packet.destination)) return endpoint.hasJoined(packet.destination)
  return address === anyAddress || address === packet.destination
}

/** The one that says most about where it takes datagrams from; of several that share a port, one by the sender. */
function best(takers: readonly UdpEndpoint[], hash: number): UdpEndpoint {
  const score = ({ peer, address, device }: UdpEndpoint) =>
    (peer === undefined ? 0 : 4) + (address === anyAddress ? 0 : 2) + (device === undefined ? 0 : 1)
  const most = Math.max(...takers.map(score))
  const top = takers.filter((endpoint) => score(endpoint) === most)
  const sharing = top.filter(({ reusePort }) => reusePort)
  return sharing.length > 1 ? sharing[(hash >>> 0) % sharing.length] : top[top.length - 1]
}
