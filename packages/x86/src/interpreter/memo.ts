/**
 * Instructions decoded before, found by their bytes: a program says the same thing in many places, and code that is
 * rewritten says again what it said. (Decoding, choosing the handler and filling the record take 1.5 µs; finding them
 * here 0.1.)
 */
import type { HostViews } from '../state/state.ts'
import type { Mode } from './mode.ts'

/** How a run goes on behind an instruction: with the next one; with the next one, as a run of its own; not at all. */
export type RunEnd = 'open' | 'closed' | 'stop'

/** What a direct branch leads to: the beginning of a function, the head of a loop, or neither. */
export const Enters = { nothing: 0, loop: 1, function: 2 } as const
export type Enters = (typeof Enters)[keyof typeof Enters]

export const Fuses = { never: 0, withBase: 1, withoutBase: 2 } as const
export type Fuses = (typeof Fuses)[keyof typeof Fuses]

/** What translating has found out about an instruction, wherever it stands. */
export interface Known {
  /** In bytes. */
  readonly length: number
  readonly handler: number
  readonly end: RunEnd
  /** Of a direct branch: what is added to the next instruction's pointer, and whether 16 bits of the sum count. */
  readonly distance: number | undefined
  readonly narrow: boolean
  /** Of a direct branch: whether its target is a place to begin a translation at. */
  readonly enters: Enters
  /** Condition code of a Jcc, else −1. */
  readonly cc: number
  /** May share a handler with a Jcc behind it; forms with and without a base may have one handler, but not such a one. */
  readonly fuses: Fuses
  /** A record of it, whose fields for operands hold in every place. */
  readonly source: number
}

interface Entry {
  readonly low: number
  readonly high: number
  readonly mode: Mode
  readonly known: Known
}

const ENTRIES_LOG = 13
/** Instructions of more bytes are not kept. */
export const MEMO_BYTES = 8

export class Memo {
  readonly #host: HostViews
  readonly #entries: (Entry | undefined)[] = new Array(1 << ENTRIES_LOG).fill(undefined)
  /** By its first two bytes: how long the last instruction was that began with them. A guess, which the entry confirms. */
  readonly #lengths = new Uint8Array(1 << 16)

  constructor(host: HostViews) {
    this.#host = host
  }

  /** What is known of the instruction at a host address, of whose page at least {@link MEMO_BYTES} follow. */
  find(at: number, mode: Mode): Known | undefined {
    const { view } = this.#host
    const low = view.getInt32(at, true)
    const length = this.#lengths[low & 0xffff]!
    if (length === 0) return undefined
    const head = low & lowMask(length)
    const tail = view.getInt32(at + 4, true) & highMask(length)
    const entry = this.#entries[slotOf(head, tail)]
    if (entry?.low !== head || entry.high !== tail || entry.mode !== mode || entry.known.length !== length)
      return undefined
    return entry.known
  }

  keep(at: number, mode: Mode, known: Known): void {
    const { length } = known
    if (length > MEMO_BYTES) return
    const { view } = this.#host
    const low = view.getInt32(at, true)
    const head = low & lowMask(length)
    const tail = view.getInt32(at + 4, true) & highMask(length)
    this.#lengths[low & 0xffff] = length
    this.#entries[slotOf(head, tail)] = { low: head, high: tail, mode, known }
  }

  forget(): void {
    this.#entries.fill(undefined)
  }
}

function lowMask(length: number): number {
  return length >= 4 ? -1 : (1 << (length * 8)) - 1
}
function highMask(length: number): number {
  if (length <= 4) return 0
  return length >= 8 ? -1 : (1 << (length * 8 - 32)) - 1
}
function slotOf(low: number, high: number): number {
  return (Math.imul(low, 0x9e37_79b1) ^ Math.imul(high, 0x85eb_ca6b)) >>> (32 - ENTRIES_LOG)
}
