/**
 * Stretches of translated code, kept when their page is written: code that is written again is often what it was, in all
 * but a few bytes, and records found to be of the bytes that are there need no translating. (A page of 4,096 one-byte
 * instructions takes 0.8 ms to translate and 25 µs to find unchanged.)
 */
import type { Entries } from './entries.ts'
import { Patience } from './patience.ts'

/** What one translation has made. */
export interface Piece {
  readonly mode: number
  /** Offsets in the page of its first byte and behind its last. */
  readonly start: number
  readonly end: number
  /**
   * The first of its records, of instructions and of what leads on, which stand one behind the other, and the end of the
   * last: host addresses.
   */
  readonly first: number
  readonly last: number
  /** The bytes it was made from; undefined while nothing has written to them. */
  bytes: Copy | undefined
}

/** Bytes of a page from an offset on, as they were: one copy for all the pieces that were put to sleep together. */
export interface Copy {
  readonly start: number
  readonly bytes: Uint8Array
}

/** What has been translated of a physical page. */
export interface CodePage {
  /** A number that no page has twice: another one each time that the page is written. */
  version: number
  /** By mode: records of instructions by instruction pointer. */
  readonly entries: (Entries | undefined)[]
  /** By mode: heads, which count executions and lead to translations, by instruction pointer. They outlive the code. */
  readonly heads: (Entries | undefined)[]
  /** Where functions begin, as calls say: instruction pointers. */
  readonly functions: Set<number>
  pieces: Piece[]
  /** Some of the pieces sleep. */
  asleep: boolean
  /** How it bears being translated. */
  readonly patience: Patience
  /** Records of instructions in two pages, which are not kept, and of what leads on from them. */
  readonly others: number[]
  /** In whose entries those records are, and at which instruction pointer. */
  readonly straddling: { readonly entries: Entries; readonly ip: number }[]
}

/** Pieces of a page that are kept at the most. */
const MOST = 256
const PAGE = 0x1000

/** A page of which nothing is translated. */
export function emptyPage(version: number): CodePage {
  return {
    version,
    entries: [],
    heads: [],
    functions: new Set(),
    pieces: [],
    asleep: false,
    patience: new Patience(),
    others: [],
    straddling: [],
  }
}

/** A new piece, in the place of those that sleep and begin or end among its bytes. */
export function addPiece(page: CodePage, piece: Piece): void {
  const { mode, start, end } = piece
  if (page.asleep || page.pieces.length >= MOST) {
    page.pieces = page.pieces.filter(
      (other) => other.bytes === undefined || (other.mode === mode && (other.end <= start || other.start >= end)),
    )
  }
  page.pieces.push(piece)
}

/** Copies what the pieces of a page at host address `host` are made from that nothing has written to yet; undefined: none are. */
export function copyOf(pieces: readonly Piece[], u8: Uint8Array, host: number): Copy | undefined {
  let start = PAGE
  let end = 0
  for (const piece of pieces) {
    if (piece.bytes !== undefined) continue
    start = Math.min(start, piece.start)
    end = Math.max(end, piece.end)
  }
  return start < end ? { start, bytes: u8.slice(host + start, host + end) } : undefined
}

/** Is the piece made from what is in the page at host address `host` now? */
export function isUnchanged({ bytes: copy, start, end }: Piece, u8: Uint8Array, host: number): boolean {
  if (copy === undefined) return true
  const { bytes } = copy
  for (let n = start; n < end; n++) if (u8[host + n] !== bytes[n - copy.start]) return false
  return true
}
