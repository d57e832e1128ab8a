/**
 * What two CPUs may do differently and be right, both. Nothing else is tolerated.
 *
 * 1. Accessed and dirty bits (SDM vol. 3A, 4.8). A CPU sets them when it fills its TLB; one that still has the translation does not set
 *    again what software has cleared. TLBs below a VMM are emptied more often. So where entries differ in these bits alone, both get those
 *    that either has: that an access was made is true.
 * 2. What a TLB still holds (4.10.2.2, 4.10.4). A CPU may use a translation until it is invalidated, and may drop it any time. Two guests that
 *    differ by a page fault, or by memory found behind an old entry, are repeated with empty TLBs from where they were equal. If they agree
 *    then, they go on from there; if not, it was something else. Not tolerated where it is one instruction that the VM executes by an old
 *    translation, unless that is a page fault too many.
 * 3. The side of a checkpoint on which an interrupt comes. A checkpoint is a number of instructions, and delivery is none: of an interrupt that
 *    the last instruction has brought about, one CPU may have entered the handler where the other is about to. Looked at again an
 *    instruction later.
 * 4. Registers that mean nothing: base, limit and attributes of a segment register that cannot be used, but for its P bit (24.4.1), and the engine's own
 *    notes beside the registers.
 */
import type { GuestMemory } from '@vmexit/memory'

const PRESENT = 1
const ACCESSED_DIRTY = 0x60
const PAGE_WORDS = 1024
/** From here on there may be devices, which page tables map as well. */
const DEVICES = 0xe000_0000

/** May these words be an entry of a page table whose accessed and dirty bits alone differ? */
export function differInTableBits(one: number, other: number): boolean {
  return ((one ^ other) & ~ACCESSED_DIRTY) === 0 && (one & PRESENT) !== 0
}

/**
 * Does a page read as a page table would: is all that is present in it mapped to memory or devices? `words` is at the page's first word.
 * Which pages are tables a bystander cannot know, as those of processes that do not run are in no register.
 */
export function readsAsTable(words: Uint32Array, memory: GuestMemory): boolean {
  const end = memory.ranges.reduce((most, { start, bytes }) => Math.max(most, start + bytes), 0)
  const maps = (low: number): boolean => {
    const address = low - (low % 0x1000)
    return address < end || address >= DEVICES
  }
  const has = (step: 1 | 2): boolean => {
    let present = 0
    for (let at = 0; at < PAGE_WORDS; at += step) {
      const low = words[at]
      if ((low & PRESENT) === 0) continue
      // With PAE the upper half has the upper bits of a page number, of which there are few, and XD.
      if (!maps(low) || (step === 2 && (words[at + 1] & 0x7fff_fff0) !== 0)) return false
      present++
    }
    return present > 0
  }
  return has(1) || has(2)
}

/** Registers that are the engine's notes, and follow from others. */
export const isNote = (register: string): boolean =>
  /\.(low|readSpan|writeSpan)$/.test(register) ||
  ['fpuBlocked', 'sseBlocked', 'alignmentCheck', 'cr8'].includes(register) ||
  /^r\d+$|^xmm(8|9|1\d)$/.test(register)
