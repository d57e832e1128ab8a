/** Which chunks of a file that is being copied up lazily the upper layer has. */
import { type ByteString, type Inode, isDirectory } from '@vmexit/vfs'

const headerBytes = 16

/** Which chunks of a file the upper layer has. */
export class Chunks {
  readonly bytes: number
  /** Where the lower data end that are still of any account. */
  limit: number
  readonly #have: Uint8Array

  private constructor(bytes: number, limit: number, have: Uint8Array) {
    this.bytes = bytes
    this.limit = limit
    this.#have = have
  }

  /** None of a file's. */
  static none(bytes: number, limit: number): Chunks {
    return new Chunks(bytes, limit, new Uint8Array(Math.ceil(Math.ceil(limit / bytes) / 8)))
  }

  /** From the value of the attribute: two doubles, little-endian, and a bit for each chunk. */
  static from(value: Uint8Array): Chunks | null {
    if (value.length < headerBytes) return null
    const view = new DataView(value.buffer, value.byteOffset, value.length)
    const [bytes, limit] = [view.getFloat64(0, true), view.getFloat64(8, true)]
    if (!(bytes >= 1) || !(limit >= 0) || value.length < headerBytes + Math.ceil(limit / bytes) / 8) return null
    return new Chunks(bytes, limit, value.slice(headerBytes))
  }

  /** The value of the attribute. */
  get value(): Uint8Array {
    const value = new Uint8Array(headerBytes + this.#have.length)
    const view = new DataView(value.buffer)
    view.setFloat64(0, this.bytes, true)
    view.setFloat64(8, this.limit, true)
    value.set(this.#have, headerBytes)
    return value
  }

  get count(): number {
    return Math.ceil(this.limit / this.bytes)
  }

  has(chunk: number): boolean {
    return chunk >= this.count || (this.#have[chunk >>> 3]! & (1 << (chunk & 7))) !== 0
  }

  set(chunk: number, there: boolean): void {
    const bit = 1 << (chunk & 7)
    this.#have[chunk >>> 3] = (this.#have[chunk >>> 3]! & ~bit) | (there ? bit : 0)
  }

  get complete(): boolean {
    for (let chunk = 0; chunk < this.count; chunk++) if (!this.has(chunk)) return false
    return true
  }

  /** Whether what a position has is to be found below. */
  isBelow(position: number): boolean {
    return position < this.limit && !this.has(Math.floor(position / this.bytes))
  }

  /** The end of the run from `position` on that is in one place. */
  runEnd(position: number): number {
    const below = this.isBelow(position)
    let chunk = Math.floor(position / this.bytes)
    while (chunk < this.count && this.has(chunk) !== below) chunk++
    if (below) return Math.min(chunk * this.bytes, this.limit)
    return chunk < this.count && position < this.limit ? chunk * this.bytes : Number.POSITIVE_INFINITY
  }
}

/** The chunks of an upper file as its attribute says, if it has one. */
export function chunksOf(upper: Inode, mark: ByteString): Chunks | null {
  if (isDirectory(upper.mode)) return null
  const value = upper.fs.getxattr(upper, mark)
  return typeof value === 'number' ? null : Chunks.from(value)
}
