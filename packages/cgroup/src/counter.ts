/**
 * A counter with a limit in a tree of counters: what one has counted, all above it have counted too. Memory and
 * processes are counted so.
 *
 * Charging is on the kernel's hot paths: it is two walks over numbers, and nothing is batched, so that every counter is
 * exact at any time (`docs/decisions/0018`).
 */
import { VmexitError } from '@vmexit/core'

/** What hears from a counter. */
export interface CounterOwner {
  /** A charge has brought the counter above `high`; the charge stands. */
  aboveHigh(): void
}

/** What {@link Counter.save} gives. `null` stands for no limit. */
export type CounterState = {
  readonly max: number | null
  readonly high: number | null
  readonly peak: number
}

/**
 * What the fields of a counter are before they are 0: V8 then keeps them as doubles from the start, and a charge and its
 * return at depth 4 take 14 ns rather than 52.
 */
const NON_INTEGER = 0.5

/** One counter. Amounts are numbers from 0, in the unit of the owner. */
export class Counter<Owner extends CounterOwner = CounterOwner> {
  readonly parent: Counter<Owner> | null
  readonly owner: Owner
  /** What this and all below have been charged and not given back. */
  usage: number = NON_INTEGER
  /** The most that `usage` has been. */
  peak: number = NON_INTEGER
  /** No charge brings `usage` above it. `usage` may be above it where it has been lowered, or what is charged has moved in. */
  max: number = Number.POSITIVE_INFINITY
  /** Above it the owner is told. */
  high: number = Number.POSITIVE_INFINITY

  constructor(owner: Owner, parent: Counter<Owner> | null) {
    this.owner = owner
    this.parent = parent
    this.usage = 0
    this.peak = 0
  }

  /** Charges this and all above, or none: then the answer is the lowest counter whose limit does not allow it. */
  charge(amount: number): Counter<Owner> | null {
    let counter: Counter<Owner> | null = this
    while (counter !== null) {
      if (counter.usage + amount > counter.max) return counter
      counter = counter.parent
    }
    this.force(amount)
    return null
  }

  /** Charges this and all above, whatever their limits. */
  force(amount: number): void {
    let pressed: Counter<Owner> | null = null
    let counter: Counter<Owner> | null = this
    while (counter !== null) {
      const usage: number = counter.usage + amount
      counter.usage = usage
      if (usage > counter.peak) counter.peak = usage
      if (usage > counter.high) pressed = counter
      counter = counter.parent
    }
    if (pressed !== null) pressed.owner.aboveHigh()
  }

  /** Gives back what has been charged. The owner has seen to it that it has been. */
  uncharge(amount: number): void {
    let counter: Counter<Owner> | null = this
    while (counter !== null) {
      counter.usage -= amount
      counter = counter.parent
    }
  }

  /** Limits and peak; what is charged is saved by the owner. */
  save(): CounterState {
    const { max, high, peak } = this
    return { max: finite(max), high: finite(high), peak }
  }

  restore({ max, high, peak }: CounterState): void {
    this.max = max ?? Number.POSITIVE_INFINITY
    this.high = high ?? Number.POSITIVE_INFINITY
    this.peak = peak
  }
}

/** A limit in a saved state, where there is no infinity. */
export function finite(limit: number): number | null {
  return limit === Number.POSITIVE_INFINITY ? null : limit
}

/** More is given back than was charged: the charging program's mistake, never a guest's. */
export function overdrawn(what: string, path: string, has: number, wanted: number): VmexitError {
  return new VmexitError('cgroup-uncharge', {
    problem: `${what} of ${path} gives back ${wanted}, but only ${has} is charged there`,
    remedy: 'keep the account that was charged, and give back to it what it was charged',
  })
}
