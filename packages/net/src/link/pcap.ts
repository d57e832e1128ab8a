/**
 * Captures that tcpdump and Wireshark read: pcap (draft-ietf-opsawg-pcap) with times in nanoseconds, and pcapng
 * (draft-ietf-opsawg-pcapng) with names of interfaces and directions. A writer makes bytes; where they go is the
 * caller's.
 */

/** A frame that passed somewhere. */
export interface CapturedFrame {
  readonly bytes: Uint8Array
  /** Nanoseconds since the epoch of the capture. */
  readonly time: number
  /** Which interface of a pcapng capture, by its number; 0 unless stated. */
  readonly from?: number
  readonly direction?: 'in' | 'out'
}

/** How much a writer keeps. */
export interface CaptureOptions {
  /** Bytes kept of each frame; 262144 unless stated, as tcpdump's. */
  readonly snapLength?: number
}

const ethernet = 1

/** The header of a pcap file. */
export function pcapHeader({ snapLength = 262144 }: CaptureOptions = {}): Uint8Array {
  const bytes = new Uint8Array(24)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, 0xa1b23c4d, true)
  view.setUint16(4, 2, true)
  view.setUint16(6, 4, true)
  view.setUint32(16, snapLength, true)
  view.setUint32(20, ethernet, true)
  return bytes
}

/** A frame in a pcap file. */
export function pcapRecord(frame: CapturedFrame, { snapLength = 262144 }: CaptureOptions = {}): Uint8Array {
  const kept = Math.min(frame.bytes.length, snapLength)
  const bytes = new Uint8Array(16 + kept)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, Math.floor(frame.time / 1e9), true)
  view.setUint32(4, Math.floor(frame.time % 1e9), true)
  view.setUint32(8, kept, true)
  view.setUint32(12, frame.bytes.length, true)
  bytes.set(frame.bytes.subarray(0, kept), 16)
  return bytes
}

/** The header of a pcapng file, with the interfaces that frames may come from. */
export function pcapngHeader(names: readonly string[], { snapLength = 262144 }: CaptureOptions = {}): Uint8Array {
  const section = block(0x0a0d0d0a, 16, (view) => {
    view.setUint32(0, 0x1a2b3c4d, true)
    view.setUint16(4, 1, true)
    view.setBigInt64(8, -1n, true)
  })
  const interfaces = names.map((name) => {
    const text = new TextEncoder().encode(name)
    const padded = padding(text.length)
    return block(1, 8 + 4 + padded + 8 + 4, (view, bytes) => {
      view.setUint16(0, ethernet, true)
      view.setUint32(4, snapLength, true)
      view.setUint16(8, 2, true) // if_name
      view.setUint16(10, text.length, true)
      bytes.set(text, 12)
      view.setUint16(12 + padded, 9, true) // if_tsresol: 10^-9 s
      view.setUint16(14 + padded, 1, true)
      view.setUint8(16 + padded, 9)
    })
  })
  return joined([section, ...interfaces])
}

/** A frame in a pcapng file: an enhanced packet block. */
export function pcapngRecord(frame: CapturedFrame, { snapLength = 262144 }: CaptureOptions = {}): Uint8Array {
  const kept = Math.min(frame.bytes.length, snapLength)
  const padded = padding(kept)
  const flags = frame.direction === undefined ? 0 : 12
  return block(6, 20 + padded + flags, (view, bytes) => {
    view.setUint32(0, frame.from ?? 0, true)
    view.setUint32(4, Math.floor(frame.time / 0x1_0000_0000), true)
    view.setUint32(8, frame.time % 0x1_0000_0000, true)
    view.setUint32(12, kept, true)
    view.setUint32(16, frame.bytes.length, true)
    bytes.set(frame.bytes.subarray(0, kept), 20)
    if (flags === 0) return
    view.setUint16(20 + padded, 2, true) // epb_flags
    view.setUint16(22 + padded, 4, true)
    view.setUint32(24 + padded, frame.direction === 'in' ? 1 : 2, true)
  })
}

function block(type: number, size: number, fill: (view: DataView, bytes: Uint8Array) => void): Uint8Array {
  const bytes = new Uint8Array(12 + size)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, type, true)
  view.setUint32(4, bytes.length, true)
  view.setUint32(8 + size, bytes.length, true)
  fill(new DataView(bytes.buffer, 8, size), bytes.subarray(8, 8 + size))
  return bytes
}

function padding(length: number): number {
  return (length + 3) & ~3
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((total, part) => total + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
