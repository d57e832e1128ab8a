/** Exits that events cause: exceptions, interrupts, windows and timers (SDM vol. 3C, 25.2 and 26.7). */
import { Flag, Vector } from '../state/layout.ts'
import { Dr6 } from '../system/bits.ts'
import type { CpuEvent, TaskCause } from '../system/event.ts'
import { EPT_FAULT, LEFT_GUEST } from '../system/fault.ts'
import { ExitControl, Pin, Primary } from './controls.ts'
import { EventInfo, EventType } from './event.ts'
import { exitGuest } from './exit.ts'
import { ExitReason } from './exit-reasons.ts'
import { describeEvent } from './interruption.ts'
import type { VmxUnit } from './unit.ts'

/** Bits of DR6 that the exit qualification of a debug exception has. */
const DEBUG_CONDITIONS = 0xf | Dr6.BD | Dr6.BS | Dr6.BT

/** Does the event leave the guest instead of going through its IDT? Then it has. `state.ip` is what would be pushed. */
export function interceptEvent(unit: VmxUnit, event: CpuEvent): boolean {
  if (event.source === 'fault' && event.vector === Vector.PF) {
    if (event.errorCode === EPT_FAULT) {
      exitOnStage(unit, event.address ?? 0)
      return true
    }
    if (!event.injected && interceptPageFault(unit, event.errorCode!, event.address!)) return true
    return false
  }
  if (event.injected || event.source === 'external' || event.source === 'nmi' || event.source === 'software')
    return false
  if ((unit.controls.exceptions & (1 << event.vector)) === 0) return false
  const isDebug = event.vector === Vector.DB
  // What ends in a double fault is not said to be in delivery (27.2.4).
  if (event.vector === Vector.DF) unit.vectoring = undefined
  const { events } = unit.parts.core
  exitOnException(unit, event, isDebug ? events.pendingDebug & DEBUG_CONDITIONS : 0)
  return true
}

/** The same for a page fault that an instruction meets. */
export function interceptPageFault(unit: VmxUnit, errorCode: number, address: number): boolean {
  if (errorCode === EPT_FAULT) {
    exitOnStage(unit, address)
    return true
  }
  const { exceptions, pageFaultMask, pageFaultMatch } = unit.controls
  const wanted = (exceptions & (1 << Vector.PF)) !== 0
  if (((errorCode & pageFaultMask) === pageFaultMatch) !== wanted) return false
  exitOnException(unit, { vector: Vector.PF, source: 'fault', errorCode }, address)
  return true
}

/** Of an exit that is met while INT n or its like is delivered, injected or not, RIP is saved as that instruction's (27.3.3). */
function rewind({ vectoring, parts, instruction }: VmxUnit): void {
  if (vectoring?.source === 'software' || vectoring?.source === 'int1') parts.core.state.ip = instruction.start
}

function exitOnException(unit: VmxUnit, event: CpuEvent, qualification: number): void {
  const { events } = unit.parts.core
  rewind(unit)
  if (event.vector === Vector.DB) events.pendingDebug = 0
  exitGuest(unit, ExitReason.exceptionOrNmi, {
    qualification,
    interruption: describeEvent(event),
    errorCode: event.errorCode ?? 0,
    resume: event.source === 'fault' && event.vector !== Vector.DF && event.vector !== Vector.MC,
  })
}

/** EPT violation or misconfiguration: the walk has left what it was. */
function exitOnStage(unit: VmxUnit, linear: number): void {
  const { fault, qualification, guestPhysical } = unit.parts.mmu.result
  rewind(unit)
  const resume = unit.vectoring === undefined
  if (fault === 'ept-misconfiguration')
    exitGuest(unit, ExitReason.eptMisconfiguration, { physical: guestPhysical, resume })
  else exitGuest(unit, ExitReason.eptViolation, { qualification, physical: guestPhysical, linear, resume })
}

/** CALL, IRET, JMP, or a task gate of the IDT: the qualification's bits 31:30. */
const TASK_SOURCE: Readonly<Record<TaskCause, number>> = { call: 0, return: 1, jump: 2, event: 3 }

/** A guest cannot switch tasks (25.4.2). Throws {@link LEFT_GUEST} through what would have. */
export function exitOnTaskSwitch(unit: VmxUnit, selector: number, cause: TaskCause): never {
  const { start, length } = unit.instruction
  const { state } = unit.parts.core
  const isEvent = cause === 'event'
  // An event that is no instruction's has nothing behind it.
  const ofInstruction = !isEvent || unit.vectoring?.source === 'software' || unit.vectoring?.source === 'int1'
  if (ofInstruction) state.ip = start
  if (!isEvent) unit.vectoring = undefined
  const qualification = selector | (TASK_SOURCE[cause] << 30)
  exitGuest(unit, ExitReason.taskSwitch, { qualification }, ofInstruction ? length : 0)
  throw LEFT_GUEST
}

