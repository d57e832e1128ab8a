/**
 * Two guests' memories compared. All pages, each time: 128 MiB take some 20 ms, which a dirty log would save at the price of a fault for each page
 * written, under a VMM an exit.
 */
import { type GuestMemory, PAGE_BYTES } from '@vmexit/memory'
import type { MemoryDifference } from './equivalence.ts'
import { differInTableBits, readsAsTable } from './tolerated.ts'

/** What was found. */
export interface MemoriesCompared {
  /** The first words that differ. */
  readonly words: readonly MemoryDifference[]
  /** All of them. */
  readonly count: number
  /** Entries of page tables that were made equal. */
  readonly tableBits: number
}

/** Compares them, and makes equal what is tolerated: accessed and dirty bits. */
export function compareMemories(native: GuestMemory, vm: GuestMemory, most = 32): MemoriesCompared {
  const words: MemoryDifference[] = []
  const merged: MemoryDifference[] = []
  let count = 0
  for (const { start, bytes } of native.ranges) {
    for (let address = start; address < start + bytes; address += PAGE_BYTES) {
      const page = address / PAGE_BYTES
      if (isUntouched(native, page) && isUntouched(vm, page)) continue
      const ours = wordsOf(native, page)
      const theirs = wordsOf(vm, page)
      if (ours === undefined || theirs === undefined || sameWords(ours, theirs)) continue
      const table = readsAsTable(ours, native) && readsAsTable(theirs, vm)
      for (const [n, word] of ours.entries()) {
        const other = theirs[n]!
        if (word === other) continue
        const difference = { address: address + n * 4, native: word, vm: other }
        if (table && differInTableBits(word, other)) merged.push(difference)
        else if (count++ < most) words.push(difference)
      }
    }
  }
  for (const { address, native: one, vm: other } of merged) {
    for (const memory of [native, vm]) memory.write32(address, (one | other) >>> 0)
  }
  return { words, count, tableBits: merged.length }
}

const isUntouched = (memory: GuestMemory, page: number): boolean => memory.readPage(page) === memory.pool.zeroFrame

/** A page as words; undefined where there is no memory. */
function wordsOf(memory: GuestMemory, page: number): Uint32Array | undefined {
  const frame = memory.readPage(page)
  if (frame === 0) return undefined
  return memory.host.u32.subarray(frame >>> 2, (frame + PAGE_BYTES) >>> 2)
}

function sameWords(one: Uint32Array, other: Uint32Array): boolean {
  for (let n = 0; n < one.length; n++) if (one[n] !== other[n]) return false
  return true
}
