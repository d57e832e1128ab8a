/**
 * Events of a repetition in cycles of one profile. An exit is what it takes to leave and to enter again, ten VMREADs, and the
 * VMM's own work where that was published.
 */
import { type CostProfile, type Counts, priceOf } from '@vmexit/core'

/** One line of what something costs. */
export interface Charge {
  readonly count: number
  /** Cycles of one event. */
  readonly each: number
}

/** What events cost under a profile. */
export interface Charged {
  /** Undefined where `unpriced` has anything. */
  readonly cycles: number | undefined
  readonly charges: Readonly<Record<string, Charge>>
  /** Events that the profile has no price for. */
  readonly unpriced: readonly string[]
}

/** What says which events of a column take the hardware's time. */
export interface Charging {
  readonly name: string
  /** `kernel` is the name of the comparison's. */
  charged(events: Counts, kernel: string): Counts
}

type Price = (profile: CostProfile) => number | undefined

const named =
  (...names: readonly string[]): Price =>
  (profile) =>
    names.map((name) => priceOf(name, profile)).find((price) => price !== undefined)
/** Work that takes instructions, which are charged already: 0 where nothing more was published. */
const more =
  (...names: readonly string[]): ((profile: CostProfile) => number) =>
  (profile) =>
    named(...names)(profile) ?? 0

/** A cycle an instruction: no profile says better. */
const instruction: Price = (profile) => named('instruction')(profile) ?? 1
const walkReference = named('walk-ref-l1l2-hit')

const EVENTS: Readonly<Record<string, Price>> = {
  instructions: instruction,
  // Of a kernel outside of the machine: see process/kernel-work.ts.
  'kernel-instructions': instruction,
  // Of the same in a container, beyond that: see container/container-work.ts.
  'container-instructions': instruction,
  emulated: named('insn-emulation'),
  'walk-references': walkReference,
  'second-stage-references': walkReference,
  'system-calls': more('syscall-rt', 'syscall-nokpti'),
  // Nearly all that a port read takes is the wait for the bus.
  'port-reads': named('in-port80'),
  'page-faults': more('page-fault-rt'),
  'other-exceptions': more('exception-rt'),
  // Work of the VMM beyond the exit: finding out that a fault is the guest's and handing it on; storing for the guest.
  'true-faults': (profile) => more('exit-true-pgfault')(profile) + more('page-fault-rt')(profile),
  'traced-writes': more('exit-ptemod-unchanged'),
}

/** Reasons of exits whose whole round trip, or whose share beyond a direct exit, was published. */
const REASONS: Readonly<Record<string, { readonly whole?: string; readonly share?: string; readonly work?: string }>> =
  {
    'vm-exits-cpuid': { whole: 'exit-cpuid', share: 'cpuid' },
    'vm-exits-rdmsr': { whole: 'exit-msr' },
    'vm-exits-wrmsr': { whole: 'exit-msr' },
    'vm-exits-exception-or-nmi': { whole: 'exit-exception' },
    'vm-exits-io': { whole: 'exit-pio', share: 'io', work: 'exit-in' },
    'vm-exits-cr-access': { share: 'cr' },
  }

function exitPrice(event: string, profile: CostProfile): number | undefined {
  const { whole, share, work } = REASONS[event] ?? {}
  const published = whole === undefined ? undefined : priceOf(whole, profile)
  if (published !== undefined) return published
  const [exit, entry, read] = ['vm-exit-pf', 'vm-entry', 'vmread'].map((name) => priceOf(name, profile))
  if (exit !== undefined && entry !== undefined) {
    const reads = (priceOf('vmreads-per-exit', profile) ?? 10) * (read ?? 0)
    return exit + entry + reads + (work === undefined ? 0 : more(work)(profile))
  }
  const direct = priceOf('exit-direct', profile)
  if (direct !== undefined)
    return (
      direct + (share === undefined ? 0 : more(`exit-indirect-${share}`)(profile) + more(`exit-sync-${share}`)(profile))
    )
  return named('hypercall', 'vmcall', 'kvm-hypercall')(profile)
}

/** Charges `events`, of which there may be fractions, under `profile`. Events that are 0 do not appear. */
export function charge(events: Counts, profile: CostProfile): Charged {
  const charges: Record<string, Charge> = {}
  const unpriced: string[] = []
  let cycles = 0
  for (const [event, count] of Object.entries(events)) {
    if (count === 0) continue
    const each = event.startsWith('vm-exits-') ? exitPrice(event, profile) : EVENTS[event]?.(profile)
    if (each === undefined) unpriced.push(event)
    else {
      charges[event] = { count, each }
      cycles += count * each
    }
  }
  return { cycles: unpriced.length > 0 ? undefined : cycles, charges, unpriced }
}
