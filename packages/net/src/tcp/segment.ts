/** The TCP header (RFC 9293, section 3.1) and the options that are used: maximum segment size, window scale (RFC 7323). */
import { get16, get32, set16, set32 } from '../bytes.ts'
import { checksum, pseudoHeader } from '../checksum.ts'
import { type Packet, Protocol, payloadAt } from '../ip/packet.ts'

export const Flag = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16, urg: 32 } as const

/** Bytes of a header without options. */
export const tcpHeader = 20

/** A segment that came in. */
export interface Segment {
  readonly packet: Packet
  readonly sourcePort: number
  readonly destinationPort: number
  readonly seq: number
  readonly ack: number
  readonly flags: number
  /** As it stands in the header, not scaled. */
  readonly window: number
  readonly urgent: number
  /** Where the data is in the frame. */
  readonly dataAt: number
  readonly dataEnd: number
}

/** Reads the segment in a packet; undefined where it is cut off or its checksum is wrong. */
export function readSegment(packet: Packet): Segment | undefined {
  const { frame, at, end } = packet
  const length = end - at
  if (length < tcpHeader) return undefined
  const headerBytes = (frame[at + 12] >> 4) * 4
  if (headerBytes < tcpHeader || headerBytes > length) return undefined
  if (checksum(frame, at, end, pseudoHeader(packet.source, packet.destination, Protocol.tcp, length)) !== 0) {
    return undefined
  }
  return {
    packet,
    sourcePort: get16(frame, at),
    destinationPort: get16(frame, at + 2),
    seq: get32(frame, at + 4),
    ack: get32(frame, at + 8),
    flags: frame[at + 13] & 0x3f,
    window: get16(frame, at + 14),
    urgent: get16(frame, at + 18),
    dataAt: at + headerBytes,
    dataEnd: end,
  }
}

/** What the options of a SYN say. */
export interface SynOptions {
  /** 536 unless stated (RFC 9293, section 3.7.1). */
  readonly mss: number
  /** Undefined where windows are not scaled. */
  readonly windowScale: number | undefined
}

/** Reads the options of a SYN; what is cut off or unknown is skipped. */
export function readSynOptions({ packet, dataAt }: Segment): SynOptions {
  const { frame } = packet
  let mss = 536
  let windowScale: number | undefined
  for (let at = packet.at + tcpHeader; at < dataAt; ) {
    const kind = frame[at]
    if (kind === 0) break
    if (kind === 1) {
      at++
      continue
    }
    const size = at + 1 < dataAt ? frame[at + 1] : 0
    if (size < 2 || at + size > dataAt) break
    if (kind === 2 && size === 4) mss = Math.max(64, get16(frame, at + 2))
    if (kind === 3 && size === 3) windowScale = Math.min(14, frame[at + 2])
    at += size
  }
  return { mss, windowScale }
}

/** What a segment to be sent says. */
export interface SegmentFields {
  readonly sourcePort: number
  readonly destinationPort: number
  readonly seq: number
  readonly ack: number
  readonly flags: number
  readonly window: number
  readonly urgent?: number
}

/** A frame for a segment with so many bytes of options and data; both are to be filled in before {@link sealSegment}. */
export function newSegment(fields: SegmentFields, optionBytes: number, dataBytes: number): Uint8Array {
  const frame = new Uint8Array(payloadAt + tcpHeader + optionBytes + dataBytes)
  set16(frame, payloadAt, fields.sourcePort)
  set16(frame, payloadAt + 2, fields.destinationPort)
  set32(frame, payloadAt + 4, fields.seq)
  set32(frame, payloadAt + 8, fields.ack)
  frame[payloadAt + 12] = ((tcpHeader + optionBytes) >> 2) << 4
  frame[payloadAt + 13] = fields.flags
  set16(frame, payloadAt + 14, fields.window)
  set16(frame, payloadAt + 18, fields.urgent ?? 0)
  return frame
}

/** Where options are in a frame made here, or data where there are none. */
export const optionsAt: number = payloadAt + tcpHeader

/** Writes the options of a SYN. */
export function setSynOptions(frame: Uint8Array, { mss, windowScale }: SynOptions): void {
  frame[optionsAt] = 2
  frame[optionsAt + 1] = 4
  set16(frame, optionsAt + 2, mss)
  if (windowScale === undefined) return
  frame[optionsAt + 4] = 1
  frame[optionsAt + 5] = 3
  frame[optionsAt + 6] = 3
  frame[optionsAt + 7] = windowScale
}

/** Writes the checksum. */
export function sealSegment(frame: Uint8Array, source: number, destination: number): void {
  const initial = pseudoHeader(source, destination, Protocol.tcp, frame.length - payloadAt)
  set16(frame, payloadAt + 16, checksum(frame, payloadAt, frame.length, initial))
}

/** Sequence numbers: how far `a` is after `b`, negative where it is before (RFC 9293, section 3.4). */
export function distance(a: number, b: number): number {
  return (a - b) | 0
}

/** A sequence number so many bytes on. */
export function advance(seq: number, bytes: number): number {
  return (seq + bytes) >>> 0
}
