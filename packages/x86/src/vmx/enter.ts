/** VM entries (SDM vol. 3C, chapter 26). */
import { Layout } from '../state/layout.ts'
import { deliver } from '../system/exceptions.ts'
import { checkControls, checkHost } from './checks.ts'
import { Pin, Primary, Secondary } from './controls.ts'
import { EventInfo, EventType } from './event.ts'
import { failEntry } from './exit.ts'
import { ExitReason } from './exit-reasons.ts'
import { Field } from './fields.ts'
import { checkGuest } from './guest-checks.ts'
import { loadGuestPdptes, loadGuestState } from './guest-state.ts'
import { controlRegisters } from './host-state.ts'
import { InstructionError } from './instruction-errors.ts'
import { eventToInject, pushesNextIp } from './interruption.ts'
import { loadMsrs } from './msr-lists.ts'
import type { VmxUnit } from './unit.ts'

/**
 * VMLAUNCH or VMRESUME of the current VMCS. 0 if the guest is entered, or the entry has failed as an exit does; else the
 * VM-instruction error, and nothing has happened.
 */
export function enterGuest(unit: VmxUnit, how: 'launch' | 'resume'): number {
  const { vmcs, parts } = unit
  if (parts.core.events.shadow === 'ss' && !unit.external) return InstructionError.eventsBlockedByMovSs
  vmcs.open()
  if (vmcs.launched !== (how === 'resume'))
    return how === 'launch' ? InstructionError.launchOfLaunched : InstructionError.resumeOfClear
  const injection = vmcs.get32(Field.entryInterruption)
  const injects = (injection & EventInfo.valid) !== 0
  if (!unit.unchanged || injects) {
    if (!checkControls(vmcs, parts.capabilities)) return InstructionError.invalidControls
    if (!unit.external && !checkHost(vmcs, parts.capabilities)) return InstructionError.invalidHostState
  }
  if (!unit.unchanged) {
    const wrong = checkGuest(vmcs, parts.capabilities, parts.memory)
    unit.readControls()
    if (wrong !== undefined) {
      failEntry(unit, ExitReason.invalidGuestState, wrong)
      return 0
    }
  }
  unit.operation = 'non-root'
  // Without EPT, PAE pointers come from memory at each entry.
  const keeps = unit.unchanged && (hasEpt(unit) || parts.mmu.reloadPdptes())
  if (!keeps && !load(unit)) return 0
  if (keeps && !unit.keepsTlb()) parts.mmu.flush()
  unit.unchanged = false
  vmcs.launched = true
  vmcs.close()
  unit.entries++
  const other = injects && ((injection >> 8) & 7) === EventType.other
  unit.trapPending = other || (injects && (unit.controls.primary & Primary.monitorTrapFlag) !== 0)
  if ((unit.controls.pin & Pin.preemptionTimer) !== 0) unit.startTimer(vmcs.get32(Field.guestPreemptionTimer) >>> 0)
  if (injects && !other) inject(unit, injection)
  return 0
}

const hasEpt = ({ controls }: VmxUnit): boolean => (controls.secondary & Secondary.ept) !== 0

/** Guest state and MSRs. False where the entry has failed. */
function load(unit: VmxUnit): boolean {
  const { vmcs, parts } = unit
  loadGuestState(unit)
  parts.mmu.load({ ...controlRegisters(unit), second: unit.secondStage() })
  if (!unit.keepsTlb()) parts.mmu.flush()
  if (!loadGuestPdptes(unit)) {
    failEntry(unit, ExitReason.invalidGuestState, 2)
    return false
  }
  const failed = loadMsrs(unit, vmcs.getNumber(Field.entryMsrLoadAddress), vmcs.get32(Field.entryMsrLoadCount))
  if (failed !== 0) failEntry(unit, ExitReason.msrLoading, failed)
  return failed === 0
}

/** Delivers the event through the guest's IDT: what goes wrong there is the guest's, and may exit. */
function inject(unit: VmxUnit, information: number): void {
  const { vmcs, parts } = unit
  const { state, events } = parts.core
  unit.instruction.start = state.ip
  unit.instruction.length = vmcs.get32(Field.entryInstructionLength)
  if (pushesNextIp(information)) state.ip = (state.ip + unit.instruction.length) >>> 0
  // Delivery ends the activity states but is no instruction: the blocking of the field does not hold it off.
  events.halted = false
  events.shadow = 'none'
  const errorCode = vmcs.get32(Field.entryErrorCode)
  deliver(parts.core, eventToInject(information, errorCode, state.getNumber(Layout.cr2)))
}
