/**
 * Counts first, time second: what was counted, priced in the cycles of a named hardware profile.
 *
 * A bill says what the modelled events would have cost on that hardware; it is no measurement and never mixed with one.
 */
import type { Counts } from '../counters.ts'
import type { CostProfile } from './profile.ts'

/** One line of a {@link Bill}. */
export interface BillItem {
  readonly count: number
  /** What one event costs, in cycles. */
  readonly each: number
  /** `count · each`. */
  readonly cycles: number
}

/** What counted events cost under a profile. */
export interface Bill {
  readonly profile: string
  /** The sum over all priced causes. */
  readonly cycles: number
  /** `cycles` at the profile's frequency; undefined if the profile has none. */
  readonly seconds: number | undefined
  /** Each cause that was counted and has a price. */
  readonly perCause: Readonly<Record<string, BillItem>>
  /** What was counted and has no price, so that a bill does not look more complete than it is. */
  readonly unpriced: readonly string[]
}

/** Prices `counts` (a snapshot, or what `since` returned) under `profile`. Causes counted 0 times do not appear. */
export function price(counts: Counts, profile: CostProfile): Bill {
  const perCause: Record<string, BillItem> = {}
  const unpriced: string[] = []
  let cycles = 0
  for (const [cause, count] of Object.entries(counts)) {
    if (count === 0) continue
    const each = priceOf(cause, profile)
    if (each === undefined) {
      unpriced.push(cause)
      continue
    }
    perCause[cause] = { count, each, cycles: count * each }
    cycles += count * each
  }
  const seconds = profile.ghz === undefined ? undefined : cycles / (profile.ghz * 1e9)
  return { profile: profile.name, cycles, seconds, perCause, unpriced }
}

/** What one event costs in cycles; undefined if the profile cannot say. A price in nanoseconds needs a frequency. */
export function priceOf(cause: string, { ghz, cycles, derived, ns }: CostProfile): number | undefined {
  if (Object.hasOwn(cycles, cause)) return cycles[cause]
  if (Object.hasOwn(derived, cause)) return derived[cause]
  return ghz !== undefined && Object.hasOwn(ns, cause) ? ns[cause]! * ghz : undefined
}
