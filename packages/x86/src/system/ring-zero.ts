/**
 * Ring 0 outside of the machine: a kernel in TypeScript owns it, and all that the CPU executes is user code. What would go through the
 * interrupt descriptor table, or through the MSRs of SYSENTER (SDM vol. 3A, chapter 6; vol. 2, SYSENTER), goes to the owner.
 */
import type { CpuEvent } from './event.ts'

/** Who owns ring 0 in place of guest code. */
export interface RingZero {
  /**
   * User code has come to ring 0, by a system call, a fault, a trap or an interrupt: a typed record in place of a frame on a stack.
   *
   * It is called in the middle of `Cpu.run`, and may change all of the CPU's state, as to go on with another task: `state.ip` is where
   * user code goes on. The instruction of a system call is over, `ip` behind it; that of a fault is not, and `ip` is at it. After a change of
   * segments or of flags other than the six of the status it calls `Cpu.events.modeChanged`.
   *
   * True: the CPU goes on. False: the run ends, with `ring-0`.
   */
  enter(event: CpuEvent): boolean
}

/** What SYSENTER gives: it has no vector. */
export const SYSENTER: CpuEvent = { vector: -1, source: 'sysenter' }

const calls: CpuEvent[] = Array.from({ length: 256 }, (_, vector) => ({ vector, source: 'software' }))

/** The record of INT `vector`, one object for all. */
export function softwareInterrupt(vector: number): CpuEvent {
  return calls[vector]!
}
