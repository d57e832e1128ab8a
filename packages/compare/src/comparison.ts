/** What a comparison is: plain data, whole or in part, of which parts can be put together again. */
import { type CostProfile, type Counts, VmexitError } from '@vmexit/core'
import type { Charged } from './charge.ts'
import type { Start } from './start/start.ts'
import type { Technique } from './technique.ts'
import type { Workload } from './workload.ts'

/** Of the form and the meaning of a {@link Comparison}: another number where figures cannot be set side by side any more. */
export const COMPARISON_VERSION = 2

/** One workload under one technique: of one repetition. */
export interface Cell extends Charged {
  readonly workload: string
  readonly technique: string
  /** What the program says that it computed. */
  readonly checksum: string
  /** By the names of the counters; `tlb-misses` of both sides, and `true-faults` whoever counts them. */
  readonly events: Counts
  /** Both stages; undefined where nothing misses. */
  readonly walkReferencesPerMiss: number | undefined
  /** Cycles, native's being 1; undefined without either. */
  readonly ratio: number | undefined
}

/** A column of a comparison. */
export interface Column extends Pick<Technique, 'name' | 'title' | 'about'> {
  /** What its figures rest on beside counts and prices; undefined where it is nothing. */
  readonly basis: string | undefined
}

/** All cells, row by row; where it is partial, those that there are. */
export interface Comparison {
  readonly version: number
  readonly kernel: string
  readonly profile: Pick<CostProfile, 'name' | 'source' | 'class' | 'ghz'>
  readonly workloads: readonly Pick<Workload, 'name' | 'title' | 'unit' | 'count'>[]
  readonly techniques: readonly Column[]
  readonly cells: readonly Cell[]
  /** Starts of the techniques, in the order of the columns; none where they were not asked for. */
  readonly starts: readonly Start[]
  /** Why cells are missing: `interrupted`, or `shard 1/3`. Undefined where none is. */
  readonly partial: string | undefined
}

/** The column that ratios are to. */
export const BASELINE = 'native'

/** The cell of a row and a column, if it is there. */
export function cellOf({ cells }: Pick<Comparison, 'cells'>, workload: string, technique: string): Cell | undefined {
  return cells.find((cell) => cell.workload === workload && cell.technique === technique)
}

/** Cells that a partial comparison lacks. */
export function missingCells(
  comparison: Comparison,
): readonly { readonly workload: string; readonly technique: string }[] {
  const { workloads, techniques } = comparison
  return workloads.flatMap(({ name: workload }) =>
    techniques.flatMap(({ name: technique }) =>
      cellOf(comparison, workload, technique) === undefined ? [{ workload, technique }] : [],
    ),
  )
}

/**
 * Cells in their order, with their ratios to native.
 * @throws VmexitError `compare-checksum` where a program computes something else under another technique.
 */
export function arranged(
  rows: readonly { readonly name: string }[],
  columns: readonly { readonly name: string }[],
  cells: readonly Omit<Cell, 'ratio'>[],
): readonly Cell[] {
  return rows.flatMap(({ name }) => {
    const row = columns.flatMap((column) =>
      cells.filter(({ workload, technique }) => workload === name && technique === column.name),
    )
    checkSame(name, row)
    const base = row.find(({ technique }) => technique === BASELINE)?.cycles
    return row.map((cell) => ({
      ...cell,
      ratio: base === undefined || cell.cycles === undefined ? undefined : cell.cycles / base,
    }))
  })
}

function checkSame(name: string, row: readonly Omit<Cell, 'ratio'>[]): void {
  const [first, ...others] = row
  const other = others.find(({ checksum }) => checksum !== first!.checksum)
  if (other === undefined) return
  const said = [first!, other].map(({ technique, checksum }) => `${checksum} under ${technique}`)
  throw new VmexitError('compare-checksum', {
    problem: `the workload ${name} computes ${said.join(', and ')}`,
    remedy: 'report it: a technique must not change what a program computes',
  })
}
