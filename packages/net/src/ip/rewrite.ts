/** Addresses and ports of a packet changed, and its checksums with them (RFC 1624): the copy is changed, never a frame. */
import { get16, get32, set16, set32 } from '../bytes.ts'
import { checksum, fold } from '../checksum.ts'
import type { Ipv4 } from './address.ts'
import type { Tuple } from './connection-table.ts'
import { ipAt, ipHeader, type Packet, Protocol, readPacket, setHeaderChecksum } from './packet.ts'

/** An end of a connection. */
export type End = { readonly address: Ipv4; readonly port: number }

/** What a packet is from and to; undefined where it has no ports. Its length is checked. */
export function tupleOf({ frame, at, end, protocol, source, destination }: Packet): Tuple | undefined {
  if (protocol === Protocol.icmp) {
    if (end - at < 8 || (frame[at] !== 0 && frame[at] !== 8)) return undefined
    const id = get16(frame, at + 4)
    return { protocol, source, sourcePort: id, destination, destinationPort: id }
  }
  if (protocol === Protocol.tcp ? end - at < 20 : protocol !== Protocol.udp || end - at < 8) return undefined
  return { protocol, source, sourcePort: get16(frame, at), destination, destinationPort: get16(frame, at + 2) }
}

/** A copy from `from` and to `to`, where those are given and differ; else the packet itself. */
export function rewrite(packet: Packet, from: End | undefined, to: End | undefined): Packet {
  const tuple = tupleOf(packet)
  if (tuple === undefined) return packet
  const source = from ?? { address: tuple.source, port: tuple.sourcePort }
  const destination = to ?? { address: tuple.destination, port: tuple.destinationPort }
  if (
    source.address === tuple.source &&
    source.port === tuple.sourcePort &&
    destination.address === tuple.destination &&
    destination.port === tuple.destinationPort
  ) {
    return packet
  }
  const frame = packet.frame.slice(0, packet.end)
  set32(frame, ipAt + 12, source.address)
  set32(frame, ipAt + 16, destination.address)
  setHeaderChecksum(frame)
  if (packet.protocol === Protocol.icmp) {
    set16(frame, packet.at + 4, from === undefined ? destination.port : source.port)
    set16(frame, packet.at + 2, 0)
    set16(frame, packet.at + 2, checksum(frame, packet.at, packet.end))
  } else {
    set16(frame, packet.at, source.port)
    set16(frame, packet.at + 2, destination.port)
    adjust(frame, packet.at + (packet.protocol === Protocol.tcp ? 16 : 6), packet.protocol, [
      ...[tuple.source, source.address, tuple.destination, destination.address],
      ...[tuple.sourcePort, source.port, tuple.destinationPort, destination.port],
    ])
  }
  return readPacket(frame, packet.device) ?? packet
}

/** What the packet in an ICMP error is from and to; undefined where this is no error, or quotes too little. */
export function quotedTuple({ frame, at, end, protocol }: Packet): Tuple | undefined {
  if (protocol !== Protocol.icmp || end - at < 8 + ipHeader + 8) return undefined
  if (frame[at] !== 3 && frame[at] !== 11 && frame[at] !== 12) return undefined
  const inner = at + 8
  const payload = inner + (frame[inner] & 15) * 4
  if (frame[inner] >> 4 !== 4 || payload < inner + ipHeader || payload + 8 > end) return undefined
  const innerProtocol = frame[inner + 9]
  const isEcho = innerProtocol === Protocol.icmp
  if (!isEcho && innerProtocol !== Protocol.tcp && innerProtocol !== Protocol.udp) return undefined
  return {
    protocol: innerProtocol,
    source: get32(frame, inner + 12),
    destination: get32(frame, inner + 16),
    sourcePort: get16(frame, isEcho ? payload + 4 : payload),
    destinationPort: get16(frame, isEcho ? payload + 4 : payload + 2),
  }
}

/** A copy of an ICMP error for who sent the packet in it, which is shown as it was sent. */
export function rewriteQuote(packet: Packet, quoted: Tuple, asSent: Tuple): Packet {
  const frame = packet.frame.slice(0, packet.end)
  const inner = packet.at + 8
  const payload = inner + (frame[inner] & 15) * 4
  set32(frame, inner + 12, asSent.source)
  set32(frame, inner + 16, asSent.destination)
  set16(frame, inner + 10, 0)
  set16(frame, inner + 10, checksum(frame, inner, payload))
  if (quoted.protocol === Protocol.icmp) set16(frame, payload + 4, asSent.sourcePort)
  else {
    set16(frame, payload, asSent.sourcePort)
    set16(frame, payload + 2, asSent.destinationPort)
  }
  set16(frame, packet.at + 2, 0)
  set16(frame, packet.at + 2, checksum(frame, packet.at, packet.end))
  set32(frame, ipAt + 16, asSent.source)
  if (packet.source === quoted.destination) set32(frame, ipAt + 12, asSent.destination)
  setHeaderChecksum(frame)
  return readPacket(frame, packet.device) ?? packet
}

/** Pairs of old and new words, of 16 or 32 bits. */
function adjust(frame: Uint8Array, at: number, protocol: number, pairs: readonly number[]): void {
  const old = get16(frame, at)
  if (old === 0 && protocol === Protocol.udp) return // sent without
  let total = ~old & 0xffff
  for (let index = 0; index < pairs.length; index += 2) {
    const [before, now] = [pairs[index], pairs[index + 1]]
    total += (~(before >>> 16) & 0xffff) + (~before & 0xffff) + (now >>> 16) + (now & 0xffff)
  }
  const result = ~fold(total) & 0xffff
  set16(frame, at, result === 0 && protocol === Protocol.udp ? 0xffff : result)
}
