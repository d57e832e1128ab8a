/** Where the time goes, in three sentences with the comparison's own figures. */
import type { Charged } from './charge.ts'
import { BASELINE, type Cell, type Comparison, cellOf } from './comparison.ts'
import { times, whole } from './figures.ts'

/** What charges are called in a sentence; exits have names that say enough. */
const WORDS: Readonly<Record<string, string>> = {
  instructions: 'instructions',
  'kernel-instructions': 'the work of the kernel',
  emulated: 'emulated instructions',
  'walk-references': "references of walks in the guest's tables",
  'second-stage-references': 'references of walks in the second stage',
  'system-calls': 'entries of system calls',
  'port-reads': 'port reads',
  'page-faults': 'page faults',
  'other-exceptions': 'other exceptions',
  'true-faults': "telling faults that are the guest's own",
  'traced-writes': 'stores to page tables that are traced',
}
/** A ratio up to which two things cost the same. */
const SAME = 1.05
/** The share of a difference that a second cause is named for. */
const WORTH_SAYING = 0.2

/** What a charge is called. */
export function chargeWords(event: string): string {
  return WORDS[event] ?? (event.startsWith('vm-exits-') ? `exits for ${event.slice(9)}` : event)
}

/** A cell that is dearer than native, and what for. */
interface Overhead {
  readonly cell: Cell
  readonly base: Cell
  readonly ratio: number
}

/**
 * The cell that is dearest beside native, and what its cycles go to; the dearest one of another technique; and what costs the same
 * everywhere. Always three, of whatever rows and columns there are.
 */
export function whereTimeGoes(comparison: Comparison): readonly [string, string, string] {
  const titles = new Map(comparison.techniques.map(({ name, title }) => [name, title]))
  const rows = new Map(comparison.workloads.map(({ name, title }) => [name, title]))
  const overheads = comparison.cells
    .flatMap((cell): Overhead[] => {
      const base = cellOf(comparison, cell.workload, BASELINE)
      return base === undefined || cell.ratio === undefined || cell.technique === BASELINE
        ? []
        : [{ cell, base, ratio: cell.ratio }]
    })
    .sort((a, b) => b.ratio - a.ratio)
  const say = ({ cell, base, ratio }: Overhead): string =>
    `“${rows.get(cell.workload)}” under ${titles.get(cell.technique)}, ${times(ratio)} native ` +
    `(${whole(cell.cycles ?? 0)} cycles instead of ${whole(base.cycles ?? 0)}): ${causes(cell, base)}`
  const [first] = overheads
  const dear = overheads.filter(({ ratio }) => ratio > SAME)
  // The second is of another kind, if there is one: what the first technique does not pay for at all.
  const second = dear.find(
    ({ cell }) =>
      first !== undefined && cell.technique !== first.cell.technique && cell.workload !== first.cell.workload,
  )
  return [
    first === undefined
      ? 'Nothing can be set beside native: there is no other technique with cycles, or no native one.'
      : first.ratio > SAME
        ? `Dearest is ${say(first)}.`
        : `Nothing costs more than ${times(SAME)} native.`,
    second === undefined
      ? 'No other technique has another workload that is dearer than native.'
      : `Of the others it is ${say(second)}.`,
    cheap(comparison, titles),
  ]
}

/** The charges that most of the cycles above native go to, at most two, with their shares of them. */
function causes(cell: Charged, base: Charged): string {
  const above = (cell.cycles ?? 0) - (base.cycles ?? 0)
  const most = Object.entries(cell.charges)
    .map(([event, { count, each }]) => {
      const native = base.charges[event]
      return { event, count, share: (count * each - (native === undefined ? 0 : native.count * native.each)) / above }
    })
    .sort((a, b) => b.share - a.share)
    .filter(({ share }, n) => n === 0 || (n === 1 && share >= WORTH_SAYING))
  return most
    .map(({ event, count, share }, n) => {
      const figure = count < 10 ? String(Math.round(count * 100) / 100) : whole(count)
      return `${Math.round(share * 100)} % ${n === 0 ? 'of the difference ' : ''}for ${figure} ${chargeWords(event)}`
    })
    .join(', ')
}

function cheap({ workloads, techniques, cells }: Comparison, titles: ReadonlyMap<string, string>): string {
  const unpriced = techniques.filter(({ name }) => {
    const own = cells.filter(({ technique }) => technique === name)
    return own.length > 0 && own.every(({ cycles }) => cycles === undefined)
  })
  const without =
    unpriced.length === 0
      ? ''
      : `; ${unpriced.map(({ name }) => titles.get(name)).join(', ')} ${unpriced.length > 1 ? 'have' : 'has'} counts and no price`
  const same = workloads.filter(({ name }) => {
    const ratios = cells.flatMap(({ workload, ratio }) => (workload === name && ratio !== undefined ? [ratio] : []))
    return ratios.length > 1 && ratios.every((ratio) => ratio <= SAME && ratio >= 1 / SAME)
  })
  const names = same.map(({ title }) => `“${title}”`)
  return names.length === 0
    ? `No workload costs the same, within five percent, under every technique${without}.`
    : `The same within five percent under every technique ${names.length === 1 ? 'costs' : 'cost'} ${names.join(', ')}${without}.`
}
