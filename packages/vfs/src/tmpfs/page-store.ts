/**
 * Where tmpfs keeps file data: pages of 4 KiB in slabs, by number. A page costs a number in its file and no object, and
 * taking one is no allocation, which for an `ArrayBuffer` of 4 KiB is about a microsecond. A slab without pages in use is
 * given back to the host.
 */

/** Bytes of a page. */
export const PAGE = 4096

/** Pages of the largest slab; the first ones are smaller, for file systems with a few small files. */
const slabPages = 256

interface Slab {
  readonly bytes: Uint8Array
  /** Pages that are free, as a stack; those from `fresh` on have never been taken, and are zero. */
  readonly free: number[]
  fresh: number
  used: number
  /** Whether it is in the list of slabs with free pages. */
  listed: boolean
}

/** Pages by number; numbers begin at 1. */
export class PageStore {
  readonly #slabs: (Slab | undefined)[] = []
  /** Indexes of slabs with free pages. */
  readonly #open: number[] = []
  readonly #unusedIndexes: number[] = []
  #nextPages = 16

  /** A page, full of zeros if `zeroed`, otherwise of anything. */
  take(zeroed: boolean): number {
    const index = this.#open.at(-1) ?? this.#grow()
    const slab = this.#slabs[index]!
    slab.used++
    let page = slab.free.pop()
    if (page === undefined) page = slab.fresh++
    else if (zeroed) slab.bytes.fill(0, page * PAGE, page * PAGE + PAGE)
    if (slab.free.length === 0 && slab.fresh * PAGE === slab.bytes.length) {
      slab.listed = false
      this.#open.pop()
    }
    return index * slabPages + page + 1
  }

  /** Gives a page back. */
  give(number: number): void {
    const index = Math.floor((number - 1) / slabPages)
    const slab = this.#slabs[index]!
    slab.free.push((number - 1) % slabPages)
    if (--slab.used === 0 && this.#open.length > 1) {
      this.#slabs[index] = undefined
      this.#unusedIndexes.push(index)
      if (slab.listed) this.#open.splice(this.#open.indexOf(index), 1)
    } else if (!slab.listed) {
      slab.listed = true
      this.#open.push(index)
    }
  }

  /** The bytes of the slab that a page is in; the page's begin at `offset`. */
  bytes(number: number): Uint8Array {
    return this.#slabs[Math.floor((number - 1) / slabPages)]!.bytes
  }

  /** Where in its slab a page begins. */
  offset(number: number): number {
    return ((number - 1) % slabPages) * PAGE
  }

  #grow(): number {
    const index = this.#unusedIndexes.pop() ?? this.#slabs.length
    this.#slabs[index] = { bytes: new Uint8Array(this.#nextPages * PAGE), free: [], fresh: 0, used: 0, listed: true }
    this.#nextPages = Math.min(2 * this.#nextPages, slabPages)
    this.#open.push(index)
    return index
  }
}
