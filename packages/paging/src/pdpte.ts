/** The page-directory-pointer-table entries that PAE paging keeps in registers (Intel SDM Vol. 3A, 4.4.1). */
import { Access } from './access.ts'
import type { WalkControls } from './controls.ts'
import { pdpteReserved } from './format.ts'
import type { WalkResult } from './result.ts'
import type { PageTableMemory, SecondStage } from './walker.ts'

/**
 * Loads the four entries at `cr3` into `registers` (low and high half each). They count as references, as do the second
 * stage's for them. False, with the fault in `out` and `registers` as before, if a present entry has reserved bits set
 * (#GP) or the second stage refuses.
 */
export function loadPdptes(
  tables: PageTableMemory,
  cr3: number,
  controls: WalkControls,
  registers: Uint32Array,
  out: WalkResult,
  second?: SecondStage,
): boolean {
  const base = (cr3 & ~31) >>> 0
  const reserved = pdpteReserved(controls)
  const loaded = new Uint32Array(8)
  out.begin(base)
  for (let entry = 0; entry < 4; entry++) {
    let at = base + entry * 8
    if (second !== undefined) {
      at = second.reach(at, Access.TABLE)
      out.secondReferences += second.result.references
      if (at < 0) return out.failAs(second.result, 0)
    }
    out.references++
    const low = tables.read32(at)
    const high = tables.read32(at + 4)
    if ((low & 1) !== 0 && ((low & reserved.low) | (high & reserved.high)) !== 0) {
      out.fault = 'general-protection'
      out.level = 3
      return false
    }
    loaded[entry * 2] = low
    loaded[entry * 2 + 1] = high
  }
  registers.set(loaded)
  out.ok = true
  return true
}
