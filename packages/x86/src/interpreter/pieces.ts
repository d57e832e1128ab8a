/**
 * Stretches of translated code, kept when their page is written: code that is written again is often what it was, in all
 * but a few bytes, and records found to be of the bytes that are there need no translating. (A page of 4,096 one-byte
 * instructions takes 0.8 ms to translate and 25 µs to find unchanged.)
 */
import type { Entries } from './entries.ts'

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
  bytes: Uint8Array | undefined
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
  /** Records of instructions in two pages, which are not kept, and of what leads on from them. */
  readonly others: number[]
  /** In whose entries those records are, and at which instruction pointer. */
  readonly straddling: { readonly entries: Entries; readonly ip: number }[]
}

/** Pieces of a page that are kept at the most. */
const MOST = 256

/** A page of which nothing is translated. */
export function emptyPage(version: number): CodePage {
  return {
    version,
    entries: [],
    heads: [],
    functions: new Set(),
    pieces: [],
    asleep: false,
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

/** Is the piece made from what is in the page at host address `host` now? */
export function isUnchanged({ bytes, start }: Piece, u8: Uint8Array, host: number): boolean {
  if (bytes === undefined) return true
  const at = host + start
  for (let n = 0; n < bytes.length; n++) if (u8[at + n] !== bytes[n]) return false
  return true
}
