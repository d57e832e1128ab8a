/** What the system part of a CPU asks of VMX: whether it runs a guest, and what leaves one. */
import type { Insn } from '@vmexit/x86-decoder'
import type { CpuEvent, TaskCause } from './event.ts'

/** VMX as instructions and deliveries see it. Only where {@link nonRoot} is true does anything leave. */
export interface GuestControl {
  /** A guest runs. */
  readonly nonRoot: boolean
  /** What is being delivered through the guest's IDT. */
  vectoring: CpuEvent | undefined
  /** The instruction that is executed is an IRET that has ended the blocking of NMIs. */
  unblocksNmis: boolean
  /**
   * Has the instruction at `start`, which `state.ip` is put to, left the guest? If {@link nonRoot} is true behind that, the VMM has done it
   * at once and entered the guest again: the instruction is over. @throws Fault.
   */
  interceptInstruction(insn: Insn, start: number): boolean
  /** Has the event, which is to be delivered, left the guest instead? */
  interceptEvent(event: CpuEvent): boolean
  exitOnTripleFault(): void
  /** @throws LeftGuest. */
  exitOnTaskSwitch(selector: number, cause: TaskCause): never
  /** What reading CR0 or CR4 gives, `value` being what it holds. */
  controlSeen(cr: 0 | 4, value: number): number
  /** What CR0 or CR4 becomes that holds `before` and is written `value`. */
  controlWritten(cr: 0 | 4, before: number, value: number): number
  /** May CR0 or CR4 hold `value` in VMX operation? */
  allows(cr: 0 | 4, value: number): boolean
  /** One of the VMX instructions. @throws Fault. */
  execute(insn: Insn): void
}
