/** Saving guest memory and putting it back. Only pages that are not all zeros take room. */
import { checkState, hex, VmexitError } from '@vmexit/core'
import type { GuestPages } from './guest-pages.ts'
import { PAGE_BYTES } from './host-memory.ts'
import { type MemoryRange, PageFlag } from './page-map.ts'

/** Contents, layout and protection of a guest's memory. */
export type MemoryState = {
  readonly version: 2
  readonly ranges: readonly MemoryRange[]
  /** Page numbers of the pages of RAM that are read-only, and of those of ROM that are writable, ascending. */
  readonly reversed: readonly number[]
  /** Page numbers of the pages that are not all zeros, ascending. */
  readonly pages: readonly number[]
  /** Their contents, 4096 bytes each, in the same order. */
  readonly contents: Uint8Array
}

/** A memory as saving and restoring use it: pages, and access by the byte. */
export interface SavedMemory extends GuestPages {
  readBytes(address: number, into: Uint8Array): void
  /** Into ROM too. */
  load(address: number, from: Uint8Array): void
}

/** Contents of `memory` now. */
export function saveMemory(memory: SavedMemory): MemoryState {
  const pages: number[] = []
  const ranges = savedRanges(memory)
  forEachPage(ranges, (pfn) => {
    if (!isZero(memory, memory.readPage(pfn))) pages.push(pfn)
  })
  const contents = new Uint8Array(pages.length * PAGE_BYTES)
  for (const [index, pfn] of pages.entries()) {
    memory.readBytes(pfn * PAGE_BYTES, contents.subarray(index * PAGE_BYTES, (index + 1) * PAGE_BYTES))
  }
  return { version: 2, ranges, reversed: reversedPages(memory, ranges), pages, contents }
}

/**
 * Makes the contents of `memory` those of `state`.
 * @throws VmexitError `state-mismatch`; nothing is changed then.
 */
export function restoreMemory(memory: SavedMemory, state: MemoryState): void {
  checkState('guest memory', state, { version: 2, ranges: [], reversed: [], pages: [], contents: new Uint8Array(0) })
  const saved = describe(state.ranges)
  const ranges = savedRanges(memory)
  const present = describe(ranges)
  if (saved !== present) {
    throw new VmexitError('state-mismatch', {
      problem: `the state is of memory with ${saved}, this memory has ${present}`,
      remedy: 'make the memory with the ranges of the state',
    })
  }
  const reversed = new Set(state.reversed)
  forEachPage(ranges, (pfn, kind) => {
    memory.setReadOnly(pfn * PAGE_BYTES, PAGE_BYTES, (kind === 'rom') !== reversed.has(pfn))
  })
  let next = 0
  forEachPage(ranges, (pfn) => {
    if (state.pages[next] !== pfn) {
      memory.unmapFrame(pfn)
      return
    }
    memory.load(pfn * PAGE_BYTES, state.contents.subarray(next * PAGE_BYTES, (next + 1) * PAGE_BYTES))
    next++
  })
}

function savedRanges(memory: SavedMemory): readonly MemoryRange[] {
  return memory.ranges.filter((range) => range.saved !== false)
}

function isZero(memory: SavedMemory, frame: number): boolean {
  if (frame === memory.pool.zeroFrame) return true
  const words = memory.host.i32
  for (let index = frame >>> 2; index < (frame + PAGE_BYTES) >>> 2; index++) if (words[index] !== 0) return false
  return true
}

function forEachPage(ranges: readonly MemoryRange[], visit: (pfn: number, kind: MemoryRange['kind']) => void): void {
  for (const { kind, start, bytes } of ranges) {
    for (let pfn = start / PAGE_BYTES; pfn < (start + bytes) / PAGE_BYTES; pfn++) visit(pfn, kind)
  }
}

/** Where `setReadOnly` has made something else of a page than its range is. */
function reversedPages(memory: SavedMemory, ranges: readonly MemoryRange[]): readonly number[] {
  const pages: number[] = []
  forEachPage(ranges, (pfn, kind) => {
    if (((memory.flagsOf(pfn) & PageFlag.ROM) !== 0) !== (kind === 'rom')) pages.push(pfn)
  })
  return pages
}

function describe(ranges: readonly MemoryRange[]): string {
  return ranges.map((range) => `${range.kind} ${hex(range.start)}+${hex(range.bytes)}`).join(', ')
}
