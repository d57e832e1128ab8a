/**
 * Checks of VM entry that end in a VM exit with reason 33: the guest's state (SDM vol. 3C, 26.3.1), but for its segments, which
 * `segment-checks.ts` looks at. Control fields have been found in order before.
 */
import type { GuestMemory } from '@vmexit/memory'
import { Flag, Vector } from '../state/layout.ts'
import { Cr0, Cr4, Debugctl } from '../system/bits.ts'
import { LAST_ACTIVITY, type VmxCapabilities } from './capabilities.ts'
import { checkCr4, checkPat, highHalf, isAddress, isWithin, secondaryControls } from './checks.ts'
import { EntryControl, Pin, Secondary } from './controls.ts'
import { EventInfo, EventType, eventType } from './event.ts'
import { Field } from './fields.ts'
import { checkSegments, Rights } from './segment-checks.ts'
import { REVISION, type Vmcs } from './vmcs.ts'

/** Exit qualifications of a VM entry that fails for the guest's state (26.8). */
export const GuestFailure = {
  state: 0,
  /** Page-directory-pointer entries with reserved bits. */
  pdptes: 2,
  /** An NMI to inject while STI blocks events. */
  nmi: 3,
  linkPointer: 4,
} as const

/** Bits of the interruptibility state (table 24-3). */
export const Blocking = { sti: 1, movSs: 2, smi: 4, nmi: 8 } as const

/** Activity states (24.4.2). */
export const Activity = { active: 0, hlt: 1, shutdown: 2, waitForSipi: 3 } as const

/** Memory as far as checks read it: physical. */
type Words = Pick<GuestMemory, 'read32'>

/** Undefined if the guest's state is in order, else the exit qualification: one of {@link GuestFailure}. */
export function checkGuest(vmcs: Vmcs, capabilities: VmxCapabilities, memory: Words): number | undefined {
  if (
    !checkRegisters(vmcs, capabilities) ||
    !checkSegments(vmcs, (secondaryControls(vmcs) & Secondary.unrestrictedGuest) !== 0) ||
    !checkTableLimits(vmcs) ||
    !checkFlags(vmcs) ||
    !checkActivity(vmcs) ||
    !checkBlocking(vmcs) ||
    !checkPendingDebug(vmcs)
  ) {
    return GuestFailure.state
  }
  if (injectsNmiBehindSti(vmcs)) return GuestFailure.nmi
  if (!checkLinkPointer(vmcs, capabilities, memory)) return GuestFailure.linkPointer
  return checkPdptes(vmcs, capabilities, memory) ? undefined : GuestFailure.pdptes
}

/** Control and debug registers, MSRs (26.3.1.1). CR0.NW and CD are never checked; any CR3 of 32 bits will do. */
function checkRegisters(vmcs: Vmcs, capabilities: VmxCapabilities): boolean {
  const controls = vmcs.get32(Field.entryControls)
  if (!checkCr0(vmcs, capabilities) || !checkCr4(vmcs.get32(Field.guestCr4), capabilities)) return false
  if ((controls & EntryControl.loadDebug) !== 0 && !isWithin(vmcs, Field.guestDebugctl, Debugctl.mask)) return false
  if ((controls & EntryControl.loadPat) !== 0 && !checkPat(vmcs, Field.guestPat)) return false
  return (controls & EntryControl.loadEfer) === 0 || isWithin(vmcs, Field.guestEfer, capabilities.eferMask)
}

function checkCr0(vmcs: Vmcs, capabilities: VmxCapabilities): boolean {
  const cr0 = vmcs.get32(Field.guestCr0)
  const unrestricted = (secondaryControls(vmcs) & Secondary.unrestrictedGuest) !== 0
  const fixed = unrestricted ? capabilities.cr0Fixed0 & ~(Cr0.PE | Cr0.PG) : capabilities.cr0Fixed0
  return (~cr0 & fixed) === 0 && ((cr0 & Cr0.PG) === 0 || (cr0 & Cr0.PE) !== 0)
}

/** GDTR and IDTR (26.3.1.3). */
function checkTableLimits(vmcs: Vmcs): boolean {
  return (vmcs.get32(Field.guestGdtrLimit) | vmcs.get32(Field.guestIdtrLimit)) >>> 16 === 0
}

/** Bits 31:22, 15, 5 and 3. */
const FLAGS_RESERVED = 0xffc0_8028
const FLAGS_ONE = 2

/** RFLAGS (26.3.1.4). */
function checkFlags(vmcs: Vmcs): boolean {
  const flags = vmcs.get32(Field.guestRflags)
  if ((flags & FLAGS_RESERVED) !== 0 || (flags & FLAGS_ONE) === 0) return false
  if ((flags & Flag.VM) !== 0 && (vmcs.get32(Field.guestCr0) & Cr0.PE) === 0) return false
  return eventType(vmcs.get32(Field.entryInterruption)) !== EventType.externalInterrupt || (flags & Flag.IF) !== 0
}

