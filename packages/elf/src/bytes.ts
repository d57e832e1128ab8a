/** Bounds-checked numbers of a file, in its byte order. */
import { hex, VmexitError } from '@vmexit/core'

/** Codes of what this package throws. */
export type ElfErrorCode =
  /** No ELF file at all. */
  | 'elf-not-elf'
  /** A class, byte order or version that there is not. */
  | 'elf-format'
  /** Something reaches beyond the end of the file. */
  | 'elf-truncated'
  /** A header contradicts itself: counts, sizes, alignments. */
  | 'elf-header'
  /** Segments that cannot be loaded as they are. */
  | 'elf-segment'
  /** A symbol, note, name or dynamic entry that is not well formed. */
  | 'elf-content'

/** @throws VmexitError always. */
export function refuse(code: ElfErrorCode, problem: string, remedy: string): never {
  throw new VmexitError(code, { problem, remedy })
}

/** What most damage comes from. */
export const GET_AGAIN = 'get the file again; it is truncated or damaged'

/** A file's numbers. `wide` is ELFCLASS64: addresses and offsets have 8 bytes instead of 4. */
export class ElfBytes {
  readonly bytes: Uint8Array
  readonly wide: boolean
  readonly littleEndian: boolean
  readonly #view: DataView

  constructor(bytes: Uint8Array, wide: boolean, littleEndian: boolean) {
    this.bytes = bytes
    this.wide = wide
    this.littleEndian = littleEndian
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  u8(at: number): number {
    return this.#view.getUint8(at)
  }
  u16(at: number): number {
    return this.#view.getUint16(at, this.littleEndian)
  }
  u32(at: number): number {
    return this.#view.getUint32(at, this.littleEndian)
  }
  u64(at: number): bigint {
    return this.#view.getBigUint64(at, this.littleEndian)
  }
  /** A word of the file's class, unsigned. */
  word(at: number): bigint {
    return this.wide ? this.u64(at) : BigInt(this.u32(at))
  }
  /** A word of the file's class, signed. */
  signedWord(at: number): bigint {
    return this.wide
      ? this.#view.getBigInt64(at, this.littleEndian)
      : BigInt(this.#view.getInt32(at, this.littleEndian))
  }

  /**
   * An offset, size or count: a word of the file's class as a number. `what` names it in errors.
   * @throws VmexitError `elf-header` beyond 2^53, which no file reaches.
   */
  amount(at: number, what: string): number {
    const value = this.word(at)
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
      refuse('elf-header', `${what} is ${value}, more than any file has`, GET_AGAIN)
    }
    return Number(value)
  }

  /** `size` bytes at `offset`, not copied; none of them are anywhere. @throws VmexitError `elf-truncated`. */
  slice(offset: number, size: number, what: string): Uint8Array {
    if (size === 0) return new Uint8Array(0)
    if (offset + size > this.bytes.length) {
      refuse(
        'elf-truncated',
        `${what} is ${size} bytes at ${hex(offset)}, but the file ends at ${hex(this.bytes.length)}`,
        GET_AGAIN,
      )
    }
    return this.bytes.subarray(offset, offset + size)
  }

  /** A part of the file as a file of its own. */
  within(bytes: Uint8Array): ElfBytes {
    return new ElfBytes(bytes, this.wide, this.littleEndian)
  }
}

/**
 * A string table. Strings may share their ends, so a hostile file names a large table's text again and again: once that
 * has made more text than eight tables, it is refused.
 */
export class StringTable {
  readonly #bytes: Uint8Array
  readonly #known = new Map<number, string>()
  #left: number

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#left = 8 * bytes.length + 0x1_0000
  }

  /** The text at `offset`, to its zero byte. @throws VmexitError `elf-content` beyond its end. */
  text(offset: number, what: string): string {
    const known = this.#known.get(offset)
    if (known !== undefined) return known
    const end = offset < this.#bytes.length ? this.#bytes.indexOf(0, offset) : -1
    if (end < 0) refuse('elf-content', `${what} is not in its string table of ${this.#bytes.length} bytes`, GET_AGAIN)
    this.#left -= end - offset
    if (this.#left < 0) refuse('elf-content', `the names in a table of ${this.#bytes.length} bytes overlap`, GET_AGAIN)
    const text = new TextDecoder().decode(this.#bytes.subarray(offset, end))
    this.#known.set(offset, text)
    return text
  }
}
