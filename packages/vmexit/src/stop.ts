/** How a run of a PC ended, in the words of whoever started it. */
import type { Stop } from '@vmexit/core'

/** Why a run of a PC ended. */
export type PcStopReason =
  /** The guest powered the machine off, by ACPI or by the exit port. */
  | 'off'
  /** The guest asked for a reset, and `onReset` says to stop. */
  | 'reset'
  /** The CPU shut down: an exception while it delivered a double fault (a triple fault). */
  | 'triple-fault'
  /** The CPU halted with interrupts disabled: nothing in the machine will wake it. */
  | 'halted'
  /** The CPU faults without end and never retires an instruction. */
  | 'stuck'
  /** A VM's machine has no page left that the guest needs; what it had is given back to the machine. A reset boots it anew. */
  | 'machine-memory'
  /** The signal was aborted; run it again to go on. */
  | 'aborted'
  /** As many instructions were retired, or as much virtual time has gone by, as was asked for. */
  | 'limit'
  /** Every CPU waits for an input, and `idle` says to return. */
  | 'idle'

/** How a run of a PC ended. */
export interface PcStop {
  readonly reason: PcStopReason
  /** What the guest wrote to the exit port, as the exit code of a process: (value << 1) | 1; undefined if it did not. */
  readonly exitCode: number | undefined
  /** Instructions retired in this run. */
  readonly instructions: number
  /** Virtual seconds since power-on. */
  readonly seconds: number
}

/** The PC's word for what stopped the run loop. */
export function reasonOf({ reason, exit }: Pick<Stop, 'reason' | 'exit'>, interruptible: boolean): PcStopReason {
  switch (reason) {
    case 'shutdown':
      return 'triple-fault'
    case 'instructions':
    case 'time':
      return 'limit'
    case 'idle':
      return interruptible ? 'idle' : 'halted'
    case 'exit':
      if (exit?.reason === 'machine-memory') return exit.reason
      throw new Error(`a PC's CPU has no reason '${exit?.reason}' to stop`)
    default:
      return reason
  }
}
