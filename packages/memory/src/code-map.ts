/**
 * Which bytes of a page have translated code on them, in granules of 64 bytes, so that data beside code can be written
 * without throwing translations away.
 */
import { PAGE_BYTES } from './host-memory.ts'

/** Logarithm of the bytes per granule of the code map. */
const GRANULE_LOG = 6
/** Granules of a page, as bits of two words. */
const WORDS = (PAGE_BYTES >> GRANULE_LOG) >> 5
const CHUNK_PAGES = 1024

/** Granules with code, by page number, in chunks that exist where there is code. */
export class CodeMap {
  readonly #chunks: (Uint32Array | undefined)[] = []

  /** Marks the granules of offsets `start` (inclusive) to `end` (exclusive). */
  mark(pfn: number, start: number, end: number): void {
    const words = (this.#chunks[Math.floor(pfn / CHUNK_PAGES)] ??= new Uint32Array(CHUNK_PAGES * WORDS))
    const first = (pfn % CHUNK_PAGES) * WORDS
    for (let granule = start >>> GRANULE_LOG; granule << GRANULE_LOG < end; granule++)
      words[first + (granule >>> 5)] |= 1 << (granule & 31)
  }

  /** Does any granule that offsets `start` to `end` touch hold code? */
  touches(pfn: number, start: number, end: number): boolean {
    const words = this.#chunks[Math.floor(pfn / CHUNK_PAGES)]
    if (words === undefined) return false
    const first = (pfn % CHUNK_PAGES) * WORDS
    for (let granule = start >>> GRANULE_LOG; granule << GRANULE_LOG < end; granule++) {
      if ((words[first + (granule >>> 5)] & (1 << (granule & 31))) !== 0) return true
    }
    return false
  }

  /** Unmarks all of a page. */
  clear(pfn: number): void {
    const first = (pfn % CHUNK_PAGES) * WORDS
    this.#chunks[Math.floor(pfn / CHUNK_PAGES)]?.fill(0, first, first + WORDS)
  }
}
