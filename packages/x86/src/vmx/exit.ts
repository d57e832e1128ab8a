/** VM exits (SDM vol. 3C, chapter 27). */
import { Flag } from '../state/layout.ts'
import { Dr6 } from '../system/bits.ts'
import { ExitControl, Pin } from './controls.ts'
import { ExitReason } from './exit-reasons.ts'
import { Field } from './fields.ts'
import { saveGuestState } from './guest-state.ts'
import { loadHostState } from './host-state.ts'
import { describeEvent } from './interruption.ts'
import { loadMsrs, storeMsrs } from './msr-lists.ts'
import type { VmxUnit } from './unit.ts'

/** What an exit tells beside its reason; what is left out is 0. */
export interface ExitInformation {
  readonly qualification?: number
  /** Interruption information and the error code of what caused it. */
  readonly interruption?: number
  readonly errorCode?: number
  readonly instructionInfo?: number
  readonly linear?: number
  readonly physical?: number
  /** RF is saved as 1: faults, and what is like one. */
  readonly resume?: boolean
}

/** Bit 12 of the interruption information and of the qualification of an EPT violation. */
const NMI_UNBLOCKING = 1 << 12
/** What leaves a guest between two instructions, where a single step's trap may be pending. */
const BETWEEN: readonly number[] = [
  ExitReason.externalInterrupt,
  ExitReason.interruptWindow,
  ExitReason.nmiWindow,
  ExitReason.monitorTrapFlag,
  ExitReason.preemptionTimer,
]
const NOTHING: ExitInformation = {}
/** VMX-abort indicators (27.7). */
const Abort = { storingMsrs: 1, hostPdptes: 2, loadingMsrs: 4 } as const
/** Exit reason, bit 31: VM entry has failed. */
const ENTRY_FAILURE = 1 << 31

/**
 * Leaves the guest, `state.ip` being what its RIP is to be saved as. Where a program outside of the machine stands in root operation, no
 * host state is loaded and the run ends. `instructionLength`: of the instruction that has left the guest.
 */
export function exitGuest(
  unit: VmxUnit,
  reason: (typeof ExitReason)[keyof typeof ExitReason],
  information: ExitInformation = NOTHING,
  instructionLength?: number,
): void {
  const { vmcs, controls } = unit
  vmcs.open()
  unit.exits[reason]!++
  record(unit, reason, information, instructionLength)
  // An instruction that has left was not executed: no step is behind it.
  const { events } = unit.parts.core
  if (events.pendingDebug !== 0 && !BETWEEN.includes(reason)) events.pendingDebug &= ~Dr6.BS
  // Where the next entry finds all as it was left, it loads nothing: so it is left as it is to be saved.
  if (information.resume === true) unit.parts.core.state.setFlag(Flag.RF, true)
  if (unit.external) unit.unsaved = true
  else saveGuestState(unit)
  if ((controls.pin & Pin.preemptionTimer) !== 0 && (controls.exit & ExitControl.savePreemptionTimer) !== 0)
    vmcs.set32(Field.guestPreemptionTimer, unit.timerLeft())
  // An injected event is delivered once.
  vmcs.set32(Field.entryInterruption, vmcs.get32(Field.entryInterruption) & 0x7fff_ffff)
  vmcs.close()
  // Host state takes the place of the registers else.
  unit.unchanged = unit.external
  const stored = storeMsrs(unit, vmcs.getNumber(Field.exitMsrStoreAddress), vmcs.get32(Field.exitMsrStoreCount))
  if (stored) toRoot(unit)
  else abort(unit, Abort.storingMsrs)
}

/** VM entry has failed after its first checks (26.8): guest state is as it was, host state is loaded. */
export function failEntry(
  unit: VmxUnit,
  reason: typeof ExitReason.invalidGuestState | typeof ExitReason.msrLoading,
  qualification: number,
): void {
  const { vmcs } = unit
  vmcs.open()
  unit.exits[reason]!++
  unit.recorded = false
  vmcs.set32(Field.exitReason, reason | ENTRY_FAILURE)
  vmcs.setNumber(Field.exitQualification, qualification)
  vmcs.close()
  toRoot(unit)
}

function record(unit: VmxUnit, reason: number, information: ExitInformation, instructionLength?: number): void {
  const { vmcs, vectoring, lastExit } = unit
  const { qualification = 0, interruption = 0 } = information
  const unblocking = nmiUnblocking(unit)
  lastExit.reason = reason
  lastExit.qualification = (reason === ExitReason.eptViolation ? qualification | unblocking : qualification) >>> 0
  lastExit.interruption = (interruption === 0 ? 0 : interruption | unblocking) >>> 0
  lastExit.errorCode = (information.errorCode ?? 0) >>> 0
  // An exit met while INT n and its like are delivered tells how long they are (27.2.4).
  const software = vectoring?.source === 'software' || vectoring?.source === 'int1'
  lastExit.instructionLength = instructionLength ?? (software ? unit.instruction.length : 0)
  lastExit.linear = (information.linear ?? 0) >>> 0
  lastExit.physical = information.physical ?? 0
  lastExit.vectoring = vectoring === undefined ? 0 : describeEvent(vectoring) >>> 0
  lastExit.vectoringErrorCode = (vectoring?.source === 'fault' ? (vectoring.errorCode ?? 0) : 0) >>> 0
  unit.recorded = true
  vmcs.set32(Field.exitReason, reason)
  vmcs.setNumber(Field.exitQualification, lastExit.qualification)
  vmcs.set32(Field.exitInterruption, lastExit.interruption)
  vmcs.set32(Field.exitErrorCode, lastExit.errorCode)
  vmcs.set32(Field.exitInstructionLength, lastExit.instructionLength)
  vmcs.set32(Field.exitInstructionInfo, information.instructionInfo ?? 0)
  vmcs.setNumber(Field.guestLinearAddress, lastExit.linear)
  vmcs.setNumber(Field.guestPhysicalAddress, lastExit.physical)
  vmcs.set32(Field.idtVectoring, lastExit.vectoring)
  vmcs.set32(Field.idtVectoringErrorCode, lastExit.vectoringErrorCode)
  unit.vectoring = undefined
  unit.unblocksNmis = false
}

/**
 * The bit for what an IRET has met that had already ended the blocking of NMIs: whoever has it executed again has to restore that. Of an
 * IRET that ends no blocking which the VMM has to do with, nothing is said (27.2.1, 27.2.2).
 */
function nmiUnblocking({ unblocksNmis, vectoring, controls }: VmxUnit): number {
  const others = (controls.pin & Pin.nmiExiting) !== 0 && (controls.pin & Pin.virtualNmis) === 0
  return unblocksNmis && vectoring === undefined && !others ? NMI_UNBLOCKING : 0
}

function toRoot(unit: VmxUnit): void {
  const { vmcs } = unit
  unit.operation = 'root'
  unit.trapPending = false
  if (unit.external) return
  vmcs.open()
  if (!loadHostState(unit)) abort(unit, Abort.hostPdptes)
  else if (loadMsrs(unit, vmcs.getNumber(Field.exitMsrLoadAddress), vmcs.get32(Field.exitMsrLoadCount)) !== 0)
    abort(unit, Abort.loadingMsrs)
}

/** The processor stops for good. */
function abort(unit: VmxUnit, indicator: number): void {
  unit.operation = 'root'
  unit.vmcs.open()
  unit.vmcs.abort = indicator
  unit.vmcs.close()
  unit.parts.core.events.shutdown = true
}
