/** A comparison beside an earlier one: counts are exact, so whatever differs has a cause. */
import { VmexitError } from '@vmexit/core'
import { COMPARISON_VERSION, type Comparison } from './comparison.ts'
import type { StartPoint } from './start/start.ts'

/** One figure that is another one now. */
export interface Change {
  /** Of a start `start-first` or `start-exit`. */
  readonly workload: string
  readonly technique: string
  /** Name of the event; `cycles`, `checksum`, `image-bytes`, `resident-bytes`. */
  readonly what: string
  readonly before: number | string | undefined
  readonly now: number | string | undefined
}

/** What became of a baseline. */
export interface BaselineDifference {
  /** Cells that both have, and those among them that are equal. */
  readonly compared: number
  readonly equal: number
  readonly changes: readonly Change[]
  /** Cells, as `workload under technique`. */
  readonly onlyBefore: readonly string[]
  readonly onlyNow: readonly string[]
}

/**
 * Reads a comparison from what `--json` printed. `where` names it in errors.
 * @throws VmexitError `compare-file` where it is none, or of another version.
 */
export function parseComparison(text: string, where: string): Comparison {
  const remedy = 'give a file that `vmexit compare --json` of this version of vmexit has written'
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new VmexitError('compare-file', { problem: `${where} is no JSON, or only the beginning of it`, remedy })
  }
  if (!isComparison(value)) {
    const version = isObject(value) && typeof value['version'] === 'number' ? value['version'] : undefined
    const problem =
      version !== undefined && version !== COMPARISON_VERSION
        ? `${where} is a comparison of version ${version}, and this is version ${COMPARISON_VERSION}`
        : `${where} is no comparison`
    throw new VmexitError('compare-file', { problem, remedy })
  }
  return value
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isText = (value: unknown): value is string => typeof value === 'string'
const listOf = (value: unknown, is: (entry: Record<string, unknown>) => boolean): boolean =>
  Array.isArray(value) && value.every((entry) => isObject(entry) && is(entry))
const isNumbers = (value: unknown): boolean =>
  isObject(value) && Object.values(value).every((each) => typeof each === 'number')

function isComparison(value: unknown): value is Comparison {
  if (!isObject(value) || value['version'] !== COMPARISON_VERSION) return false
  const { kernel, profile, workloads, techniques, cells, starts, partial } = value
  return (
    isText(kernel) &&
    isObject(profile) &&
    [profile['name'], profile['source'], profile['class']].every(isText) &&
    isMaybe(profile['ghz'], 'number') &&
    isMaybe(partial, 'string') &&
    listOf(workloads, ({ name, title, unit }) => [name, title, unit].every(isText)) &&
    listOf(
      techniques,
      ({ name, title, about, basis }) => [name, title, about].every(isText) && isMaybe(basis, 'string'),
    ) &&
    listOf(
      cells,
      ({ workload, technique, checksum, ...cell }) =>
        [workload, technique, checksum].every(isText) &&
        [cell['ratio'], cell['walkReferencesPerMiss']].every((each) => isMaybe(each, 'number')) &&
        isPriced(cell),
    ) &&
    listOf(
      starts,
      ({ technique, first, exit, imageBytes, residentBytes }) =>
        isText(technique) &&
        [imageBytes, residentBytes].every((each) => typeof each === 'number') &&
        [first, exit].every((point) => isObject(point) && isPriced(point)),
    )
  )
}

const isMaybe = (each: unknown, type: 'number' | 'string'): boolean => each === undefined || typeof each === type

/** Events with what they cost. */
function isPriced({ events, cycles, charges, unpriced }: Record<string, unknown>): boolean {
  const isCharge = (each: unknown) =>
    isObject(each) && typeof each['count'] === 'number' && typeof each['each'] === 'number'
  return (
    isNumbers(events) &&
    isMaybe(cycles, 'number') &&
    isObject(charges) &&
    Object.values(charges).every(isCharge) &&
    Array.isArray(unpriced) &&
    unpriced.every(isText)
  )
}

/**
 * What is other than it was. Cycles are set side by side where both have one profile.
 * @throws VmexitError `compare-baseline` where the kernels differ.
 */
export function compareToBaseline(before: Comparison, now: Comparison): BaselineDifference {
  if (before.kernel !== now.kernel) {
    throw new VmexitError('compare-baseline', {
      problem: `the baseline is of the kernel ${before.kernel}, and this comparison of ${now.kernel}`,
      remedy: 'compare under the same kernel: see --guest',
    })
  }
  const priced = JSON.stringify(before.profile) === JSON.stringify(now.profile)
  const [old, is] = [before, now].map((each) => new Map(figuresOf(each, priced).map((one) => [one.key, one] as const)))
  const both = [...is!.values()].flatMap((cell) => {
    const earlier = old!.get(cell.key)
    return earlier === undefined ? [] : [changesOf(earlier, cell)]
  })
  const only = (some: ReadonlyMap<string, unknown>, other: ReadonlyMap<string, unknown>) =>
    [...some.keys()].filter((key) => !other.has(key))
  return {
    compared: both.length,
    equal: both.filter((changes) => changes.length === 0).length,
    changes: both.flat(),
    onlyBefore: only(old!, is!),
    onlyNow: only(is!, old!),
  }
}

/** What of one cell, or of one start, is set side by side. */
interface Figures {
  readonly key: string
  readonly workload: string
  readonly technique: string
  readonly figures: Readonly<Record<string, number | string | undefined>>
}

function figuresOf({ cells, starts }: Comparison, priced: boolean): readonly Figures[] {
  const one = (workload: string, technique: string, figures: Figures['figures']): Figures => {
    return { key: `${workload} under ${technique}`, workload, technique, figures }
  }
  const point = ({ events, cycles }: StartPoint) => ({ ...events, ...(priced && { cycles }) })
  return [
    ...cells.map(({ workload, technique, checksum, events, cycles }) =>
      one(workload, technique, { checksum, ...events, ...(priced && { cycles }) }),
    ),
    ...starts.flatMap(({ technique, first, exit, imageBytes, residentBytes }) => [
      one('start-first', technique, { ...point(first), 'image-bytes': imageBytes, 'resident-bytes': residentBytes }),
      one('start-exit', technique, point(exit)),
    ]),
  ]
}

function changesOf({ figures: old }: Figures, { workload, technique, figures: is }: Figures): readonly Change[] {
  return [...new Set([...Object.keys(old), ...Object.keys(is)])]
    .filter((what) => (old[what] ?? 0) !== (is[what] ?? 0))
    .map((what) => ({ workload, technique, what, before: old[what], now: is[what] }))
}

/** The difference in lines of text. */
export function baselineText({ compared, equal, changes, onlyBefore, onlyNow }: BaselineDifference): string {
  const exact = (figure: number | string | undefined) => (figure === undefined ? 'none' : String(figure))
  const lines = [`Beside the baseline: ${equal} of ${compared} cells are equal, to the digit`]
  for (const { workload, technique, what, before, now } of changes) {
    const by = typeof before === 'number' && typeof now === 'number' && before !== 0 ? relative(now / before - 1) : ''
    lines.push(`  ${workload} under ${technique}: ${what} ${exact(before)} → ${exact(now)}${by}`)
  }
  if (onlyBefore.length > 0) lines.push(`  only in the baseline: ${onlyBefore.join(', ')}`)
  if (onlyNow.length > 0) lines.push(`  not in the baseline: ${onlyNow.join(', ')}`)
  return `${lines.join('\n')}\n`
}

const relative = (share: number): string => ` (${share < 0 ? '−' : '+'}${(Math.abs(share) * 100).toFixed(2)} %)`
