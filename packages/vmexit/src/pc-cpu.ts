/** What a PC wants to know of the CPU that its guest sees, whoever executes the guest. */
import type { System } from '@vmexit/core'
import { type Cpu, Seg } from '@vmexit/x86'

/** Where an x86 CPU is. */
export interface Position {
  readonly cs: number
  readonly ip: number
}

/** One exit of a guest to its VMM. */
export interface VmExit {
  /** As counters have it behind `vm-exits-`: `io`, `ept-violation`. */
  readonly reason: string
  /** EIP of the guest's instruction. */
  readonly ip: number
  /** What the reason's exit qualification says (SDM vol. 3C, 28.2.1). */
  readonly qualification: number
  /** Of the guest's instructions, how many it had retired. */
  readonly instructions: number
}

/** The guest's CPU. */
export interface PcCpu {
  /** The CPU whose engine executes the guest: that of a machine, or one that a VMM keeps. */
  readonly executes: Cpu
  /** Where the guest is. To look leaves no trace. */
  position(): Position
  /** Would an interrupt be taken? */
  interruptible(): boolean
  /** A CPU whose registers are the guest's: brought there, if they are elsewhere. Only between runs. */
  inspect(): Cpu
  /** Has each exit told from now on, until it is disposed of. Where nothing ever exits, there is none. */
  watchExits?(watch: (exit: VmExit) => void): Disposable
}

/** A CPU that is one: of a bare machine, or of a VMM that interprets. */
export function plainCpu(system: System): PcCpu {
  const cpu = system.find('x86')!
  return { executes: cpu, position: () => positionOf(cpu), interruptible: () => cpu.wakeable, inspect: () => cpu }
}

/** Where a CPU is by its registers. */
export function positionOf({ state }: Cpu): Position {
  return { cs: state.selector(Seg.cs), ip: state.ip }
}
