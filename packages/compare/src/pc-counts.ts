/** What a PC counts, by the names of a comparison. */
import type { Counts } from '@vmexit/core'
import type { Pc } from '@vmexit/vmexit'

/** What the hardware counts whoever owns it. A guest that is simulated in software has counters of its own of these names. */
const OF_THE_HARDWARE = [
  ...['exceptions', 'page-faults', 'interrupts', 'tlb-misses-data', 'tlb-misses-code'],
  ...['walk-references', 'second-stage-references'],
]

/** All that has been counted so far. */
export function countsOf(pc: Pc): Counts {
  const { counts, machineCounts } = pc
  return { ...Object.fromEntries(OF_THE_HARDWARE.map((name) => [name, machineCounts[name] ?? 0])), ...counts }
}

/** By the names of a comparison: faults that the guest takes are true ones, whoever counted them. */
export function eventsOf(costs: Counts, does: Counts): Counts {
  const { 'page-faults': faults = 0, exceptions = 0, 'true-faults': found = faults } = costs
  const misses = (costs['tlb-misses-data'] ?? 0) + (costs['tlb-misses-code'] ?? 0)
  return { ...costs, ...does, 'true-faults': found, 'other-exceptions': exceptions - faults, 'tlb-misses': misses }
}
