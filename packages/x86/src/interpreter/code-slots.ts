/** Which entries of the code TLB are for a physical page: to look through all of them took 2 µs for each page that is written. */
import { CODE_TLB_ENTRIES } from './layout.ts'

const NONE = -1
const MASK = CODE_TLB_ENTRIES - 1

/** Entries by the low bits of the page number that they were filled with last, in lists. */
export class CodeSlots {
  readonly #first = new Int16Array(CODE_TLB_ENTRIES).fill(NONE)
  readonly #next = new Int16Array(CODE_TLB_ENTRIES).fill(NONE)
  /** The list that an entry is in. */
  readonly #list = new Int16Array(CODE_TLB_ENTRIES).fill(NONE)

  /** The entry is filled for physical page `pfn`. */
  fill(slot: number, pfn: number): void {
    const list = pfn & MASK
    if (this.#list[slot] === list) return
    this.#remove(slot)
    this.#list[slot] = list
    this.#next[slot] = this.#first[list]!
    this.#first[list] = slot
  }
  #remove(slot: number): void {
    const list = this.#list[slot]!
    if (list === NONE) return
    let before = NONE
    for (let at = this.#first[list]!; at !== slot; at = this.#next[at]!) before = at
    if (before === NONE) this.#first[list] = this.#next[slot]!
    else this.#next[before] = this.#next[slot]!
  }

  /** The first entry that may be for page `pfn`, and the one behind another; −1: there is none. */
  first(pfn: number): number {
    return this.#first[pfn & MASK]!
  }
  next(slot: number): number {
    return this.#next[slot]!
  }
}
