/** Figures from records of boots: processor times by row, and ratios. */
import { VmexitError } from '@vmexit/core'
import { type Figure, figure, geometricMean } from '../results.ts'
import type { BootSystem } from './names.ts'
import type { BootRecord } from './timeline.ts'

/** One boot in one round: of the kernel as it is, or with the workloads. */
export interface Booted {
  readonly system: BootSystem
  readonly kind: 'whole' | 'workloads'
  readonly record: BootRecord
}

/** A line of the table. Times in milliseconds of processor time, by system, over rounds. */
export interface Row {
  readonly name: string
  readonly ms: Partial<Record<BootSystem, Figure>>
  /** Million instructions that vmexit retires for it. */
  readonly millions: number
  /** vmexit's time over v86's without its JIT, in the same round. */
  readonly ratio: Figure
}

export interface BootResults {
  readonly boots: readonly Row[]
  readonly workloads: readonly Row[]
  /** Geometric mean of the medians of the workloads' ratios; undefined without workloads. */
  readonly mean: number | undefined
}

/** What is measured of a record: its time and instructions. */
type Measure = (record: BootRecord) => readonly [ms: number, instructions: number]

const BOOTS: readonly (readonly [name: string, kind: Booted['kind'], measure: Measure])[] = [
  ['boot to /init', 'whole', ({ milestoneCpu, milestoneInsns }) => [milestoneCpu['init']!, milestoneInsns['init']!]],
  [
    '… decompressing the kernel',
    'whole',
    (record) => [record.milestoneCpu['kernel']!, record.milestoneInsns['kernel']!],
  ],
  ['kernel to /init, notests', 'workloads', (record) => between(record, 'kernel', 'init')],
]

function between({ milestoneCpu, milestoneInsns }: BootRecord, from: string, to: string): readonly [number, number] {
  return [milestoneCpu[to]! - milestoneCpu[from]!, milestoneInsns[to]! - milestoneInsns[from]!]
}

/** @throws VmexitError `bench-disagreement` where a workload failed or printed something else. */
export function summarizeBoots(booted: readonly Booted[]): BootResults {
  checkAgreement(booted)
  const names = Object.keys(booted.find(({ kind }) => kind === 'workloads')!.record.workloadCpu)
  const workloads = names.map((name) =>
    row(booted, name, 'workloads', ({ workloadCpu, insns }) => [workloadCpu[name]!, insns[name]!]),
  )
  const mean = workloads.length === 0 ? undefined : geometricMean(workloads.map(({ ratio }) => ratio.median))
  return { boots: BOOTS.map(([name, kind, measure]) => row(booted, name, kind, measure)), workloads, mean }
}

function row(booted: readonly Booted[], name: string, kind: Booted['kind'], measure: Measure): Row {
  const of = (system: BootSystem) =>
    booted.filter((each) => each.system === system && each.kind === kind).map(({ record }) => measure(record))
  const ms: Partial<Record<BootSystem, Figure>> = {}
  for (const system of new Set(booted.map((each) => each.system))) ms[system] = figure(of(system).map(([time]) => time))
  const ours = of('interpreter')
  const ratio = figure(of('v86').map(([time], round) => ours[round]![0] / time))
  return { name, ms, millions: ours[0]![1] / 1e6, ratio }
}

/** What a workload printed, as far as it does not depend on time. */
function printed({ output, results }: BootRecord): ReadonlyMap<string, string> {
  const checks = Object.entries(results).map(([name, { check }]) => [name, check] as const)
  return new Map([...Object.entries(output).filter(([, line]) => !line.startsWith('@@')), ...checks])
}

function checkAgreement(booted: readonly Booted[]): void {
  const first = booted.find(({ kind }) => kind === 'workloads')
  for (const { system, record } of booted) {
    if (record.failed.length > 0)
      throw disagreement(`${record.failed.join(', ')} failed under ${system}`, 'see what the guest prints')
    if (!first || record.milestones['shell'] === undefined) continue
    for (const [name, text] of printed(record)) {
      const other = printed(first.record).get(name)
      if (other !== undefined && other !== text)
        throw disagreement(
          `${name}: ${first.system} printed ${other}, ${system} ${text}`,
          'one of them has a bug, and a time means nothing',
        )
    }
  }
}

function disagreement(problem: string, remedy: string): VmexitError {
  return new VmexitError('bench-disagreement', { problem, remedy })
}
