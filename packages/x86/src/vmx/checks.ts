/**
 * Checks of VM entry that make VMLAUNCH and VMRESUME themselves fail: control fields and the host's state (SDM vol. 3C, 26.2).
 * The `Vmcs` is open. Nothing is written, and memory outside of the region not looked at.
 *
 * On a processor without Intel 64, natural-width fields have 32 bits: upper halves do not exist, addresses are all canonical.
 */

import { Vector } from '../state/layout.ts'
import { Cr0 } from '../system/bits.ts'
import { type AllowedSettings, CR3_TARGETS, type VmxCapabilities } from './capabilities.ts'
import { ExitControl, Pin, Primary, Secondary } from './controls.ts'
import { EventInfo, EventType, eventType } from './event.ts'
import { Field } from './fields.ts'
import type { Vmcs } from './vmcs.ts'

/** The secondary controls in force: without the primary control for them they count as 0 (24.6.2). */
export function secondaryControls(vmcs: Vmcs): number {
  return vmcs.get32(Field.primaryControls) & Primary.secondaryControls ? vmcs.get32(Field.secondaryControls) : 0
}

function allowed(value: number, settings: AllowedSettings): boolean {
  return ((~value & settings.allowed0) | (value & ~settings.allowed1)) === 0
}

/** Is a 64-bit field an address of the processor, with the low bits of `mask` clear? */
export function isAddress(vmcs: Vmcs, field: number, mask: number, capabilities: VmxCapabilities): boolean {
  return (vmcs.get32(field) & mask) === 0 && vmcs.getNumber(field) < capabilities.physicalEnd
}

const PAGE_OFFSET = 0xfff

/** Error 7 if false: the fields that control VM execution, VM exits and VM entry (26.2.1). */
export function checkControls(vmcs: Vmcs, capabilities: VmxCapabilities): boolean {
  return (
    checkExecutionControls(vmcs, capabilities) &&
    checkExitControls(vmcs, capabilities) &&
    checkEntryControls(vmcs, capabilities)
  )
}

/** 26.2.1.1. */
function checkExecutionControls(vmcs: Vmcs, capabilities: VmxCapabilities): boolean {
  const pin = vmcs.get32(Field.pinControls)
  const primary = vmcs.get32(Field.primaryControls)
  const secondary = secondaryControls(vmcs)
  return (
    allowed(pin, capabilities.pin) &&
    allowed(primary, capabilities.primary) &&
    allowed(secondary, capabilities.secondary) &&
    vmcs.get32(Field.cr3TargetCount) >>> 0 <= CR3_TARGETS &&
    checkBitmaps(vmcs, primary, capabilities) &&
    checkNmiControls(pin, primary) &&
    checkTranslation(vmcs, secondary, capabilities)
  )
}

function checkBitmaps(vmcs: Vmcs, primary: number, capabilities: VmxCapabilities): boolean {
  if (primary & Primary.ioBitmaps) {
    if (!isAddress(vmcs, Field.ioBitmapA, PAGE_OFFSET, capabilities)) return false
    if (!isAddress(vmcs, Field.ioBitmapB, PAGE_OFFSET, capabilities)) return false
  }
  return (primary & Primary.msrBitmaps) === 0 || isAddress(vmcs, Field.msrBitmap, PAGE_OFFSET, capabilities)
}

/** Virtual NMIs take NMI exiting, and a window for them takes virtual NMIs. */
function checkNmiControls(pin: number, primary: number): boolean {
  if ((pin & Pin.virtualNmis) !== 0) return (pin & Pin.nmiExiting) !== 0
  return (primary & Primary.nmiWindowExiting) === 0
}

/** Bits of an EPTP (24.6.11): memory type 2:0, levels less one 5:3, flags 6; 11:7 are reserved. */
const EPTP_RESERVED = 0xf80
const UNCACHEABLE = 0
const WRITE_BACK = 6

function checkTranslation(vmcs: Vmcs, secondary: number, capabilities: VmxCapabilities): boolean {
  if ((secondary & Secondary.vpid) !== 0 && (vmcs.get32(Field.vpid) & 0xffff) === 0) return false
  if ((secondary & Secondary.ept) === 0) return (secondary & Secondary.unrestrictedGuest) === 0
  return isEptPointer(vmcs.getNumber(Field.eptPointer), capabilities)
}

/** May an EPTP be this? */
export function isEptPointer(pointer: number, capabilities: VmxCapabilities): boolean {
  const low = pointer % 0x1000
  const memoryType = low & 7
  return (
    (memoryType === UNCACHEABLE || memoryType === WRITE_BACK) &&
    ((low >> 3) & 7) === 3 &&
    (low & EPTP_RESERVED) === 0 &&
    pointer < capabilities.physicalEnd
  )
}

/** 26.2.1.2. */
function checkExitControls(vmcs: Vmcs, capabilities: VmxCapabilities): boolean {
  const controls = vmcs.get32(Field.exitControls)
  if (!allowed(controls, capabilities.exit)) return false
  const timer = (vmcs.get32(Field.pinControls) & Pin.preemptionTimer) !== 0
  if ((controls & ExitControl.savePreemptionTimer) !== 0 && !timer) return false
  return (
    checkMsrList(vmcs, Field.exitMsrStoreCount, Field.exitMsrStoreAddress, capabilities) &&
    checkMsrList(vmcs, Field.exitMsrLoadCount, Field.exitMsrLoadAddress, capabilities)
  )
}

