/**
 * A tier behind the interpreter: an engine that translates what is executed often. The interpreter counts at the heads of
 * loops and functions, tells the tier of the hot ones, and enters its translations; whatever a translation cannot go on
 * with comes back to the interpreter, at a record.
 */
import type { GuestMemory, HostMemory } from '@vmexit/memory'
import type { Decoder } from '@vmexit/x86-decoder'
import type { RoutineLibrary } from '../ops/routines.ts'
import type { CpuState } from '../state/state.ts'
import type { Mode } from './mode.ts'
import type { Records } from './records.ts'

/** What translations import from `env`. */
export interface TierImports {
  readonly memory: WebAssembly.Memory
  /**
   * (record) → {@link Acted}. Executes the instruction of the record by its action; it is not paid for yet. `next`: go on
   * behind it, what is left of the budget being in the state; `go`: as {@link Outcome.go}.
   */
  readonly act: (record: number) => number
  /** Interprets until a call comes back: see `RESUME`. */
  readonly resume: WebAssembly.ExportValue
  /** Translations by the numbers that heads have. */
  readonly table: WebAssembly.Table
}

/** What a tier is made of. */
export interface TierParts {
  readonly state: CpuState
  readonly host: HostMemory
  readonly memory: GuestMemory
  readonly decoder: Decoder
  readonly records: Records
  readonly routines: RoutineLibrary
  readonly imports: TierImports
  /** Instructions retired. */
  readonly retired: () => number
  /** Physical page that code at a linear page lies in, without a trace; −1 where it faults. */
  readonly codePage: (linear: number) => number
}

/** What a tier has done: of the host's work, not of the guest's. */
export interface TierStats {
  /** Translations alive, the blocks and guest instructions in them. */
  translations: number
  blocks: number
  instructions: number
  /** Modules and bytes alive. */
  modules: number
  bytes: number
  /** Modules compiled in all, and dropped to make room. */
  compiled: number
  evicted: number
  /** Translations dropped because their code was written. */
  invalidated: number
  /** Milliseconds that translating took, as far as it did not happen in the background; 0 where nobody has given it a clock. */
  time: number
}

export interface Tier {
  readonly stats: TierStats
  /** A head has been executed as often as the threshold says. */
  hot(head: number, mode: Mode): void
  /** The CPU is about to run for so many instructions at the most. */
  turn(instructions: number): void
  /** Code in physical page `pfn` is about to be written: its records leave, and its version is another one. */
  invalidated(pfn: number): void
  /** All records are gone. */
  reset(): void
}

/** A tier to be: `jit()` of `@vmexit/jit` makes one. */
export interface TierFactory {
  readonly name: 'jit'
  /** Executions of a loop or function after which it is translated. */
  readonly threshold: number
  /**
   * Makes the tier of one CPU.
   * @internal
   */
  create(parts: TierParts): Tier
}
