/** The same counts at other prices: what is counted does not depend on a profile. */
import type { CostProfile } from '@vmexit/core'
import { charge } from './charge.ts'
import { arranged, type Comparison } from './comparison.ts'
import { pricedStart } from './start/start.ts'
import type { Technique } from './technique.ts'

/** A comparison under another profile. `techniques` has its columns; cells of those that it lacks are left out. */
export function repriced(comparison: Comparison, techniques: readonly Technique[], profile: CostProfile): Comparison {
  const { kernel, workloads } = comparison
  const { name, source, class: confidence, ghz } = profile
  const cells = comparison.cells.flatMap((cell) => {
    const technique = techniques.find((each) => each.name === cell.technique)
    return technique === undefined ? [] : [{ ...cell, ...charge(technique.charged(cell.events, kernel), profile) }]
  })
  const starts = comparison.starts.flatMap((start) => {
    const technique = techniques.find((each) => each.name === start.technique)
    const { first, exit, imageBytes, residentBytes } = start
    const measured = { first: first.events, exit: exit.events, imageBytes, residentBytes }
    return technique === undefined ? [] : [pricedStart(technique, measured, kernel, profile)]
  })
  return {
    ...comparison,
    starts,
    profile: { name, source, class: confidence, ghz },
    cells: arranged(workloads, comparison.techniques, cells),
  }
}
