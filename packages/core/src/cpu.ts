/** The CPU seam: what a run loop needs of a processor, real or virtual. */
import type { InterruptSource } from './interrupts.ts'
import type { Stateful } from './state.ts'

/**
 * Why a CPU stopped. Open: a package adds the reasons of its CPUs by declaration merging.
 *
 * ```ts no-run
 * declare module '@vmexit/core' {
 *   interface ExitReasons {
 *     'page-fault': 'a guest page fault that its supervisor asked to see'
 *   }
 * }
 * ```
 */
export interface ExitReasons {
  budget: 'the budget is used up, or was shortened'
  halt: 'the CPU waits for an interrupt'
  shutdown: 'the CPU has stopped for good, as after a triple fault on x86'
}

/** The name of a reason to stop. */
export type ExitReason = keyof ExitReasons

/** One record per CPU, rewritten in place at each exit: read it, do not keep it. CPUs extend it with what they tell. */
export interface Exit {
  readonly reason: ExitReason
}

/** A processor: the capability `cpu`. Also what an execution strategy gives as the virtual CPU of a VM. */
export interface Cpu<E extends Exit = Exit> extends Stateful {
  /** Its number in the machine, from 0. */
  readonly id: number
  /**
   * Instructions retired since it was made, exact at every moment a device can see: a REP counts each iteration, a
   * faulting instruction counts when it completes, HLT counts once.
   */
  readonly retired: number
  /** Whether `run` would retire nothing: it waits for an interrupt, and none that it would take is pending. */
  readonly halted: boolean
  /**
   * While it is halted: whether an interrupt would end that. A machine whose CPUs all are halted for good is idle even if
   * timers are set. Left out, it is so.
   */
  readonly wakeable?: boolean
  /**
   * Runs until `budget` instructions are retired, exactly, or something else stops it. `budget` is a whole number from
   * 1 to 2^30. It may return `budget` with fewer retired, even none (deliveries of faults count nothing), but it must
   * return: a guest that never retires anything must not hold it.
   */
  run(budget: number): E
  /**
   * Called from a device during `run`: stop once `remaining` more instructions are retired. The one in progress counts
   * and always completes, so 0 and 1 both mean at once.
   */
  shorten(remaining: number): void
  /** Called once when the machine is composed, with what its interrupt controller has for this CPU. */
  connect(interrupts: InterruptSource): void
  /**
   * The A20M# pin of a PC's CPU: while it is off, bit 20 of every physical address is 0. Called when the machine is
   * composed and whenever the gate moves, also from a device during `run`. Left out by CPUs that have no such pin.
   */
  setA20?(enabled: boolean): void
  /** A pulse on the NMI pin. Called from a device also during `run`. Left out by CPUs that have no such pin. */
  nmi?(): void
  /** The state after power-on. `retired` goes on. */
  reset(): void
}
