/**
 * Where guest-physical pages lie: ranges of RAM and ROM, and for each of their pages a slot holding the host frame and
 * the state flags. Data only; what a change of state means is `guest-pages.ts`.
 *
 * Two levels: a directory by 4 MiB of guest-physical space gives the first of 1024 consecutive slots. The first 1024
 * slots stand for all space without memory.
 */
import { hex, VmexitError } from '@vmexit/core'
import { PAGE_BYTES } from './host-memory.ts'

/** State of a guest-physical page, as bits. A page with none of the bits up to `RESTRICTED` is plainly writable. */
export const PageFlag = {
  /** No memory here: accesses go to the MMIO handler. */
  HOLE: 1,
  /** Reads come from the frame, writes are dropped. */
  ROM: 2,
  /** Somebody has translated code on it. */
  CODE: 4,
  /** Somebody is told of each write. */
  WATCHED: 8,
  /** A dirty log waits for the next write. */
  LOGGED: 16,
  /** Its frame is, or may be, shared: the next write gets a frame of its own. */
  SHARED: 32,
  /** Any bit that forbids plain stores. */
  RESTRICTED: 63,
  /** Some CPU holds a read translation to its frame. */
  READ_CACHED: 64,
  /** Some CPU holds a write translation to its frame. */
  WRITE_CACHED: 128,
} as const

/** A run of guest-physical memory. */
export type MemoryRange = {
  /** `'rom'`: writes by the guest are dropped. */
  readonly kind: 'ram' | 'rom'
  /** First guest-physical address; a multiple of 4096. */
  readonly start: number
  /** Length; a multiple of 4096. */
  readonly bytes: number
  /** For error messages; default the kind. */
  readonly name?: string
  /** False for memory of a card, which the card itself saves: it is left out of the saved state. */
  readonly saved?: false
}

/** Guest-physical memory ends below this address (1 TiB); what lies above is MMIO. */
export const MAXIMUM_ADDRESS: number = 2 ** 40

const CHUNK_PAGES = 1024

/** Frames and flags of every guest page, in chunks that exist where there is memory. */
export class PageMap {
  /** By slot: host offset of the page's frame; 0 in holes. */
  frame: Uint32Array<ArrayBuffer> = new Uint32Array(CHUNK_PAGES)
  /** By slot: {@link PageFlag} bits. */
  flags: Uint8Array<ArrayBuffer> = new Uint8Array(CHUNK_PAGES).fill(PageFlag.HOLE)
  #directory = new Uint32Array(0)
  /** Pages the directory covers. */
  #limit = 0
  #slots = CHUNK_PAGES
  /** First slots of chunks without memory: a guest can move memory of a card to many places. */
  readonly #free: number[] = []
  #ranges: MemoryRange[] = []

  /** By ascending address. */
  get ranges(): readonly MemoryRange[] {
    return this.#ranges
  }

  /** The slot of page number `pfn` (any non-negative integer). */
  slot(pfn: number): number {
    return pfn < this.#limit ? this.#directory[pfn >>> 10] + (pfn & (CHUNK_PAGES - 1)) : 0
  }

  /**
   * Adds a range, its pages with frame `frame` and state `flags`.
   * @throws VmexitError `range-invalid`, `range-overlap`.
   */
  add(range: MemoryRange, frame: number, flags: number): void {
    const end = range.start + range.bytes
    const aligned = range.start % PAGE_BYTES === 0 && range.bytes % PAGE_BYTES === 0
    if (!aligned || !(range.start >= 0) || !(range.bytes > 0) || !(end <= MAXIMUM_ADDRESS)) {
      throw new VmexitError('range-invalid', {
        problem: `${describe(range)} cannot be mapped`,
        remedy: `give a start and a length that are multiples of 4096, not empty, with an end by ${hex(MAXIMUM_ADDRESS)}`,
      })
    }
    const other = this.#ranges.find((known) => known.start < end && range.start < known.start + known.bytes)
    if (other !== undefined) {
      throw new VmexitError('range-overlap', {
        problem: `${describe(range)} overlaps ${describe(other)}`,
        remedy: 'move one, or unmap the other first',
      })
    }
    this.#ranges = [...this.#ranges, range].sort((a, b) => a.start - b.start)
    this.#cover(range.start / PAGE_BYTES, end / PAGE_BYTES)
    for (let pfn = range.start / PAGE_BYTES; pfn < end / PAGE_BYTES; pfn++) {
      const slot = this.slot(pfn)
      this.frame[slot] = frame
      this.flags[slot] = flags
    }
  }

  /**
   * Forgets the range that starts at `start`; its pages become holes. Returns it.
   * @throws VmexitError `not-memory`.
   */
  remove(start: number): MemoryRange {
    const range = this.rangeStartingAt(start)
    this.#ranges = this.#ranges.filter((known) => known !== range)
    for (let pfn = start / PAGE_BYTES; pfn < (start + range.bytes) / PAGE_BYTES; pfn++) {
      const slot = this.slot(pfn)
      this.frame[slot] = 0
      this.flags[slot] = PageFlag.HOLE
    }
    this.#uncover(start / PAGE_BYTES, (start + range.bytes) / PAGE_BYTES)
    return range
  }

  /** @throws VmexitError `not-memory`. */
  rangeStartingAt(start: number): MemoryRange {
    const range = this.#ranges.find((known) => known.start === start)
    if (range === undefined) {
      const list = this.#ranges.map(describe).join(', ') || 'nothing'
      throw new VmexitError('not-memory', {
        problem: `no range of memory starts at ${hex(start)}`,
        remedy: `name the start of one that is mapped (${list})`,
      })
    }
    return range
  }

  #cover(first: number, end: number): void {
    const length = Math.ceil(end / CHUNK_PAGES)
    if (length > this.#directory.length) {
      const directory = new Uint32Array(length)
      directory.set(this.#directory)
      this.#directory = directory
      this.#limit = length * CHUNK_PAGES
    }
    const before = this.#slots
    for (let chunk = Math.floor(first / CHUNK_PAGES); chunk < length; chunk++) {
      if (this.#directory[chunk] !== 0) continue
      const free = this.#free.pop()
      this.#directory[chunk] = free ?? this.#slots
      if (free === undefined) this.#slots += CHUNK_PAGES
    }
    if (this.#slots === before) return
    const frame = new Uint32Array(this.#slots)
    frame.set(this.frame)
    this.frame = frame
    const flags = new Uint8Array(this.#slots)
    flags.set(this.flags)
    flags.fill(PageFlag.HOLE, before)
    this.flags = flags
  }

  /** Frees the chunks from page `first` to `end` that no range reaches into. */
  #uncover(first: number, end: number): void {
    for (let chunk = Math.floor(first / CHUNK_PAGES); chunk < Math.ceil(end / CHUNK_PAGES); chunk++) {
      const start = chunk * CHUNK_PAGES * PAGE_BYTES
      const used = this.#ranges.some(
        (range) => range.start < start + CHUNK_PAGES * PAGE_BYTES && start < range.start + range.bytes,
      )
      if (used) continue
      this.#free.push(this.#directory[chunk]!)
      this.#directory[chunk] = 0
    }
  }
}

function describe(range: MemoryRange): string {
  return `${range.name ?? range.kind} ${hex(range.start)}–${hex(range.start + range.bytes - 1)}`
}
