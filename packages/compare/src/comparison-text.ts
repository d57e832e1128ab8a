/** A comparison as text of at most 100 columns: cycles and ratios first, then events. */
import type { Counts } from '@vmexit/core'
import { BASELINE, type Cell, type Comparison, cellOf, missingCells } from './comparison.ts'
import { amount, times, visible, whole } from './figures.ts'
import { heldText } from './held.ts'
import { startsText } from './starts-text.ts'
import { wrapped } from './wrapped.ts'

const LABEL = 18
const NAME = 8
const COLUMN = 13
const WIDTH = 98
/** Columns that stand side by side. */
const BESIDE = 7

/** Columns of the table of events: heads, widths, and where the figures come from. */
const EVENT_COLUMNS: readonly (readonly [head: string, width: number, value: (cell: Cell) => number | undefined])[] = [
  ['instrs', 9, ({ events }) => events['instructions']],
  ['emulated', 9, ({ events }) => events['emulated']],
  ['exits', 8, ({ events }) => events['vm-exits']],
  ['#PF true', 9, ({ events }) => events['true-faults']],
  ['hidden', 7, ({ events }) => events['hidden-faults']],
  ['traced', 7, ({ events }) => events['traced-writes']],
  ['TLB miss', 9, ({ events }) => events['tlb-misses']],
  ['walk refs', 10, ({ events }) => (events['walk-references'] ?? 0) + (events['second-stage-references'] ?? 0)],
  ['/miss', 6, ({ events, walkReferencesPerMiss }) => (visible(events['tlb-misses']) ? walkReferencesPerMiss : 0)],
]

/** The tables, each under its head, with the profile's name and what is left out. */
export function comparisonText(comparison: Comparison): string {
  const tables = [cyclesTable, eventsTable, startsText, heldText].map((table) => table(comparison))
  return `${tables
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`
}

function cyclesTable(comparison: Comparison): string[] {
  const { techniques, workloads, profile } = comparison
  const blocks = inBlocks(techniques).map((columns) => [
    '',
    ...headLines(columns.map(({ title }) => title)),
    ...workloads.map(({ name }) => {
      const figures = columns.map((technique) => cyclesOf(cellOf(comparison, name, technique.name)).padStart(COLUMN))
      return name.padEnd(NAME) + figures.join('')
    }),
  ])
  const without = new Map<string, Set<string>>()
  for (const { technique, unpriced } of comparison.cells)
    for (const event of unpriced) without.set(event, (without.get(event) ?? new Set()).add(technique))
  const missing = [...without].map(([event, names]) => `  – no price in it: ${event} (${[...names].join(', ')})`)
  return [
    ...partialLines(comparison),
    `Cycles of one repetition, modelled under ${profile.name}, and the ratio to native`,
    '  Counted events at published prices, an instruction at one cycle: no measurement.',
    ...missing,
    ...techniques.flatMap(({ name, basis }) =>
      basis === undefined ? [] : wrapped(`  ${name}: ${basis}`, WIDTH, '    '),
    ),
    ...blocks.flat(),
  ]
}

/** As many side by side as fit, and about as many below. */
function inBlocks<T>(columns: readonly T[]): readonly (readonly T[])[] {
  const blocks = Math.max(1, Math.ceil(columns.length / BESIDE))
  const each = Math.ceil(columns.length / blocks)
  return Array.from({ length: blocks }, (_, n) => columns.slice(n * each, (n + 1) * each))
}

/** Titles over columns, in two lines where they have a comma. */
function headLines(titles: readonly string[]): string[] {
  const parts = titles.map((title) => {
    const [first, second] = title.split(', ')
    return second === undefined ? ['', first!] : [`${first},`, second]
  })
  return [0, 1].map((line) =>
    `${''.padEnd(NAME)}${parts.map((part) => part[line]!.padStart(COLUMN)).join('')}`.trimEnd(),
  )
}

function partialLines(comparison: Comparison): string[] {
  const { partial, workloads, techniques } = comparison
  if (partial === undefined) return []
  const of = workloads.length * techniques.length
  return [
    `PARTIAL (${partial}): ${missingCells(comparison).length} of ${of} cells were not measured, and are shown as …`,
    '',
  ]
}

function cyclesOf(cell: Cell | undefined): string {
  if (cell === undefined) return '…'
  const { cycles, ratio, technique } = cell
  if (cycles === undefined) return '–'
  const short = cycles < 100_000 ? whole(cycles) : `${whole(cycles / 1000)}k`
  return ratio === undefined || technique === BASELINE ? short : `${short} ${times(ratio)}`
}

function eventsTable(comparison: Comparison): string[] {
  const { techniques, workloads, kernel } = comparison
  const heads = EVENT_COLUMNS.map(([head, width]) => head.padStart(width)).join('')
  const lines = [`Events of one repetition, on the kernel ${kernel}`, '', `${''.padEnd(LABEL)}${heads}`]
  for (const { name, title, unit } of workloads) {
    lines.push(`${name}: ${title}, ${unit}`)
    for (const technique of techniques) {
      const cell = cellOf(comparison, name, technique.name)
      const label = `  ${technique.title.padEnd(LABEL - 2)}`
      if (cell === undefined) {
        lines.push(`${label}${'…'.padStart(EVENT_COLUMNS[0]![1])}`)
        continue
      }
      const figures = EVENT_COLUMNS.map(([, width, value]) => amount(value(cell) ?? 0).padStart(width)).join('')
      lines.push(`${label}${figures}`)
      const reasons = listed(cell.events, 'vm-exits-')
      if (reasons !== '') lines.push(...wrapped(`      exits by reason: ${reasons}`, WIDTH, '        '))
      const calls = listed(cell.events, 'system-calls-')
      if (calls !== '') lines.push(...wrapped(`      calls: ${calls}${besideCalls(cell.events)}`, WIDTH, '        '))
    }
  }
  return lines
}

/** What a kernel outside of the machine did beside calls. */
function besideCalls(events: Counts): string {
  const all = ['pages', 'bytes-copied', 'switches', 'signals', 'forks', 'execs']
  const found = all.filter((name) => visible(events[name]))
  return found.length === 0 ? '' : `; ${found.map((name) => `${name} ${amount(events[name]!)}`).join(', ')}`
}

/** Counters whose names begin with `prefix`, the largest first. */
function listed(events: Counts, prefix: string): string {
  return Object.entries(events)
    .filter(([name, value]) => name.startsWith(prefix) && visible(value))
    .sort(([, a], [, b]) => b - a)
    .map(([name, value]) => `${name.slice(prefix.length)} ${amount(value)}`)
    .join(', ')
}
