/**
 * A comparison that is spread over machines. A shard is some of the columns: rows of one column run behind each other on one kernel, and
 * would cost something else apart.
 */
import { VmexitError } from '@vmexit/core'
import { arranged, type Comparison, missingCells } from './comparison.ts'
import type { Start } from './start/start.ts'

/** One of several, counted from 1. */
export interface Shard {
  readonly index: number
  readonly of: number
}

/** Reads `2/3`. @throws VmexitError `compare-shard`. */
export function parseShard(text: string): Shard {
  const [, index, of] = text.match(/^([0-9]{1,4})\/([0-9]{1,4})$/) ?? []
  const shard = { index: Number(index), of: Number(of) }
  if (of === undefined || shard.index < 1 || shard.index > shard.of) {
    throw new VmexitError('compare-shard', {
      problem: `'${text}' is no shard`,
      remedy: 'write I/N, I being from 1 to N: 1/3, 2/3, 3/3',
    })
  }
  return shard
}

/** The columns of a shard: every `of`-th one. @throws VmexitError `compare-shard` where there are fewer columns than shards. */
export function shardColumns<T>(columns: readonly T[], { index, of }: Shard): readonly T[] {
  if (of > columns.length) {
    throw new VmexitError('compare-shard', {
      problem: `there are ${of} shards, and ${columns.length} techniques to share among them`,
      remedy: `take at most ${columns.length} shards: a technique runs its workloads on one machine`,
    })
  }
  return of === 1 ? columns : columns.filter((_, n) => n % of === index - 1)
}

/**
 * Puts parts of one comparison together. What is still missing stays so, and is said.
 * @throws VmexitError `compare-merge` where they are not of one comparison, or where two say different things of one cell;
 * `compare-checksum`.
 */
export function mergeComparisons(parts: readonly Comparison[]): Comparison {
  const [first, ...others] = parts
  if (first === undefined) throw cannotMerge('nothing is given', 'name the files of all shards')
  for (const [n, part] of others.entries()) {
    const differs = (['version', 'kernel', 'profile', 'workloads', 'techniques'] as const).filter(
      (what) => JSON.stringify(first[what]) !== JSON.stringify(part[what]),
    )
    if (differs.length > 0) {
      throw cannotMerge(
        `part ${n + 2} has another ${differs.join(' and another ')} than part 1`,
        'run all shards with the same version of vmexit and the same flags but --shard',
      )
    }
  }
  const cells = new Map<string, Comparison['cells'][number]>()
  for (const part of parts) {
    for (const cell of part.cells) {
      const key = JSON.stringify([cell.workload, cell.technique])
      const before = cells.get(key)
      if (before !== undefined && JSON.stringify(before.events) !== JSON.stringify(cell.events)) {
        throw cannotMerge(
          `two parts have different counts of ${cell.workload} under ${cell.technique}`,
          'run both again: counts are exact, so one of them is of another version or was changed',
        )
      }
      cells.set(key, cell)
    }
  }
  const starts = new Map<string, Start>()
  for (const start of parts.flatMap((part) => part.starts)) {
    const before = starts.get(start.technique)
    if (before !== undefined && JSON.stringify(before) !== JSON.stringify(start)) {
      throw cannotMerge(
        `two parts have different starts of ${start.technique}`,
        'run both again: counts are exact, so one of them is of another version or was changed',
      )
    }
    starts.set(start.technique, start)
  }
  const whole: Comparison = {
    ...first,
    starts: first.techniques.flatMap(({ name }) => starts.get(name) ?? []),
    cells: arranged(first.workloads, first.techniques, [...cells.values()]),
    partial: undefined,
  }
  const missing = missingCells(whole)
  const partial = missing.length === 0 ? undefined : [...new Set(parts.map((part) => part.partial))].join(', ')
  return { ...whole, partial }
}

function cannotMerge(problem: string, remedy: string): VmexitError {
  return new VmexitError('compare-merge', { problem: `comparisons cannot be merged: ${problem}`, remedy })
}
