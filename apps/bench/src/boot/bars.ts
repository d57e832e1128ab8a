/** What the judged engine is to achieve against v86 with its JIT: the most that a row's ratio may be. */
import type { BootResults } from './results.ts'

/** The name of the row that has the geometric mean of the workloads. */
export const MEAN = 'geometric mean of workloads'

/** No row at all may be above this. */
const ANY_ROW = 1.1

const BARS: Readonly<Record<string, number>> = {
  'boot to /init': 0.75,
  'kernel to /init, notests': 0.75,
  forkexec: 0.5,
  matx87: 0.4,
  [MEAN]: 0.75,
  'peak MiB, boot': 0.7,
  'peak MiB, workloads': 0.7,
}

export const barOf = (row: string): number => BARS[row] ?? ANY_ROW

/** A row, its ratio and its bar. */
export interface Judgement {
  readonly row: string
  readonly ratio: number
  readonly bar: number
  readonly holds: boolean
}

/** The verdict on each row and on the mean; empty where v86 with its JIT took no part. */
export function judge({ comparisons }: BootResults): readonly Judgement[] {
  const against = comparisons.find(({ theirs }) => theirs === 'v86')
  if (against === undefined) return []
  const ratios = Object.entries(against.ratios).map(([row, { median }]) => [row, median] as const)
  if (against.mean !== undefined) ratios.push([MEAN, against.mean])
  return ratios.map(([row, ratio]) => ({ row, ratio, bar: barOf(row), holds: ratio <= barOf(row) }))
}
