/** Lists of MSRs that entries and exits store and load (SDM vol. 3C, 26.4, 27.4 and 27.6): 16 bytes each. */
import type { VmxUnit } from './unit.ts'

const ENTRY_BYTES = 16
/** The longest list that is walked: IA32_VMX_MISC recommends it, and a longer one would hold the host. */
const LONGEST = 512
/** Registers that a list may not hold: FS_BASE, GS_BASE, SMM_MONITOR_CTL, and those of the local APIC. */
const NEVER: readonly number[] = [0xc000_0100, 0xc000_0101, 0x9b, 0x8b]
const X2APIC = 0x800

/** Loads `count` registers from the list at `address`: 0, or the number of the first that cannot be loaded, from 1. */
export function loadMsrs({ parts }: VmxUnit, address: number, count: number): number {
  const { core, memory } = parts
  for (let n = 0; n < count >>> 0; n++) {
    if (n === LONGEST) return n + 1
    const at = address + n * ENTRY_BYTES
    const msr = memory.read32(at)
    const allowed = !NEVER.includes(msr) && msr >>> 8 !== X2APIC >>> 8 && memory.read32(at + 4) === 0
    if (!allowed || !core.model.writeMsr(core, msr, memory.read64(at + 8))) return n + 1
  }
  return 0
}

/** Stores `count` registers into the list at `address`. False if one cannot be read. */
export function storeMsrs({ parts }: VmxUnit, address: number, count: number): boolean {
  const { core, memory } = parts
  for (let n = 0; n < count >>> 0; n++) {
    if (n === LONGEST) return false
    const at = address + n * ENTRY_BYTES
    const msr = memory.read32(at)
    const value = memory.read32(at + 4) === 0 ? core.model.readMsr(core, msr) : undefined
    if (value === undefined) return false
    memory.write64(at + 8, Number(value & 0xffff_ffffn), Number(value >> 32n))
  }
  return true
}
