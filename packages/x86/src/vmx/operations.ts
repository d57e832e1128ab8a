/** What the VMX instructions do (SDM vol. 3C, chapter 30), for the instructions and for a VMM outside of the machine. */

import { Flag } from '../state/layout.ts'
import { isEptPointer } from './checks.ts'
import type { Secondary } from './controls.ts'
import { enterGuest } from './enter.ts'
import { Field, isHighHalf, kindOf, offsetOf, widthOf } from './fields.ts'
import { flushGuestState } from './guest-state.ts'
import { InstructionError } from './instruction-errors.ts'
import type { VmxUnit } from './unit.ts'
import { REVISION } from './vmcs.ts'

/** How a VMX instruction ends: 0 VMsucceed, −1 VMfailInvalid, else VMfailValid with that error. */
export type VmxOutcome = number
export const INVALID: VmxOutcome = -1

/** All ones: no VMCS is current. */
const NO_POINTER = 0xffff_ffff_ffff_ffffn

/** Aligned to a page and within the width of physical addresses. */
function isRegion(unit: VmxUnit, address: number): boolean {
  return address % 0x1000 === 0 && address < unit.parts.capabilities.physicalEnd
}

/** VMXON with the region at `address`; that the CPU may has been checked. */
export function vmxOn(unit: VmxUnit, address: number): VmxOutcome {
  if (unit.operation !== 'off') return failValid(unit, InstructionError.vmxonInRoot)
  if (!isRegion(unit, address) || unit.parts.memory.read32(address) !== REVISION) return INVALID
  unit.operation = 'root'
  unit.region = address
  unit.vmcs.select(-1)
  return 0
}

export function vmxOff(unit: VmxUnit): VmxOutcome {
  flushGuestState(unit)
  unit.leave()
  return 0
}

/** VMCLEAR: the region is no longer current, and its guest is to be launched. */
export function vmClear(unit: VmxUnit, address: number): VmxOutcome {
  if (!isRegion(unit, address)) return failValid(unit, InstructionError.clearOfInvalidAddress)
  if (address === unit.region) return failValid(unit, InstructionError.clearOfVmxonRegion)
  flushGuestState(unit)
  const { vmcs } = unit
  const current = vmcs.address
  vmcs.select(address)
  vmcs.open()
  vmcs.launched = false
  vmcs.close()
  vmcs.select(current === address ? -1 : current)
  unit.unchanged = false
  unit.recorded = false
  return 0
}

/** VMPTRLD: makes the region at `address` the current one. */
export function vmPtrld(unit: VmxUnit, address: number): VmxOutcome {
  if (!isRegion(unit, address)) return failValid(unit, InstructionError.loadOfInvalidAddress)
  if (address === unit.region) return failValid(unit, InstructionError.loadOfVmxonRegion)
  if (unit.parts.memory.read32(address) !== REVISION) return failValid(unit, InstructionError.loadOfOtherRevision)
  if (unit.vmcs.address === address) return 0
  flushGuestState(unit)
  unit.vmcs.select(address)
  unit.unchanged = false
  unit.recorded = false
  return 0
}

/** VMPTRST: what is stored. */
export function vmPtrst({ vmcs }: VmxUnit): bigint {
  return vmcs.address < 0 ? NO_POINTER : BigInt(vmcs.address)
}

/** VMREAD: the field's value, or how it fails. */
export function vmRead(unit: VmxUnit, encoding: number): bigint | VmxOutcome {
  const { vmcs } = unit
  if (vmcs.address < 0) return INVALID
  if (kindOf(encoding) === 'guest') flushGuestState(unit)
  vmcs.open()
  return vmcs.read(encoding) ?? failValid(unit, InstructionError.unknownField)
}

/** VMWRITE; a number is unsigned. */
export function vmWrite(unit: VmxUnit, encoding: number, value: bigint | number): VmxOutcome {
  const { vmcs } = unit
  if (vmcs.address < 0) return INVALID
  if (offsetOf(encoding) === 0) return failValid(unit, InstructionError.unknownField)
  const kind = kindOf(encoding)
  if (kind === 'read-only') return failValid(unit, InstructionError.writeOfReadOnlyField)
  if (kind === 'guest' && !isHeld(unit, encoding, value)) flushGuestState(unit)
  vmcs.open()
  // (BigInts took half of the time.)
  if (typeof value === 'number' && !isHighHalf(encoding)) vmcs.setNumber(encoding, truncated(encoding, value))
  else vmcs.write(encoding, BigInt(value))
  vmcs.close()
  noteWrite(unit, encoding)
  return 0
}

