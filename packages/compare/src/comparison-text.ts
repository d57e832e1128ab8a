/** A comparison as text of at most 100 columns: cycles and ratios first, then events. */
import type { Counts } from '@vmexit/core'
import type { Cell, Comparison } from './compare.ts'

const LABEL = 18
const NAME = 12
const COLUMN = 17

/** Digits in groups of three. */
const grouped = (digits: string): string => digits.replace(/\B(?=(\d{3})+(?!\d))/g, ',')
/** Without digits behind the point; of what is very large thousands. */
const whole = (value: number): string =>
  value < 10_000_000 ? grouped(String(Math.round(value))) : `${grouped(String(Math.round(value / 1000)))}k`
/** Two digits behind the point while they say something. */
const amount = (value: number): string => {
  const rounded = Math.round(value * 100) / 100
  if (rounded === 0) return '·'
  return Number.isInteger(rounded) ? grouped(String(rounded)) : rounded < 1000 ? rounded.toFixed(2) : whole(rounded)
}
const times = (ratio: number): string => `×${ratio < 100 ? ratio.toFixed(2) : whole(ratio)}`

/** Whether there is anything to see at two digits. */
const visible = (value: number | undefined): boolean => Math.round((value ?? 0) * 100) !== 0

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

/** Both tables, each under its head, with the profile's name and what is left out. */
export function comparisonText(comparison: Comparison): string {
  return `${[...cyclesTable(comparison), '', ...eventsTable(comparison)].join('\n')}\n`
}

function cellOf({ cells }: Comparison, workload: string, technique: string): Cell {
  return cells.find((cell) => cell.workload === workload && cell.technique === technique)!
}

function cyclesTable(comparison: Comparison): string[] {
  const { techniques, workloads, profile } = comparison
  const heads = techniques.map(({ title }) => title.padStart(COLUMN)).join('')
  const rows = workloads.map(({ name }) => {
    const figures = techniques.map((technique) => cyclesOf(cellOf(comparison, name, technique.name)).padStart(COLUMN))
    return name.padEnd(NAME) + figures.join('')
  })
  const without = new Map<string, Set<string>>()
  for (const { technique, unpriced } of comparison.cells)
    for (const event of unpriced) without.set(event, (without.get(event) ?? new Set()).add(technique))
  const missing = [...without].map(([event, names]) => `  – no price in it: ${event} (${[...names].join(', ')})`)
  return [
    `Cycles of one repetition, modelled under ${profile.name}, and the ratio to native`,
    '  Counted events at published prices, an instruction at one cycle: no measurement.',
    ...missing,
    '',
    `${''.padEnd(NAME)}${heads}`,
    ...rows,
  ]
}

function cyclesOf({ cycles, ratio, technique }: Cell): string {
  if (cycles === undefined) return '–'
  return ratio === undefined || technique === 'native' ? whole(cycles) : `${whole(cycles)} ${times(ratio).padStart(6)}`
}

function eventsTable(comparison: Comparison): string[] {
  const { techniques, workloads, kernel } = comparison
  const heads = EVENT_COLUMNS.map(([head, width]) => head.padStart(width)).join('')
  const lines = [`Events of one repetition, on the kernel ${kernel}`, '', `${''.padEnd(LABEL)}${heads}`]
  for (const { name, title, unit } of workloads) {
    lines.push(`${name}: ${title}, ${unit}`)
    for (const technique of techniques) {
      const cell = cellOf(comparison, name, technique.name)
      const figures = EVENT_COLUMNS.map(([, width, value]) => amount(value(cell) ?? 0).padStart(width)).join('')
      lines.push(`  ${technique.title.padEnd(LABEL - 2)}${figures}`)
      const reasons = reasonsOf(cell.events)
      if (reasons !== '') lines.push(`      exits by reason: ${reasons}`)
    }
  }
  return lines
}

function reasonsOf(events: Counts): string {
  return Object.entries(events)
    .filter(([name, value]) => name.startsWith('vm-exits-') && visible(value))
    .sort(([, a], [, b]) => b - a)
    .map(([name, value]) => `${name.slice('vm-exits-'.length)} ${amount(value)}`)
    .join(', ')
}
