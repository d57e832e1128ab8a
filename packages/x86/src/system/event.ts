/** Events that a CPU delivers, and what switches tasks. */

/**
 * What is to be delivered. `state.ip` is what is pushed: the instruction for faults, the next one for all else.
 * `software`: INT n, INT3, INTO. `int1`: INT1. `trap`: also the instruction-breakpoint fault, which leaves RF as it is.
 * `sysenter`: only where ring 0 is outside of the machine (`RingZero`).
 */
export interface CpuEvent {
  readonly vector: number
  readonly source: 'fault' | 'trap' | 'software' | 'int1' | 'external' | 'nmi' | 'sysenter'
  /** For the vectors that push one, when `source` is `fault`. */
  readonly errorCode?: number | undefined
  /** Linear address for CR2, when a page fault. */
  readonly address?: number
  /** INT3 and INTO, whose source is `software`: they raise an exception, as INT 3 does not (SDM vol. 3C, 25.2). */
  readonly isException?: boolean
  /** VM entry delivers it: it leaves no guest, and RF is pushed as it is. */
  readonly injected?: boolean
  /** The event came between two iterations of a REP instruction: RF is pushed as 1. Faults imply it. */
  readonly resume?: boolean
}

/** Why a task is switched. `event`: through a task gate of the IDT. `call` and `event` nest, `return` is IRET with NT set. */
export type TaskCause = 'jump' | 'call' | 'event' | 'return'
