/** Saving guest memory and putting it back. Only pages that are not all zeros take room. */
import { checkState, hex, VmexitError } from '@vmexit/core'
import type { GuestPages } from './guest-pages.ts'
import { PAGE_BYTES } from './host-memory.ts'
import type { MemoryRange } from './page-map.ts'

/** Contents and layout of a guest's memory. */
export type MemoryState = {
  readonly version: 1
  readonly ranges: readonly MemoryRange[]
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
  return { version: 1, ranges, pages, contents }
}

/**
 * Makes the contents of `memory` those of `state`.
 * @throws VmexitError `state-mismatch`; nothing is changed then.
 */
export function restoreMemory(memory: SavedMemory, state: MemoryState): void {
  checkState('guest memory', state, { version: 1, ranges: [], pages: [], contents: new Uint8Array(0) })
  const saved = describe(state.ranges)
  const ranges = savedRanges(memory)
  const present = describe(ranges)
  if (saved !== present) {
    throw new VmexitError('state-mismatch', {
      problem: `the state is of memory with ${saved}, this memory has ${present}`,
      remedy: 'make the memory with the ranges of the state',
    })
  }
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

function forEachPage(ranges: readonly MemoryRange[], visit: (pfn: number) => void): void {
  for (const range of ranges) {
    for (let pfn = range.start / PAGE_BYTES; pfn < (range.start + range.bytes) / PAGE_BYTES; pfn++) visit(pfn)
  }
}

function describe(ranges: readonly MemoryRange[]): string {
  return ranges.map((range) => `${range.kind} ${hex(range.start)}+${hex(range.bytes)}`).join(', ')
}
