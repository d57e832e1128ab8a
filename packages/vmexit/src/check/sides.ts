/** The two PCs of a check, and how they differ. */
import type { PcStopReason } from '../stop.ts'
import type { Difference } from './equivalence.ts'
import type { GuestRegisters } from './guest-state.ts'
import type { MemoriesCompared } from './memories.ts'
import type { Side } from './side.ts'

/** The bare machine, and the VM. */
export interface Sides {
  readonly native: Side
  readonly vm: Side
}

/** Everything that was compared. */
export interface Apart {
  readonly isEqual: boolean
  readonly registers: { readonly native: GuestRegisters; readonly vm: GuestRegisters }
  readonly differences: readonly Difference[]
  readonly memory: MemoriesCompared
  readonly devices: readonly Difference[]
  /** Why each stopped, where that is not the same. */
  readonly stops?: { readonly native: PcStopReason; readonly vm: PcStopReason } | undefined
}
