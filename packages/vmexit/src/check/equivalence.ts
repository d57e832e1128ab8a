/** What a check has found: plain data. Numbers are unsigned; registers are hexadecimal text, by name. */
import type { PcStopReason } from '../stop.ts'
import type { TechniqueName } from '../techniques.ts'

/** One thing that is not the same on both. */
export interface Difference {
  readonly name: string
  readonly native: string
  readonly vm: string
}

/** A word of guest-physical memory that is not the same on both. */
export interface MemoryDifference {
  /** Guest-physical, a multiple of 4. */
  readonly address: number
  readonly native: number
  readonly vm: number
}

/** Why the two came apart, as far as it can be told. */
export interface DivergenceReason {
  readonly kind:
    | 'exception'
    | 'sensitive-instruction'
    | 'identification'
    | 'time'
    | 'device-read'
    | 'device-state'
    | 'stale-translation'
    | 'stop'
    | 'start'
    | 'unknown'
  readonly words: string
}

/** The first instruction after which the guest under the technique is not where it is on the bare machine. */
export interface Divergence {
  /** Instructions that both have retired alike. */
  readonly after: number
  /** Virtual seconds since power-on, before the instruction. */
  readonly seconds: number
  /** Where the instruction is. */
  readonly cs: number
  readonly ip: number
  readonly linear: number
  readonly bytes: readonly number[]
  /** Its disassembly. */
  readonly text: string
  /** Registers before it, equal on both. */
  readonly before: Readonly<Record<string, string>>
  /** All registers after it. */
  readonly registers: {
    readonly native: Readonly<Record<string, string>>
    readonly vm: Readonly<Record<string, string>>
  }
  /** What of the registers, of what is pending, of time and of the console is not the same. */
  readonly differences: readonly Difference[]
  /** The first words of memory that are not the same. */
  readonly memory: readonly MemoryDifference[]
  /** All such words. */
  readonly memoryWords: number
  /** The first fields of chips that are not the same. */
  readonly devices: readonly Difference[]
  readonly reason: DivergenceReason
}

/** A stretch in which the two came apart only by what their TLBs held. */
export interface StaleStretch {
  /** Instructions retired: equal at both ends, and all the way when repeated with empty TLBs. */
  readonly from: number
  readonly to: number
}

/** What was compared, and what came of it. */
export interface Equivalence {
  readonly equal: boolean
  readonly technique: TechniqueName
  readonly mmu?: string | undefined
  /** Why the comparison ended: why both guests did, `limit`, `aborted`, or `diverged`. */
  readonly stop: PcStopReason | 'diverged'
  /** Instructions up to which all was equal. */
  readonly instructions: number
  /** Virtual seconds then. */
  readonly seconds: number
  /** Comparisons of the whole state. */
  readonly checkpoints: number
  /** What the architecture leaves open, and was made equal; see the list in `tolerated.ts`. */
  readonly tolerated: {
    /** Entries of page tables with other accessed and dirty bits. */
    readonly tableBits: number
    readonly staleTranslations: readonly StaleStretch[]
    /** Interrupts that one has delivered and the other is about to, between the same two instructions. */
    readonly interruptBoundaries: number
  }
  readonly divergence?: Divergence | undefined
}