/** Does the CPU hold what is written, so that the rest of the guest state need not be in the VMCS: RIP, and RF of RFLAGS? */
function isHeld({ parts }: VmxUnit, encoding: number, value: bigint | number): boolean {
  if (encoding === Field.guestRip) return true
  return encoding === Field.guestRflags && ((Number(value) ^ parts.core.state.eflags) & ~Flag.RF) === 0
}

/** Fields that are read at each entry. */
const HARMLESS: readonly number[] = [Field.entryInterruption, Field.entryErrorCode, Field.entryInstructionLength]
/**
 * A field of the current VMCS was written. What the CPU still holds of the guest is then not what the VMCS says, except where it is
 * brought up to date here: fields that a VMM writes at most exits.
 */
function noteWrite(unit: VmxUnit, encoding: number): void {
  if (!unit.unchanged) return
  const { vmcs, parts } = unit
  if (encoding === Field.guestRip) parts.core.state.ip = vmcs.getNumber(encoding) % 0x1_0000_0000
  else if (encoding === Field.guestRflags && isHeld(unit, encoding, vmcs.getNumber(encoding)))
    parts.core.state.setFlag(Flag.RF, (vmcs.get32(encoding) & Flag.RF) !== 0)
  else if (encoding === Field.tscOffset) unit.setTscOffset(vmcs.get64(encoding))
  else if (!HARMLESS.includes(encoding)) {
    flushGuestState(unit)
    unit.unchanged = false
  }
}

function truncated(encoding: number, value: number): number {
  const width = widthOf(encoding)
  return width === 64 ? value : width === 32 ? value >>> 0 : value & 0xffff
}

/** VMLAUNCH and VMRESUME. With 0 the CPU is in the guest, or where a failed entry leads. */
export function vmEnter(unit: VmxUnit, how: 'launch' | 'resume'): VmxOutcome {
  if (unit.vmcs.address < 0) return INVALID
  const error = enterGuest(unit, how)
  return error === 0 ? 0 : failValid(unit, error)
}

/** INVEPT: type 1 is one context, 2 all. */
export function invEpt(unit: VmxUnit, type: number, pointer: bigint): VmxOutcome {
  const known = type === 1 || type === 2
  if (!known || (type === 1 && !isEptPointer(Number(pointer), unit.parts.capabilities)))
    return failValid(unit, InstructionError.invalidInvalidation)
  unit.flushGuests()
  return 0
}

/** INVVPID: type 0 is one address, 1 one VPID, 2 all VPIDs, 3 one VPID's entries that are not global. */
export function invVpid(unit: VmxUnit, type: number, low: bigint, linear: bigint): VmxOutcome {
  const vpid = Number(low & 0xffffn)
  const reserved = low >> 16n !== 0n
  const wrong = type > 3 || (type !== 2 && (vpid === 0 || reserved)) || (type === 0 && linear >> 32n !== 0n)
  if (wrong) return failValid(unit, InstructionError.invalidInvalidation)
  if (type === 0) unit.dropLinear(Number(linear))
  else unit.flushGuests()
  return 0
}

/** VMCALL in root operation: there is no monitor of system-management mode that it could reach. */
export function vmCall(unit: VmxUnit): VmxOutcome {
  return failValid(unit, InstructionError.vmcallInRoot)
}

/** VMfailValid where there is a current VMCS to say it in, else VMfailInvalid. */
function failValid(unit: VmxUnit, error: number): VmxOutcome {
  const { vmcs } = unit
  if (vmcs.address < 0) return INVALID
  vmcs.open()
  vmcs.set32(Field.instructionError, error)
  vmcs.close()
  return error
}

/** Whether the CPU has what INVEPT and INVVPID are for. */
export function hasInvalidation(unit: VmxUnit, bit: typeof Secondary.ept | typeof Secondary.vpid): boolean {
  return (unit.parts.capabilities.secondary.allowed1 & bit) !== 0
}
