/** Virtual memory areas: runs of pages that were mapped alike (Linux's `vm_area_struct`). */
import type { Inode } from '@vmexit/vfs'
import type { FilePages } from './file-pages.ts'

/** `prot` of mmap(2). */
export const Prot = { NONE: 0, READ: 1, WRITE: 2, EXEC: 4, GROWSDOWN: 0x0100_0000, GROWSUP: 0x0200_0000 } as const

/** What fork does with an area where it does not copy it: bits (madvise(2), MADV_DONTFORK and MADV_WIPEONFORK). */
export const OnFork = { LEAVE: 1, WIPE: 2 } as const

/** The most areas that splitting gives: vm.max_map_count. */
export const MOST_AREAS = 65_530

/** What an area is. Bounds are page numbers, as doubles. */
export interface Area {
  start: number
  /** Exclusive. */
  end: number
  /** Bits of `Prot`. */
  prot: number
  /** Writes are everyone's who maps the same, in place of a copy of one's own. */
  shared: boolean
  /** It begins a page lower where a push reaches below it: a stack. */
  growsDown: boolean
  /** What pages come from, and the page of it that `start` shows; without, pages are zeros. */
  pages: FilePages | undefined
  offset: number
  /** A shared mapping may be made writable: the file was open for writing. */
  mayWrite: boolean
  /** Bits of `OnFork`. */
  onFork: number
  /** The file that was mapped. The pages may be those of another one, whose data it has: several containers share them. */
  file: Inode | undefined
  /** In /proc/self/maps: the file's path, or `[stack]`. */
  name: string
}

/** The areas of an address space, by address; they do not overlap. */
export class Areas {
  readonly list: Area[] = []
  #last: Area | undefined

  /** The area that a page is in. */
  at(page: number): Area | undefined {
    const last = this.#last
    if (last !== undefined && page >= last.start && page < last.end) return last
    const area = this.list[this.indexAbove(page)]
    if (area === undefined || page < area.start) return undefined
    this.#last = area
    return area
  }

  /** Index of the first area that ends above a page. */
  indexAbove(page: number): number {
    let low = 0
    let high = this.list.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.list[middle]!.end > page) high = middle
      else low = middle + 1
    }
    return low
  }

  /** Adds an area where none is; one that continues a neighbour becomes part of it. */
  add(area: Area): void {
    this.#last = undefined
    const index = this.indexAbove(area.start)
    const before = this.list[index - 1]
    if (before !== undefined && continues(before, area)) {
      before.end = area.end
      area.pages?.unmapped()
      const after = this.list[index]
      if (after !== undefined && continues(before, after)) {
        before.end = after.end
        after.pages?.unmapped()
        this.list.splice(index, 1)
      }
      return
    }
    const after = this.list[index]
    if (after !== undefined && continues(area, after)) {
      after.start = area.start
      after.offset = area.offset
      area.pages?.unmapped()
      return
    }
    this.list.splice(index, 0, area)
  }

  /** Cuts areas at a page, so that none reaches across. False where there would be too many. */
  cut(page: number): boolean {
    const index = this.indexAbove(page)
    const area = this.list[index]
    if (area === undefined || area.start >= page) return true
    if (this.list.length >= MOST_AREAS) return false
    this.#last = undefined
    area.pages?.mapped()
    const upper = { ...area, start: page, offset: area.offset + (page - area.start) }
    area.end = page
    this.list.splice(index + 1, 0, upper)
    return true
  }

  /** Takes out the areas between two pages at which they were cut. */
  remove(start: number, end: number): Area[] {
    this.#last = undefined
    const first = this.indexAbove(start)
    let count = 0
    while (first + count < this.list.length && this.list[first + count]!.start < end) count++
    return this.list.splice(first, count)
  }

  /** The areas that have pages between two: if they were cut there, no others. */
  between(start: number, end: number): Area[] {
    const first = this.indexAbove(start)
    const found: Area[] = []
    for (let n = first; n < this.list.length && this.list[n]!.start < end; n++) found.push(this.list[n]!)
    return found
  }

  /** Joins neighbours that are alike now, where something has changed between two pages. */
  join(start: number, end: number): void {
    this.#last = undefined
    const first = Math.max(1, this.indexAbove(start))
    for (let n = Math.min(this.list.length - 1, this.indexAbove(end)); n >= first; n--) {
      const [before, after] = [this.list[n - 1]!, this.list[n]!]
      if (!continues(before, after)) continue
      before.end = after.end
      after.pages?.unmapped()
      this.list.splice(n, 1)
    }
  }
}

function continues(before: Area, after: Area): boolean {
  return (
    before.end === after.start &&
    before.prot === after.prot &&
    before.shared === after.shared &&
    before.growsDown === after.growsDown &&
    before.pages === after.pages &&
    (before.pages === undefined || before.offset + (before.end - before.start) === after.offset) &&
    before.mayWrite === after.mayWrite &&
    before.onFork === after.onFork &&
    before.file === after.file &&
    before.name === after.name
  )
}