/** Entries have 16 bytes; of an empty list the address does not count. */
function checkMsrList(vmcs: Vmcs, countField: number, addressField: number, capabilities: VmxCapabilities): boolean {
  const count = vmcs.get32(countField) >>> 0
  if (count === 0) return true
  if (!isAddress(vmcs, addressField, 15, capabilities)) return false
  return vmcs.getNumber(addressField) + 16 * count <= capabilities.physicalEnd
}

/** 26.2.1.3. */
function checkEntryControls(vmcs: Vmcs, capabilities: VmxCapabilities): boolean {
  return (
    allowed(vmcs.get32(Field.entryControls), capabilities.entry) &&
    checkEvent(vmcs) &&
    checkMsrList(vmcs, Field.entryMsrLoadCount, Field.entryMsrLoadAddress, capabilities)
  )
}

const EVENT_RESERVED = 0x7fff_f000
const RESERVED_TYPE = 1
/** The exceptions that push an error code, a bit each. */
const WITH_ERROR_CODE =
  (1 << Vector.DF) |
  (1 << Vector.TS) |
  (1 << Vector.NP) |
  (1 << Vector.SS) |
  (1 << Vector.GP) |
  (1 << Vector.PF) |
  (1 << Vector.AC)

/** The event to inject: VM-entry interruption information, error code and instruction length. */
function checkEvent(vmcs: Vmcs): boolean {
  const info = vmcs.get32(Field.entryInterruption)
  const type = eventType(info)
  if (type < 0) return true
  if ((info & EVENT_RESERVED) !== 0 || type === RESERVED_TYPE) return false
  return checkVector(type, info & EventInfo.vector) && checkErrorCode(vmcs, info) && checkLength(vmcs, type)
}

function checkVector(type: number, vector: number): boolean {
  if (type === EventType.nmi) return vector === Vector.NMI
  if (type === EventType.hardwareException) return vector < 32
  return type !== EventType.other || vector === 0
}

/** There is an error code if, and only if, the exception has one, which it has not in real mode. */
function checkErrorCode(vmcs: Vmcs, info: number): boolean {
  const unrestricted = (secondaryControls(vmcs) & Secondary.unrestrictedGuest) !== 0
  const real = unrestricted && (vmcs.get32(Field.guestCr0) & Cr0.PE) === 0
  const due =
    !real &&
    eventType(info) === EventType.hardwareException &&
    ((WITH_ERROR_CODE >>> (info & EventInfo.vector)) & 1) !== 0
  if (((info & EventInfo.errorCode) !== 0) !== due) return false
  return !due || vmcs.get32(Field.entryErrorCode) >>> 16 === 0
}

/** Of instructions that raise events the length is needed: 1 to 15 bytes (IA32_VMX_MISC bit 30 is 0). */
function checkLength(vmcs: Vmcs, type: number): boolean {
  if (type < EventType.softwareInterrupt || type > EventType.softwareException) return true
  const length = vmcs.get32(Field.entryInstructionLength) >>> 0
  return length >= 1 && length <= 15
}

/** Error 8 if false: the state that a VM exit will load (26.2.2 and 26.2.3). */
export function checkHost(vmcs: Vmcs, capabilities: VmxCapabilities): boolean {
  const controls = vmcs.get32(Field.exitControls)
  if ((~vmcs.get32(Field.hostCr0) & capabilities.cr0Fixed0) !== 0) return false
  if (!checkCr4(vmcs.get32(Field.hostCr4), capabilities)) return false
  if ((controls & ExitControl.loadPat) !== 0 && !checkPat(vmcs, Field.hostPat)) return false
  if ((controls & ExitControl.loadEfer) !== 0 && !isWithin(vmcs, Field.hostEfer, capabilities.eferMask)) return false
  return checkHostSelectors(vmcs)
}

export function checkCr4(value: number, capabilities: VmxCapabilities): boolean {
  return ((~value & capabilities.cr4Fixed0) | (value & ~capabilities.cr4Fixed1)) === 0
}

/** The high half of a 64-bit field, exactly. */
export function highHalf(vmcs: Vmcs, field: number): number {
  return Math.round((vmcs.getNumber(field) - (vmcs.get32(field) >>> 0)) / 0x1_0000_0000)
}

/** A 64-bit field with no bits outside of the low ones in `mask`. EFER so has neither LME nor LMA where there is no such mode. */
export function isWithin(vmcs: Vmcs, field: number, mask: number): boolean {
  return (vmcs.get32(field) & ~mask) === 0 && highHalf(vmcs, field) === 0
}

/** Eight memory types: UC, WC, WT, WP, WB or UC−. */
export function checkPat(vmcs: Vmcs, field: number): boolean {
  return areTypes(vmcs.get32(field)) && areTypes(highHalf(vmcs, field))
}

/** Four bytes of 0, 1, 4, 5, 6 or 7 each: below 8, and bit 1 only with bit 2. */
function areTypes(bytes: number): boolean {
  return ((bytes & 0xf8f8_f8f8) | (bytes & 0x0202_0202 & ~(bytes >>> 1))) === 0
}

/** RPL and table indicator are 0; there is a code segment, a task and, in 32-bit mode, a stack. */
function checkHostSelectors(vmcs: Vmcs): boolean {
  const cs = vmcs.get32(Field.hostCsSelector)
  const ss = vmcs.get32(Field.hostSsSelector)
  const tr = vmcs.get32(Field.hostTrSelector)
  const data =
    vmcs.get32(Field.hostDsSelector) |
    vmcs.get32(Field.hostEsSelector) |
    vmcs.get32(Field.hostFsSelector) |
    vmcs.get32(Field.hostGsSelector)
  return ((cs | ss | tr | data) & 7) === 0 && (cs & 0xffff) !== 0 && (ss & 0xffff) !== 0 && (tr & 0xffff) !== 0
}
