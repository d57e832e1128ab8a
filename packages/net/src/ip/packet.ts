/** The IPv4 header (RFC 791, section 3.1) in a frame: behind the Ethernet header always, whatever the device. */
import { get16, get32, set16, set32 } from '../bytes.ts'
import { checksum } from '../checksum.ts'
import type { NetDevice } from '../link/device.ts'
import { EtherType, etherHeader, getMac, isGroupMac } from '../link/ethernet.ts'
import type { Ipv4 } from './address.ts'

/** Protocols above IPv4. */
export const Protocol = { icmp: 1, tcp: 6, udp: 17 } as const

/** Where the header is in a frame. */
export const ipAt: number = etherHeader
/** Bytes of a header without options. */
export const ipHeader = 20
/** Where the payload is in a frame that this stack makes. */
export const payloadAt: number = ipAt + ipHeader

/** Flags of the fragment field. */
export const dontFragment = 0x4000
export const moreFragments = 0x2000

/** An IPv4 packet that came in, or one that is to leave. */
export interface Packet {
  readonly frame: Uint8Array
  /** The offset of the payload in the frame, and of its end. */
  readonly at: number
  readonly end: number
  readonly source: Ipv4
  readonly destination: Ipv4
  readonly protocol: number
  readonly ttl: number
  readonly tos: number
  /** Flags, and the offset in units of 8 bytes. */
  readonly fragment: number
  readonly id: number
  /** Where it came in; undefined where it was made here. */
  readonly device: NetDevice | undefined
  /** Whether the frame was sent to a group of stations. */
  readonly group: boolean
}

/** Reads the packet in a frame; undefined where header, lengths or checksum are wrong. Options are skipped. */
export function readPacket(frame: Uint8Array, device: NetDevice | undefined): Packet | undefined {
  if (frame.length < payloadAt || frame[ipAt] >> 4 !== 4) return undefined
  const headerBytes = (frame[ipAt] & 15) * 4
  const total = get16(frame, ipAt + 2)
  if (headerBytes < ipHeader || total < headerBytes || frame.length < ipAt + total) return undefined
  if (checksum(frame, ipAt, ipAt + headerBytes) !== 0) return undefined
  return {
    frame,
    at: ipAt + headerBytes,
    end: ipAt + total,
    source: get32(frame, ipAt + 12),
    destination: get32(frame, ipAt + 16),
    protocol: frame[ipAt + 9],
    ttl: frame[ipAt + 8],
    tos: frame[ipAt + 1],
    fragment: get16(frame, ipAt + 6),
    id: get16(frame, ipAt + 4),
    device,
    group: isGroupMac(getMac(frame, 0)),
  }
}

/** What a header says. */
export interface HeaderFields {
  readonly source: Ipv4
  readonly destination: Ipv4
  readonly protocol: number
  readonly ttl: number
  readonly tos: number
  readonly fragment: number
  readonly id: number
}

/** Writes a header without options; the packet reaches to the end of the frame. */
export function writeHeader(frame: Uint8Array, fields: HeaderFields): void {
  set16(frame, ipAt - 2, EtherType.ipv4)
  frame[ipAt] = 0x45
  frame[ipAt + 1] = fields.tos
  set16(frame, ipAt + 2, frame.length - ipAt)
  set16(frame, ipAt + 4, fields.id)
  set16(frame, ipAt + 6, fields.fragment)
  frame[ipAt + 8] = fields.ttl
  frame[ipAt + 9] = fields.protocol
  set16(frame, ipAt + 10, 0)
  set32(frame, ipAt + 12, fields.source)
  set32(frame, ipAt + 16, fields.destination)
  setHeaderChecksum(frame)
}

/** Computes the checksum of the header anew. */
export function setHeaderChecksum(frame: Uint8Array): void {
  set16(frame, ipAt + 10, 0)
  set16(frame, ipAt + 10, checksum(frame, ipAt, ipAt + (frame[ipAt] & 15) * 4))
}

/** Cuts a packet into fragments of at most `mtu` bytes (RFC 791, section 2.3). Options are not repeated. */
export function* fragmentsOf(packet: Packet, mtu: number): Generator<Uint8Array> {
  const step = (mtu - ipHeader) & ~7
  const offset = packet.fragment & 0x1fff
  for (let at = packet.at; at < packet.end; at += step) {
    const end = Math.min(packet.end, at + step)
    const frame = new Uint8Array(payloadAt + end - at)
    frame.set(packet.frame.subarray(at, end), payloadAt)
    const more = end < packet.end ? moreFragments : packet.fragment & moreFragments
    writeHeader(frame, { ...packet, fragment: more | (offset + (at - packet.at) / 8) })
    yield frame
  }
}
