/**
 * Which bytes of a page have translated code on them, in granules of 64 bytes, so that data beside code can be written
 * without throwing translations away.
 */
import { PAGE_BYTES } from './host-memory.ts'

/** Bytes per granule of the code map. */
export const CODE_GRANULE_BYTES = 64

const GRANULES = PAGE_BYTES / CODE_GRANULE_BYTES

/** Granules with code, by page number. Pages without code take no room. */
export class CodeMap {
  readonly #pages = new Map<number, Uint8Array>()

  /** Marks the granules of offsets `start` (inclusive) to `end` (exclusive). */
  mark(pfn: number, start: number, end: number): void {
    let granules = this.#pages.get(pfn)
    if (granules === undefined) {
      granules = new Uint8Array(GRANULES)
      this.#pages.set(pfn, granules)
    }
    granules.fill(1, start >>> 6, (end + CODE_GRANULE_BYTES - 1) >>> 6)
  }

  /** Does any granule that offsets `start` to `end` touch hold code? */
  touches(pfn: number, start: number, end: number): boolean {
    const granules = this.#pages.get(pfn)
    if (granules === undefined) return false
    for (let granule = start >>> 6; granule << 6 < end; granule++) {
      if (granules[granule] !== 0) return true
    }
    return false
  }

  /** Unmarks the granules that offsets `start` to `end` touch. Returns whether the page has any left. */
  clear(pfn: number, start: number, end: number): boolean {
    const granules = this.#pages.get(pfn)
    if (granules === undefined) return false
    granules.fill(0, start >>> 6, (end + CODE_GRANULE_BYTES - 1) >>> 6)
    if (granules.includes(1)) return true
    this.#pages.delete(pfn)
    return false
  }
}