/** A fault while a double fault was to be delivered. */
export function exitOnTripleFault(unit: VmxUnit): void {
  exitGuest(unit, ExitReason.tripleFault)
}

/** INT3, INTO or INT1, which the exception bitmap may name; `state.ip` is the instruction's. */
export function interceptSoftwareException(unit: VmxUnit, vector: number, length: number): boolean {
  if ((unit.controls.exceptions & (1 << vector)) === 0) return false
  const type = vector === Vector.DB ? EventType.privilegedSoftwareException : EventType.softwareException
  exitGuest(unit, ExitReason.exceptionOrNmi, { interruption: EventInfo.valid | (type << 8) | vector }, length)
  return true
}

/** What waits outside of the guest at an instruction boundary. */
export interface Waiting {
  nmi(): boolean
  interrupt(): boolean
  /** The interrupt acknowledge cycle. */
  acknowledge(): number
  /** The NMI is taken. */
  takeNmi(): void
}

/** Exits that come before the debug traps of the instruction that has ended. */
export function exitBeforeTraps(unit: VmxUnit): boolean {
  if (!unit.trapPending) return false
  exitGuest(unit, ExitReason.monitorTrapFlag)
  return true
}

/** Exits at an instruction boundary, behind debug traps, by priority (26.2, 6.9). */
export function exitAtBoundary(unit: VmxUnit, waiting: Waiting): boolean {
  const { controls, parts } = unit
  const { state, events } = parts.core
  if ((controls.pin & Pin.preemptionTimer) !== 0 && unit.timerLeft() === 0) {
    exitGuest(unit, ExitReason.preemptionTimer)
    return true
  }
  if (events.shadow === 'ss') return false
  if ((controls.primary & Primary.nmiWindowExiting) !== 0 && !events.nmiBlocked && events.shadow === 'none') {
    exitGuest(unit, ExitReason.nmiWindow)
    return true
  }
  const blocked = events.nmiBlocked && (controls.pin & Pin.virtualNmis) === 0
  if (waiting.nmi() && (controls.pin & Pin.nmiExiting) !== 0 && !blocked) {
    waiting.takeNmi()
    exitGuest(unit, ExitReason.exceptionOrNmi, { interruption: EventInfo.valid | (EventType.nmi << 8) | Vector.NMI })
    if (!unit.external) events.nmiBlocked = true
    return true
  }
  if ((controls.primary & Primary.interruptWindowExiting) !== 0 && state.flag(Flag.IF) && events.shadow === 'none') {
    exitGuest(unit, ExitReason.interruptWindow)
    return true
  }
  if (!waiting.interrupt() || (controls.pin & Pin.externalInterruptExiting) === 0) return false
  const acknowledged = (controls.exit & ExitControl.acknowledgeInterrupt) !== 0
  exitGuest(unit, ExitReason.externalInterrupt, {
    interruption: acknowledged ? EventInfo.valid | waiting.acknowledge() : 0,
  })
  return true
}

/** Does something that waits, or a window, end the guest's HLT? */
export function endsHalt(unit: VmxUnit, waiting: Pick<Waiting, 'nmi' | 'interrupt'>): boolean {
  const { controls, parts } = unit
  if (waiting.interrupt() && (controls.pin & Pin.externalInterruptExiting) !== 0) return true
  if (waiting.nmi() && (controls.pin & Pin.nmiExiting) !== 0) return true
  if ((controls.pin & Pin.preemptionTimer) !== 0 && unit.timerLeft() === 0) return true
  const { state, events } = parts.core
  if ((controls.primary & Primary.interruptWindowExiting) !== 0 && state.flag(Flag.IF)) return true
  return (controls.primary & Primary.nmiWindowExiting) !== 0 && !events.nmiBlocked
}

/** Does a window or an exit hang on flags that generated code may change, so that it must leave then? */
export function wantsAttention(unit: VmxUnit): boolean {
  return unit.nonRoot && (unit.controls.primary & (Primary.interruptWindowExiting | Primary.nmiWindowExiting)) !== 0
}

/** Is there an exit at the next boundary though the guest has interrupts disabled? */
export function exitsWhileDisabled({ controls, parts }: VmxUnit, waiting: Pick<Waiting, 'interrupt'>): boolean {
  if ((controls.pin & Pin.externalInterruptExiting) !== 0 && waiting.interrupt()) return true
  return (controls.primary & Primary.nmiWindowExiting) !== 0 && !parts.core.events.nmiBlocked
}