/** Activity state (26.3.1.5), with the event that is injected into it. */
function checkActivity(vmcs: Vmcs): boolean {
  const activity = vmcs.get32(Field.guestActivity)
  if (activity === Activity.active) return true
  if (activity >>> 0 > LAST_ACTIVITY) return false
  if (activity === Activity.hlt && (vmcs.get32(Field.guestSsRights) & Rights.dpl) !== 0) return false
  if ((vmcs.get32(Field.guestInterruptibility) & (Blocking.sti | Blocking.movSs)) !== 0) return false
  return reaches(activity, vmcs.get32(Field.entryInterruption))
}

/** Does an event, if there is one, reach a processor in an activity state other than active? */
function reaches(activity: number, info: number): boolean {
  const type = eventType(info)
  if (type < 0 || type === EventType.nmi) return true
  const vector = info & EventInfo.vector
  if (type === EventType.hardwareException && vector === Vector.MC) return true
  if (activity !== Activity.hlt) return false
  if (type === EventType.hardwareException) return vector === Vector.DB
  return type === EventType.externalInterrupt || type === EventType.other
}

/** Interruptibility state (26.3.1.5). There is no SMM to be in, and no enclave. */
function checkBlocking(vmcs: Vmcs): boolean {
  const blocking = vmcs.get32(Field.guestInterruptibility)
  if ((blocking & ~(Blocking.sti | Blocking.movSs | Blocking.nmi)) !== 0) return false
  const sti = (blocking & Blocking.sti) !== 0
  const movSs = (blocking & Blocking.movSs) !== 0
  if (sti && (movSs || (vmcs.get32(Field.guestRflags) & Flag.IF) === 0)) return false
  const type = eventType(vmcs.get32(Field.entryInterruption))
  if (type === EventType.externalInterrupt) return !sti && !movSs
  if (type !== EventType.nmi) return true
  const virtualNmis = (vmcs.get32(Field.pinControls) & Pin.virtualNmis) !== 0
  return !movSs && ((blocking & Blocking.nmi) === 0 || !virtualNmis)
}

/** A processor may refuse this, and this one does (26.3.1.5). */
function injectsNmiBehindSti(vmcs: Vmcs): boolean {
  const sti = (vmcs.get32(Field.guestInterruptibility) & Blocking.sti) !== 0
  return sti && eventType(vmcs.get32(Field.entryInterruption)) === EventType.nmi
}

/** All but B0 to B3, the enabled breakpoint (12) and BS (14). */
const PENDING_RESERVED = 0xffff_aff0
const PENDING_BS = 0x4000

/** Pending debug exceptions (26.3.1.5): single-stepping leaves BS pending where something holds it up, and nothing else does. */
function checkPendingDebug(vmcs: Vmcs): boolean {
  const pending = vmcs.get32(Field.guestPendingDebug)
  if ((pending & PENDING_RESERVED) !== 0) return false
  const held = (vmcs.get32(Field.guestInterruptibility) & (Blocking.sti | Blocking.movSs)) !== 0
  if (!held && vmcs.get32(Field.guestActivity) !== Activity.hlt) return true
  const trap = (vmcs.get32(Field.guestRflags) & Flag.TF) !== 0
  const branches = (vmcs.get32(Field.guestDebugctl) & Debugctl.BTF) !== 0
  return ((pending & PENDING_BS) !== 0) === (trap && !branches)
}

/** The VMCS link pointer (26.3.1.5): all ones, or another region that is not a shadow VMCS. */
function checkLinkPointer(vmcs: Vmcs, capabilities: VmxCapabilities, memory: Words): boolean {
  const field = Field.vmcsLinkPointer
  if (vmcs.get32(field) === -1 && highHalf(vmcs, field) === 0xffff_ffff) return true
  if (!isAddress(vmcs, field, 0xfff, capabilities)) return false
  const address = vmcs.getNumber(field)
  return address !== vmcs.address && memory.read32(address) === REVISION
}

/** Bits 8:5 and 2:1 of an entry (vol. 3A, table 4-8); those above the width of addresses are reserved as well. */
const PDPTE_RESERVED = 0x1e6

/** The entries of PAE paging (26.3.1.6): with EPT those in the VMCS, else those that CR3 points at. */
function checkPdptes(vmcs: Vmcs, capabilities: VmxCapabilities, memory: Words): boolean {
  if ((vmcs.get32(Field.guestCr0) & Cr0.PG) === 0 || (vmcs.get32(Field.guestCr4) & Cr4.PAE) === 0) return true
  const inVmcs = (secondaryControls(vmcs) & Secondary.ept) !== 0
  const table = (vmcs.get32(Field.guestCr3) & ~31) >>> 0
  for (let n = 0; n < 4; n++) {
    const field = Field.guestPdpte0 + 2 * n
    const low = inVmcs ? vmcs.get32(field) : memory.read32(table + 8 * n)
    const high = inVmcs ? highHalf(vmcs, field) : memory.read32(table + 8 * n + 4)
    if ((low & 1) === 0) continue
    if ((low & PDPTE_RESERVED) !== 0 || high >= capabilities.physicalEnd / 0x1_0000_0000) return false
  }
  return true
}
