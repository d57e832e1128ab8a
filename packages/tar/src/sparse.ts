/** Sparse files: GNU tar's old format, and its pax formats 0.0, 0.1 and 1.0 (GNU tar manual, "Storing Sparse Files"). */
import { damaged, type TarExtent } from './entry.ts'
import { BLOCK } from './header.ts'
import { readNumber } from './numbers.ts'

/** Pieces in an old header, and in each block that goes on with it. */
const OLD_AT = 386
const OLD_PIECES = 4
const OLD_MORE_AT = 482
const OLD_SIZE_AT = 483
const CONTINUED_PIECES = 21
const CONTINUED_MORE_AT = 504
const PIECE_BYTES = 24
/** Pieces that an archive may ask for: a map is read into memory. */
const MOST_PIECES = 1 << 20

/** Takes a file's map block by block, and knows when it has it all. */
export interface SparseMap {
  readonly extents: TarExtent[]
  /** Whether a block of the map is still to come. */
  readonly more: boolean
  /** The next block. @throws TarError. */
  take(block: Uint8Array, position: number): void
}

/** The map in an old GNU header and behind it; `size` is that of the file. */
export class OldSparseMap implements SparseMap {
  readonly extents: TarExtent[] = []
  readonly size: number
  more: boolean

  constructor(header: Uint8Array, position: number) {
    this.size = readNumber(header, OLD_SIZE_AT, 12, position)
    this.#read(header, OLD_AT, OLD_PIECES, position)
    this.more = header[OLD_MORE_AT] !== 0
  }

  take(block: Uint8Array, position: number): void {
    this.#read(block, 0, CONTINUED_PIECES, position)
    this.more = block[CONTINUED_MORE_AT] !== 0
  }

  #read(block: Uint8Array, at: number, count: number, position: number): void {
    for (let n = 0; n < count; n++) {
      const from = at + n * PIECE_BYTES
      if (block[from] === 0) return
      add(this.extents, readNumber(block, from, 12, position), readNumber(block, from + 12, 12, position), position)
    }
  }
}

/** The map at the beginning of a file's data, in pax format 1.0: decimal numbers, each in a line of its own. */
export class LeadingSparseMap implements SparseMap {
  readonly extents: TarExtent[] = []
  more = true
  #count = -1
  #digits = ''
  #start = -1

  take(block: Uint8Array, position: number): void {
    for (let at = 0; at < BLOCK && this.more; at++) {
      const byte = block[at]!
      if (byte !== 0x0a) {
        if (byte < 0x30 || byte > 0x39 || this.#digits.length === 16)
          throw damaged('a sparse map is malformed', position + at)
        this.#digits += String.fromCharCode(byte)
        continue
      }
      if (this.#digits === '') throw damaged('a sparse map is malformed', position + at)
      this.#number(Number(this.#digits), position + at)
      this.#digits = ''
    }
  }

  #number(value: number, position: number): void {
    if (this.#count < 0) {
      if (value > MOST_PIECES) throw damaged('a sparse map is too long', position)
      this.#count = value
    } else if (this.#start < 0) this.#start = value
    else {
      add(this.extents, this.#start, value, position)
      this.#start = -1
    }
    this.more = this.extents.length < this.#count
  }
}

/** Numbers of pax formats 0.0 and 0.1: position and length by turns. @throws TarError. */
export function extentsOf(numbers: readonly number[], position: number): TarExtent[] {
  const extents: TarExtent[] = []
  if (numbers.length % 2 !== 0) throw damaged('a sparse map is malformed', position)
  for (let n = 0; n < numbers.length; n += 2) add(extents, numbers[n]!, numbers[n + 1]!, position)
  return extents
}

/** The map of format 1.0, filled up to whole blocks. GNU tar wants an empty piece where the file ends, and else cuts it short. */
export function writeLeadingMap(extents: readonly TarExtent[], size: number): Uint8Array<ArrayBuffer> {
  const pieces = [...extents, { position: size, length: 0 }]
  const lines = [pieces.length, ...pieces.flatMap(({ position, length }) => [position, length])]
  const text = `${lines.join('\n')}\n`
  const bytes = new Uint8Array(Math.ceil(text.length / BLOCK) * BLOCK)
  for (let n = 0; n < text.length; n++) bytes[n] = text.charCodeAt(n)
  return bytes
}

/** Pieces come in order and do not overlap. (An empty one at the end says how long the file is.) */
function add(extents: TarExtent[], start: number, length: number, position: number): void {
  const last = extents.at(-1)
  const end = last === undefined ? 0 : last.position + last.length
  if (start < end || length < 0 || !Number.isSafeInteger(start + length) || extents.length >= MOST_PIECES)
    throw damaged('a sparse map is out of order', position)
  extents.push({ position: start, length })
}
