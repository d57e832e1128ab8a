/**
 * Messages of netlink(7): headers and attributes in the byte order of the host, which is little-endian on x86. Reading
 * is strict about lengths, since programs write them.
 */

/** Bytes of the header of a message. */
const headerBytes = 16

/** Types that all protocols have (`linux/netlink.h`). */
export const NetlinkType = { noop: 1, error: 2, done: 3 } as const

/** Flags of requests and of replies. */
export const NetlinkFlag = {
  request: 0x1,
  multi: 0x2,
  ack: 0x4,
  dump: 0x300,
  replace: 0x100,
  exclusive: 0x200,
  create: 0x400,
} as const

/** A message: its payload is a view. */
export interface NetlinkMessage {
  readonly type: number
  readonly flags: number
  readonly sequence: number
  readonly payload: Uint8Array
  /** The message with its header, as it came. */
  readonly bytes: Uint8Array
}

/** The messages of a datagram; reading ends at the first one that is cut off. */
export function readMessages(bytes: Uint8Array): NetlinkMessage[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const messages: NetlinkMessage[] = []
  for (let at = 0; at + headerBytes <= bytes.length; ) {
    const size = view.getUint32(at, true)
    if (size < headerBytes || at + size > bytes.length) break
    messages.push({
      type: view.getUint16(at + 4, true),
      flags: view.getUint16(at + 6, true),
      sequence: view.getUint32(at + 8, true),
      payload: bytes.subarray(at + headerBytes, at + size),
      bytes: bytes.subarray(at, at + size),
    })
    at += aligned(size)
  }
  return messages
}

/** The attributes behind the fixed part of a payload, by type; undefined where a length is wrong. */
export function readAttributes(bytes: Uint8Array): Map<number, Uint8Array> | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const attributes = new Map<number, Uint8Array>()
  for (let at = 0; at + 4 <= bytes.length; ) {
    const size = view.getUint16(at, true)
    if (size < 4 || at + size > bytes.length) return undefined
    // The upper bits say "nested" and "network byte order".
    attributes.set(view.getUint16(at + 2, true) & 0x3fff, bytes.subarray(at + 4, at + size))
    at += aligned(size)
  }
  return attributes
}

/** The number in an attribute of up to 4 bytes, undefined where there is none or it has another size. */
export function numberIn(attribute: Uint8Array | undefined, size = 4): number | undefined {
  if (attribute === undefined || attribute.length < size) return undefined
  let value = 0
  for (let index = size - 1; index >= 0; index--) value = value * 256 + attribute[index]
  return value
}

/** The text in an attribute, up to its closing zero: a byte a character, since names of devices are any bytes. */
export function textIn(attribute: Uint8Array | undefined): string | undefined {
  if (attribute === undefined) return undefined
  const end = attribute.indexOf(0)
  return Array.from(end < 0 ? attribute : attribute.subarray(0, end), (byte) => String.fromCharCode(byte)).join('')
}

/** Builds a message, or a part of one. */
export class NetlinkWriter {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(256)
  #view = new DataView(this.#bytes.buffer)
  #size = 0

  get size(): number {
    return this.#size
  }

  u8(value: number): this {
    this.#room(1)
    this.#bytes[this.#size++] = value
    return this
  }

  u16(value: number): this {
    this.#room(2)
    this.#view.setUint16(this.#size, value, true)
    this.#size += 2
    return this
  }

  u32(value: number): this {
    this.#room(4)
    this.#view.setUint32(this.#size, value, true)
    this.#size += 4
    return this
  }

  bytes(value: Uint8Array): this {
    this.#room(value.length)
    this.#bytes.set(value, this.#size)
    this.#size += value.length
    return this
  }

  /** An attribute: a number of 4 bytes, a text of a byte a character with its closing zero, or bytes. */
  attribute(type: number, value: number | string | Uint8Array): this {
    if (typeof value === 'number') return this.nested(type, (writer) => writer.u32(value))
    const bytes = typeof value === 'string' ? Uint8Array.from(`${value}\0`, (byte) => byte.charCodeAt(0)) : value
    return this.nested(type, (writer) => writer.bytes(bytes))
  }

  /** An attribute whose contents are written by `fill`. */
  nested(type: number, fill: (writer: NetlinkWriter) => void): this {
    const start = this.#size
    this.u16(0).u16(type)
    fill(this)
    this.#view.setUint16(start, this.#size - start, true)
    while (this.#size % 4 !== 0) this.u8(0)
    return this
  }

  /** What has been written, as the payload of a message. */
  message(type: number, flags: number, sequence: number, port: number): Uint8Array {
    const message = new Uint8Array(aligned(headerBytes + this.#size))
    const view = new DataView(message.buffer)
    view.setUint32(0, headerBytes + this.#size, true)
    view.setUint16(4, type, true)
    view.setUint16(6, flags, true)
    view.setUint32(8, sequence, true)
    view.setUint32(12, port, true)
    message.set(this.finish(), headerBytes)
    return message
  }

  /** What has been written. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#size)
  }

  #room(size: number): void {
    if (this.#size + size <= this.#bytes.length) return
    const bytes = new Uint8Array(Math.max(this.#bytes.length * 2, this.#size + size))
    bytes.set(this.#bytes)
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer)
  }
}

function aligned(size: number): number {
  return (size + 3) & ~3
}
