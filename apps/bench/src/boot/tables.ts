/** Results of boots as tables. */
import type { Figure } from '../results.ts'
import { span, type Table } from '../tables.ts'
import { barOf, judge, MEAN } from './bars.ts'
import type { BootComparison, BootResults, Row } from './results.ts'

/** A figure over rounds, or the only one. */
const cell = (each: Figure, digits: number): string =>
  each.least === each.most ? each.median.toFixed(digits) : span(each, digits)

/** Boots, workloads and memory, a line each, in every system. */
export function bootTable({ systems, judged, rows }: BootResults): Table {
  const mips = ({ figures, millions }: Row): string =>
    judged && millions !== undefined ? (millions / (figures[judged]!.median / 1000)).toFixed(0) : ''
  const line = (row: Row): string[] => [
    row.name,
    row.millions?.toFixed(0) ?? '',
    ...systems.map((system) => cell(row.figures[system]!, 0)),
    ...(judged ? [mips(row)] : []),
  ]
  const head = ['ms of processor time', '10⁶ instr.', ...systems, ...(judged ? [`${judged} MIPS`] : [])]
  return [head, ...rows.map(line)]
}

/** The ratio of each row, and what `more` says of it. */
function ratioTable(
  { ours, theirs, ratios, mean }: BootComparison,
  heads: readonly string[],
  more: (row: string, ratio: number) => readonly string[],
): Table {
  const lines = Object.entries(ratios).map(([row, ratio]) => [row, cell(ratio, 3), ...more(row, ratio.median)])
  const last = mean === undefined ? [] : [[MEAN, mean.toFixed(3), ...more(MEAN, mean)]]
  return [['', `${ours} / ${theirs}`, ...heads], ...lines, ...last]
}

/** A comparison row by row: with bars against v86 with its JIT, with winners against QEMU, bare against others. */
export function comparedTable(compared: BootComparison): Table {
  if (compared.theirs === 'v86')
    return ratioTable(compared, ['bar', 'holds'], (row, ratio) => {
      const bar = barOf(row)
      return [`≤ ${bar.toFixed(2)}`, ratio <= bar ? 'yes' : 'NO']
    })
  if (compared.theirs === 'qemu-tcg')
    return ratioTable(compared, ['vmexit'], (_, ratio) => [ratio > 1 ? 'lost' : 'won'])
  return ratioTable(compared, [], () => [])
}

/** In a sentence, which bars hold; empty where there is nothing to judge. */
export function verdict(results: BootResults): string {
  const judgements = judge(results)
  if (judgements.length === 0) return ''
  const failed = judgements.filter(({ holds }) => !holds).map(({ row }) => row)
  const held = `${judgements.length - failed.length} of ${judgements.length} bars hold`
  return failed.length === 0 ? `${held}.` : `${held}; those of these rows do not: ${failed.join('; ')}.`
}
