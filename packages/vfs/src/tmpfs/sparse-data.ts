/** The data of one file: which page of the store holds which page of the file. Holes take nothing. */
import { PAGE, type PageStore } from './page-store.ts'

/** A page that has been asked for by fallocate and never written: it is charged, reads as zeros, and has no memory. */
export const RESERVED = -1

/** Pages of a leaf: a lonely page at an offset costs no more than a list of this many numbers. */
const leafPages = 64

/** A map from page numbers of the file to those of the store. 0 is a hole. */
export class SparseData {
  readonly #leaves = new Map<number, number[]>()
  /** Indexes of leaves in order, or `null` if they have changed since it was made. */
  #order: number[] | null = null
  /** Pages of the file that are no holes, reserved ones among them. */
  pages = 0

  /** The store's page, `RESERVED`, or 0 for a hole. */
  get(page: number): number {
    return this.#leaves.get(Math.floor(page / leafPages))?.[page % leafPages] ?? 0
  }

  /** Sets a page to one of the store, or `RESERVED`. */
  set(page: number, to: number): void {
    const index = Math.floor(page / leafPages)
    let leaf = this.#leaves.get(index)
    if (leaf === undefined) {
      this.#leaves.set(index, (leaf = []))
      this.#order = null
    }
    const at = page % leafPages
    while (leaf.length <= at) leaf.push(0)
    if (leaf[at] === 0) this.pages++
    leaf[at] = to
  }

  /** Makes a hole of the pages from `first` to before `end`. Answers how many were none. */
  remove(first: number, end: number, store: PageStore): number {
    const before = this.pages
    const [firstLeaf, lastLeaf] = [Math.floor(first / leafPages), Math.floor((end - 1) / leafPages)]
    const few = lastLeaf - firstLeaf < this.#leaves.size
    for (const index of few ? indexes(firstLeaf, lastLeaf) : [...this.#leaves.keys()]) {
      const leaf = this.#leaves.get(index)
      if (leaf === undefined || index < firstLeaf || index > lastLeaf) continue
      const base = index * leafPages
      const [from, to] = [Math.max(first - base, 0), Math.min(end - base, leaf.length)]
      for (let at = from; at < to; at++) {
        if (leaf[at] === 0) continue
        if (leaf[at] !== RESERVED) store.give(leaf[at]!)
        leaf[at] = 0
        this.pages--
      }
      while (leaf.length > 0 && leaf.at(-1) === 0) leaf.pop()
      if (leaf.length > 0) continue
      this.#leaves.delete(index)
      this.#order = null
    }
    return before - this.pages
  }

  /** Gives all pages back. Answers how many there were. */
  clear(store: PageStore): number {
    return this.remove(0, Number.MAX_SAFE_INTEGER, store)
  }

  /** How many pages from `first` to before `end` are holes. */
  holes(first: number, end: number): number {
    let filled = 0
    for (const index of this.#sorted()) {
      const base = index * leafPages
      if (base >= end) break
      const leaf = this.#leaves.get(index)!
      for (let at = Math.max(first - base, 0); at < Math.min(end - base, leaf.length); at++)
        if (leaf[at] !== 0) filled++
    }
    return end - first - filled
  }

  /** The first page from `page` on that has data; infinity if there is none. */
  nextData(page: number): number {
    const order = this.#sorted()
    for (let i = lowerBound(order, Math.floor(page / leafPages)); i < order.length; i++) {
      const base = order[i]! * leafPages
      const leaf = this.#leaves.get(order[i]!)!
      for (let at = Math.max(page - base, 0); at < leaf.length; at++) if (leaf[at]! > 0) return base + at
    }
    return Number.POSITIVE_INFINITY
  }

  /** The first page from `page` on that has none. */
  nextHole(page: number): number {
    while (this.get(page) > 0) page++
    return page
  }

  #sorted(): readonly number[] {
    this.#order ??= [...this.#leaves.keys()].sort((a, b) => a - b)
    return this.#order
  }
}

/** Zeros the bytes `from` to before `to` of a page of the file, if it has memory. */
export function zeroPart(data: SparseData, page: number, from: number, to: number, store: PageStore): void {
  const number = data.get(page)
  if (number <= 0) return
  const base = store.offset(number)
  store.bytes(number).fill(0, base + from, base + to)
}

function* indexes(first: number, last: number): Generator<number> {
  for (let index = first; index <= last; index++) yield index
}

/** The first index whose value is `value` or more. */
function lowerBound(sorted: readonly number[], value: number): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sorted[middle]! < value) low = middle + 1
    else high = middle
  }
  return low
}

/** Pages that so many bytes take. */
export function pagesOf(bytes: number): number {
  return Math.ceil(bytes / PAGE)
}
