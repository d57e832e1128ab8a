/** One event of a workload, step by step: on which floor what ran, which tables were read, what it cost. Plain data, the same each time. */
import type { CostProfile, Counts } from '@vmexit/core'
import type { TableEntry } from '@vmexit/paging'
import { type Charged, type Charging, charge } from '../charge.ts'

/** What is explained. */
export type EventKind = 'syscall' | 'fault' | 'pte-write' | 'io'

/** All of them, with what they are called. */
export const EVENT_KINDS: Readonly<Record<EventKind, string>> = {
  syscall: 'system call',
  fault: 'page fault',
  'pte-write': 'store to a page table',
  io: 'port access',
}

/** Who runs: a program, the kernel of a guest or one outside of the machine, a VMM; or what the hardware does by itself. */
export type Floor = 'program' | 'kernel' | 'host kernel' | 'container' | 'vmm' | 'hardware'

/** One step. */
export interface Step extends Charged {
  readonly floor: Floor
  /** In words. */
  readonly what: string
  /** Offset of the first instruction of a program or a kernel. */
  readonly at: number | undefined
  readonly events: Counts
  /** Entries of tables that the hardware read, in their order. */
  readonly reads: readonly TableEntry[]
}

/** The trace of one event, and its sums. */
export interface Explanation extends Charged {
  readonly version: 1
  readonly workload: string
  readonly technique: string
  readonly kernel: string
  readonly profile: string
  readonly what: EventKind
  readonly steps: readonly Step[]
  readonly events: Counts
}

/** Puts steps together and prices them. */
export class Steps {
  readonly #technique: Charging
  readonly #kernel: string
  readonly #profile: CostProfile
  readonly #steps: Step[] = []

  constructor(technique: Charging, kernel: string, profile: CostProfile) {
    this.#technique = technique
    this.#kernel = kernel
    this.#profile = profile
  }

  get all(): readonly Step[] {
    return this.#steps
  }

  /** A step of its own. */
  add(floor: Floor, what: string, events: Counts, more: Partial<Pick<Step, 'at' | 'reads'>> = {}): void {
    this.#steps.push({ floor, what, at: more.at, reads: more.reads ?? [], ...this.#priced(happened(events)) })
  }

  /** Instructions of a floor: more of the last step, where that is the same floor's. */
  addInstructions(floor: Floor, what: string, events: Counts, at: number): void {
    const last = this.#steps.at(-1)
    if (last === undefined || last.floor !== floor || last.what !== what) {
      this.add(floor, what, events, { at })
      return
    }
    this.#steps.pop()
    this.#steps.push({ ...last, ...this.#priced(sum([last.events, happened(events)])) })
  }

  /** Sums, priced as a whole. */
  total(): Charged & { readonly events: Counts } {
    return this.#priced(sum(this.#steps.map(({ events }) => events)))
  }

  #priced(events: Counts): Charged & { readonly events: Counts } {
    return { events, ...charge(this.#technique.charged(events, this.#kernel), this.#profile) }
  }
}

const happened = (events: Counts): Counts =>
  Object.fromEntries(Object.entries(events).filter(([, count]) => count !== 0))

function sum(all: readonly Counts[]): Counts {
  const names = [...new Set(all.flatMap((each) => Object.keys(each)))]
  return Object.fromEntries(names.map((name) => [name, all.reduce((total, each) => total + (each[name] ?? 0), 0)]))
}
