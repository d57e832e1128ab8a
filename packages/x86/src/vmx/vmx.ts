/** VMX of one CPU: its state, and what instructions and deliveries ask of it. */
import type { Insn } from '@vmexit/x86-decoder'
import type { CpuEvent, TaskCause } from '../system/event.ts'
import type { GuestControl } from '../system/guest-control.ts'
import { controlSeen, controlWritten, isFixed } from './control-masks.ts'
import { exitOnTaskSwitch, exitOnTripleFault, interceptEvent } from './events.ts'
import { flushGuestState } from './guest-state.ts'
import { instructions } from './instructions.ts'
import { interceptInstruction } from './intercept.ts'
import { type VmxState, VmxUnit } from './unit.ts'

/** See {@link GuestControl}. */
export class Vmx extends VmxUnit implements GuestControl {
  interceptInstruction(insn: Insn, start: number): boolean {
    this.vectoring = undefined
    this.unblocksNmis = false
    this.instruction.start = start
    this.instruction.length = insn.length
    this.parts.core.state.ip = start
    return interceptInstruction(this, insn)
  }
  interceptEvent(event: CpuEvent): boolean {
    return interceptEvent(this, event)
  }
  exitOnTripleFault(): void {
    exitOnTripleFault(this)
  }
  exitOnTaskSwitch(selector: number, cause: TaskCause): never {
    return exitOnTaskSwitch(this, selector, cause)
  }
  controlSeen(cr: 0 | 4, value: number): number {
    return controlSeen(this, cr, value)
  }
  controlWritten(cr: 0 | 4, before: number, value: number): number {
    return controlWritten(this, cr, before, value)
  }
  allows(cr: 0 | 4, value: number): boolean {
    return isFixed(this, cr, value)
  }
  execute(insn: Insn): void {
    instructions[insn.op]!(this, this.parts.core, insn)
  }

  override save(): VmxState {
    flushGuestState(this)
    return super.save()
  }
}
