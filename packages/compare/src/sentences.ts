/** Where the time goes, in three sentences with the comparison's own figures. */
import { BASELINE, type Cell, type Comparison, cellOf } from './comparison.ts'
import { times, whole } from './figures.ts'

/** What charges are called in a sentence, one and several. */
const WORDS: Readonly<Record<string, readonly [one: string, several: string]>> = {
  instructions: ['instruction', 'instructions'],
  'kernel-instructions': ["instruction of the kernel's", "instructions of the kernel's"],
  'container-instructions': [
    "instruction of the kernel's for a container",
    "instructions of the kernel's for a container",
  ],
  'kernel-work': ["call's work in the kernel", "calls' work in the kernel"],
  emulated: ['emulated instruction', 'emulated instructions'],
  'walk-references': ['reference of a page walk', 'references of page walks'],
  'second-stage-references': ['reference of a walk in the second stage', 'references of walks in the second stage'],
  'system-calls': ['entry of a system call', 'entries of system calls'],
  'port-reads': ['port read', 'port reads'],
  'page-faults': ['page fault', 'page faults'],
  'other-exceptions': ['other exception', 'other exceptions'],
  'true-faults': ["fault that is the guest's own", "faults that are the guest's own"],
  'traced-writes': ['traced store to a page table', 'traced stores to page tables'],
}
/** A ratio up to which two things cost the same. */
const SAME = 1.05
/** The share of a difference that a second cause is named for. */
const WORTH_SAYING = 0.2

/** What one or several of a charge are called. */
export function chargeWords(event: string, count = 2): string {
  const [one, several] = event.startsWith('vm-exits-')
    ? [`exit for ${event.slice(9)}`, `exits for ${event.slice(9)}`]
    : (WORDS[event] ?? [event, event])
  return count === 1 ? one : several
}

/** A cell that is dearer than native. */
interface Overhead {
  readonly cell: Cell
  readonly base: Cell
  readonly ratio: number
  /** Cycles above native's. */
  readonly above: number
}

/** The column of containers, and what it stands beside. */
const CONTAINER = 'container'
const PROCESS = 'process'

/**
 * The technique that all workloads together cost most above native, by its dearest workload; the next one, by those with the largest ratios;
 * and what costs the same everywhere. Always three, of whatever rows and columns there are; and a fourth on what a container adds, where
 * there is one beside a bare process.
 */
export function whereTimeGoes(comparison: Comparison): readonly string[] {
  const titles = new Map(comparison.techniques.map(({ name, title }) => [name, title]))
  const rows = new Map(comparison.workloads.map(({ name, title }) => [name, title]))
  const columns = comparison.techniques
    .map(({ name }) => overheadsOf(comparison, name))
    .map((dear) => ({ dear, total: dear.reduce((sum, { above }) => sum + above, 0) }))
    .filter(({ total }) => total > 0)
    .sort((a, b) => b.total - a.total)
  const [first, second] = columns
  return [
    first === undefined ? nothingDear(comparison) : `Most time goes ${longest(first.dear)}.`,
    second === undefined
      ? 'No other technique has a workload that is dearer than native.'
      : `Under ${titles.get(second.dear[0]!.cell.technique)} the dearest beside native ${highest(second.dear)}.`,
    cheap(comparison, titles),
    ...contained(comparison, rows),
  ]

  function longest(dear: readonly Overhead[]): string {
    const most = dear.reduce((a, b) => (b.above > a.above ? b : a))
    const { cell, base, ratio } = most
    return (
      `to ${titles.get(cell.technique)} in “${rows.get(cell.workload)}”: ${whole(cell.cycles ?? 0)} cycles instead of ` +
      `${whole(base.cycles ?? 0)} (${times(ratio)}), ${causes(most)}`
    )
  }

  function highest(dear: readonly Overhead[]): string {
    const two = [...dear].sort((a, b) => b.ratio - a.ratio).slice(0, 2)
    const said = two.map((each) => `“${rows.get(each.cell.workload)}” (${times(each.ratio)}: ${causes(each)})`)
    return `${two.length === 1 ? 'is' : 'are'} ${said.join(' and ')}`
  }
}

function overheadsOf(comparison: Comparison, technique: string): readonly Overhead[] {
  if (technique === BASELINE) return []
  return comparison.cells.flatMap((cell): Overhead[] => {
    const base = cellOf(comparison, cell.workload, BASELINE)
    const { ratio = 0, cycles = 0 } = cell
    if (cell.technique !== technique || base?.cycles === undefined || ratio <= SAME) return []
    return [{ cell, base, ratio, above: cycles - base.cycles }]
  })
}

function nothingDear({ cells }: Comparison): string {
  return cells.some(({ ratio, technique }) => ratio !== undefined && technique !== BASELINE)
    ? `Nothing costs more than ${times(SAME)} native.`
    : 'Nothing can be set beside native: there is no other technique with cycles, or no native one.'
}

/** The charges that most of the cycles above native go to, at most two, with their shares of them. */
function causes({ cell, base, above }: Overhead): string {
  return Object.entries(withKernel(cell.charges))
    .map(([event, { count, each }]) => {
      const native = base.charges[event]
      return { event, count, share: (count * each - (native === undefined ? 0 : native.count * native.each)) / above }
    })
    .sort((a, b) => b.share - a.share)
    .filter(({ share }, n) => n === 0 || (n === 1 && share >= WORTH_SAYING))
    .map(({ event, count, share }, n) => {
      const figure = count < 10 ? String(Math.round(count * 100) / 100) : whole(count)
      return `${Math.round(share * 100)} % ${n === 0 ? 'of the difference ' : ''}for ${figure} ${chargeWords(event, count)}`
    })
    .join(', ')
}

/** The instructions of a kernel outside of the machine among those of the program: native counts them so. */
function withKernel({ 'kernel-instructions': kernel, ...charges }: Cell['charges']): Cell['charges'] {
  const { instructions } = charges
  if (kernel === undefined || instructions === undefined)
    return { ...charges, ...(kernel && { 'kernel-instructions': kernel }) }
  return { ...charges, instructions: { ...instructions, count: instructions.count + kernel.count } }
}

/** What a container adds to a bare process: where most, and to its start. */
function contained(comparison: Comparison, rows: ReadonlyMap<string, string>): readonly string[] {
  const added = comparison.cells.flatMap((cell) => {
    const bare = cellOf(comparison, cell.workload, PROCESS)
    if (cell.technique !== CONTAINER || cell.cycles === undefined || bare?.cycles === undefined) return []
    return [{ workload: cell.workload, ratio: cell.cycles / bare.cycles, above: cell.cycles - bare.cycles }]
  })
  if (added.length === 0) return []
  const [most] = [...added].sort((a, b) => b.ratio - a.ratio)
  const same = added.filter(({ ratio }) => ratio <= SAME && ratio >= 1 / SAME).length
  const { workload, ratio, above } = most!
  const where =
    ratio <= SAME
      ? 'nothing, within five percent, to any workload'
      : `most to “${rows.get(workload)}” (${times(ratio)} a bare process: ${whole(above)} cycles more), and nothing, within five percent, to ${same} of ${added.length} workloads`
  const started = [CONTAINER, PROCESS].map((name) => comparison.starts.find(({ technique }) => technique === name))
  const [own, bare] = started.map((start) => start?.first.cycles)
  const start =
    own === undefined || bare === undefined ? '' : `; it starts in ${whole(own)} cycles, a process in ${whole(bare)}`
  return [`A container adds ${where}${start}.`]
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
    : `${names.join(', ')} ${names.length === 1 ? 'costs' : 'cost'} the same, within five percent, under every technique${without}.`
}
