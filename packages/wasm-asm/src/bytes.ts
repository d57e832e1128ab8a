/**
 * A growable byte buffer with the encodings of the WebAssembly binary format (core specification, section 5.2).
 * Values are taken as they are: range checks belong to the callers, which can name what is out of range.
 */
export class ByteWriter {
  /** The storage; only the first `length` bytes are written. */
  bytes: Uint8Array
  length = 0

  constructor(capacity = 64) {
    this.bytes = new Uint8Array(capacity)
  }

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    if (this.length + count > this.bytes.length) this.grow(count)
  }

  u8(value: number): void {
    if (this.length === this.bytes.length) this.grow(1)
    this.bytes[this.length++] = value
  }

  /** Unsigned LEB128 of 0 … 2^32 - 1. */
  u32(value: number): void {
    if (this.length + 5 > this.bytes.length) this.grow(5)
    const bytes = this.bytes
    let at = this.length
    let rest = value
    while (rest >>> 0 > 0x7f) {
      bytes[at++] = rest | 0x80
      rest >>>= 7
    }
    bytes[at++] = rest
    this.length = at
  }

  /** Signed LEB128 of an int32. */
  s32(value: number): void {
    if (this.length + 5 > this.bytes.length) this.grow(5)
    const bytes = this.bytes
    let at = this.length
    let rest = value
    while (rest < -64 || rest > 63) {
      bytes[at++] = rest | 0x80
      rest >>= 7
    }
    bytes[at++] = rest & 0x7f
    this.length = at
  }

  /** Signed LEB128 of the int64 whose halves are the int32s `low` and `high`. */
  s64(low: number, high: number): void {
    if (this.length + 10 > this.bytes.length) this.grow(10)
    const bytes = this.bytes
    let at = this.length
    while (high !== low >> 31 || low < -64 || low > 63) {
      bytes[at++] = low | 0x80
      low = (low >>> 7) | (high << 25)
      high >>= 7
    }
    bytes[at++] = low & 0x7f
    this.length = at
  }

  /** Four bytes, little-endian. */
  fixed32(value: number): void {
    if (this.length + 4 > this.bytes.length) this.grow(4)
    const bytes = this.bytes
    const at = this.length
    bytes[at] = value
    bytes[at + 1] = value >>> 8
    bytes[at + 2] = value >>> 16
    bytes[at + 3] = value >>> 24
    this.length = at + 4
  }

  /** Raw bytes, without a count. */
  raw(source: Uint8Array): void {
    if (this.length + source.length > this.bytes.length) this.grow(source.length)
    this.bytes.set(source, this.length)
    this.length += source.length
  }

  /** What `other` holds. */
  append(other: ByteWriter): void {
    this.raw(other.bytes.subarray(0, other.length))
  }

  /** A name: byte count, then UTF-8. A lone surrogate becomes U+FFFD, since names must be valid UTF-8. */
  name(text: string): void {
    const start = this.beginSized()
    this.reserve(text.length * 3)
    for (let i = 0; i < text.length; i++) {
      const code = text.codePointAt(i) as number
      if (code < 0x80) this.u8(code)
      else if (code < 0x800) this.multibyte(0xc0 | (code >> 6), code, 1)
      else if (code >= 0x10000) {
        this.multibyte(0xf0 | (code >> 18), code, 3)
        i++
      } else {
        const scalar = code >= 0xd800 && code <= 0xdfff ? 0xfffd : code
        this.multibyte(0xe0 | (scalar >> 12), scalar, 2)
      }
    }
    this.endSized(start)
  }

  /** Leaves room for a size that `endSized` fills in. */
  beginSized(): number {
    this.reserve(5)
    const start = this.length
    this.length += 5
    return start
  }

  /** Writes the size of all since `beginSized` in front of it, and closes the gap that a short size leaves. */
  endSized(start: number): void {
    const end = this.length
    const content = start + 5
    this.length = start
    this.u32(end - content)
    this.bytes.copyWithin(this.length, content, end)
    this.length += end - content
  }

  /** A copy of what was written. */
  toBytes(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.bytes.subarray(0, this.length))
  }

  private multibyte(lead: number, code: number, continuation: number): void {
    this.u8(lead)
    for (let shift = 6 * (continuation - 1); shift >= 0; shift -= 6) this.u8(0x80 | ((code >> shift) & 0x3f))
  }

  protected grow(count: number): void {
    const larger = new Uint8Array(Math.max(this.bytes.length * 4, this.length + count))
    larger.set(this.bytes.subarray(0, this.length))
    this.bytes = larger
  }
}
