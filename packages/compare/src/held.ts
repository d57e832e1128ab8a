/**
 * Our container layer held against containers that the guest's own kernel makes: what a repetition takes in one of ours, charged, and
 * in one of the guest's, counted. Rows that constants come from agree by construction; the others say what the charge is worth.
 */
import { type Comparison, cellOf } from './comparison.ts'
import { CONTAINED_BY } from './container/container-work.ts'
import { amount, times } from './figures.ts'
import { CALIBRATED_BY } from './process/kernel-work.ts'
import { instructionsOf } from './start/start.ts'

/** One row, in instructions of the program and of its kernel. */
export interface Held {
  readonly workload: string
  /** Program and charge. */
  readonly charged: number
  /** As the guest's own container takes them. */
  readonly counted: number
  /** Whether a constant comes from this row. */
  readonly byConstruction: boolean
}

const CALIBRATING = new Set([...Object.values(CALIBRATED_BY), ...Object.values(CONTAINED_BY)])
/** `exec` has a constant outside of containers, and none for what they add. */
const PARTLY = new Set(['exec', 'syscall'])

/** All rows that both columns have. */
export function heldAgainst(comparison: Comparison): readonly Held[] {
  return comparison.workloads.flatMap(({ name }) => {
    const [ours, theirs] = ['container', 'guest-container'].map((technique) => cellOf(comparison, name, technique))
    if (ours === undefined || theirs === undefined || ours.cycles === undefined) return []
    const charged = instructionsOf(ours)
    const counted = theirs.events['instructions'] ?? 0
    return [{ workload: name, charged, counted, byConstruction: CALIBRATING.has(name) && !PARTLY.has(name) }]
  })
}

/** As a table; empty where one of the columns is missing. */
export function heldText(comparison: Comparison): readonly string[] {
  const rows = heldAgainst(comparison)
  if (rows.length === 0) return []
  return [
    'A container of ours held against one of the guest’s own kernel: instructions of a repetition',
    '  charged, counted there, and the ratio. * is what a constant comes from.',
    '',
    ...rows.map(({ workload, charged, counted, byConstruction }) => {
      const figures = [amount(charged), amount(counted), times(charged / counted)]
      return `  ${workload.padEnd(10)}${figures.map((figure) => figure.padStart(13)).join('')}${byConstruction ? ' *' : ''}`
    }),
  ]
}
