/** CR0 and CR4 as a guest sees them: bits that the VMM owns read as their shadows (SDM vol. 3C, 25.1.3 and 25.3). */
import { Cr0 } from '../system/bits.ts'
import { Secondary } from './controls.ts'
import type { VmxUnit } from './unit.ts'

/** PE, MP, EM and TS: what LMSW reaches. */
const MACHINE_STATUS = Cr0.MP | Cr0.EM | Cr0.TS

/** What reading CR0 or CR4 gives; `value` is what the register holds. */
export function controlSeen(unit: VmxUnit, cr: 0 | 4, value: number): number {
  if (!unit.nonRoot) return value
  const { cr0Mask, cr0Shadow, cr4Mask, cr4Shadow } = unit.controls
  return cr === 0 ? (value & ~cr0Mask) | (cr0Shadow & cr0Mask) : (value & ~cr4Mask) | (cr4Shadow & cr4Mask)
}

/** What the register becomes: a guest reaches only the bits that are its own. `before` is what it holds. */
export function controlWritten(unit: VmxUnit, cr: 0 | 4, before: number, value: number): number {
  if (!unit.nonRoot) return value
  const mask = cr === 0 ? unit.controls.cr0Mask : unit.controls.cr4Mask
  return (before & mask) | (value & ~mask)
}

/** Does MOV of `value` to CR0 or CR4 leave the guest? */
export function writeExits({ controls }: VmxUnit, cr: 0 | 4, value: number): boolean {
  if (cr === 0) return ((value ^ controls.cr0Shadow) & controls.cr0Mask) !== 0
  return ((value ^ controls.cr4Shadow) & controls.cr4Mask) !== 0
}

/** Does LMSW of `value` leave the guest? It can set PE and not clear it. */
export function lmswExits({ controls }: VmxUnit, value: number): boolean {
  const { cr0Mask, cr0Shadow } = controls
  if ((cr0Mask & Cr0.PE) !== 0 && (value & Cr0.PE) !== 0 && (cr0Shadow & Cr0.PE) === 0) return true
  return ((value ^ cr0Shadow) & cr0Mask & MACHINE_STATUS) !== 0
}

/** Does CLTS leave the guest? */
export function cltsExits({ controls }: VmxUnit): boolean {
  return (controls.cr0Mask & controls.cr0Shadow & Cr0.TS) !== 0
}

/** May CR0 or CR4 hold `value` in VMX operation (23.8)? Unrestricted guests may be without protection and paging. */
export function isFixed(unit: VmxUnit, cr: 0 | 4, value: number): boolean {
  if (unit.operation === 'off') return true
  const { cr0Fixed0, cr4Fixed0, cr4Fixed1 } = unit.parts.capabilities
  const free = unit.nonRoot && (unit.controls.secondary & Secondary.unrestrictedGuest) !== 0
  if (cr === 4) return (value & cr4Fixed0) === cr4Fixed0 && (value & ~cr4Fixed1) === 0
  const ones = free ? cr0Fixed0 & ~(Cr0.PE | Cr0.PG) : cr0Fixed0
  return (value & ones) === ones
}
