/** Figures from records of boots: processor times and memory by row, and ratios. */
import { VmexitError } from '@vmexit/core'
import { engineOf } from '../engines.ts'
import { type Figure, figure, geometricMean } from '../results.ts'
import { BOOT_SYSTEMS, type BootSystem, judgedOf } from './names.ts'
import type { BootRecord } from './timeline.ts'

/** One boot in one round: of the kernel as it is, or with the workloads. */
export interface Booted {
  readonly system: BootSystem
  readonly kind: 'whole' | 'workloads'
  readonly record: BootRecord
}

/** A line of the table. */
export interface Row {
  readonly name: string
  readonly part: 'boots' | 'workloads' | 'memory'
  /** Milliseconds of processor time, or mebibytes of memory; by system, over rounds. */
  readonly figures: Partial<Record<BootSystem, Figure>>
  /** Million instructions that vmexit retires for it; undefined for memory, and where vmexit took no part. */
  readonly millions: number | undefined
}

/** A system of vmexit against another's. Below 1, vmexit is faster or smaller. */
export interface BootComparison {
  readonly ours: BootSystem
  readonly theirs: BootSystem
  /** Ours over theirs in the same round, by row. */
  readonly ratios: Readonly<Record<string, Figure>>
  /** Geometric mean of the medians of the workloads' ratios; undefined without workloads. */
  readonly mean: number | undefined
}

export interface BootResults {
  readonly systems: readonly BootSystem[]
  /** The engine that the comparisons are about; undefined where none took part. */
  readonly judged: BootSystem | undefined
  readonly rows: readonly Row[]
  /** The judged engine against v86 with its JIT and QEMU, and interpreter against interpreter: where both took part. */
  readonly comparisons: readonly BootComparison[]
}

/** What of a record a row shows. */
interface Measure {
  readonly name: string
  readonly part: Row['part']
  readonly kind: Booted['kind']
  readonly value: (record: BootRecord) => number
  /** Instructions; undefined where they mean nothing. */
  readonly retired?: (record: BootRecord) => number
}

const MIB = 1024

const BOOTS: readonly Measure[] = [
  {
    name: 'boot to /init',
    part: 'boots',
    kind: 'whole',
    value: ({ milestoneCpu }) => milestoneCpu['init']!,
    retired: ({ milestoneInsns }) => milestoneInsns['init']!,
  },
  {
    name: '… decompressing the kernel',
    part: 'boots',
    kind: 'whole',
    value: ({ milestoneCpu }) => milestoneCpu['kernel']!,
    retired: ({ milestoneInsns }) => milestoneInsns['kernel']!,
  },
  {
    name: 'kernel to /init, notests',
    part: 'boots',
    kind: 'workloads',
    value: ({ milestoneCpu }) => milestoneCpu['init']! - milestoneCpu['kernel']!,
    retired: ({ milestoneInsns }) => milestoneInsns['init']! - milestoneInsns['kernel']!,
  },
]

const MEMORY: readonly Measure[] = [
  { name: 'peak MiB, boot', part: 'memory', kind: 'whole', value: ({ vmHwmKiB }) => vmHwmKiB / MIB },
  { name: 'peak MiB, workloads', part: 'memory', kind: 'workloads', value: ({ vmHwmKiB }) => vmHwmKiB / MIB },
]

const workload = (name: string): Measure => ({
  name,
  part: 'workloads',
  kind: 'workloads',
  value: ({ workloadCpu }) => workloadCpu[name]!,
  retired: ({ insns }) => insns[name]!,
})

/** @throws VmexitError `bench-disagreement` where a workload failed, printed something else or retired something else. */
export function summarizeBoots(booted: readonly Booted[]): BootResults {
  const names = Object.keys(booted.find(({ kind }) => kind === 'workloads')!.record.workloadCpu)
  checkAgreement(booted, names)
  const systems = BOOT_SYSTEMS.filter((each) => booted.some(({ system }) => system === each))
  const judged = judgedOf(systems)
  const measures = [...BOOTS, ...names.map(workload), ...MEMORY]
  const of = (system: BootSystem, { kind }: Measure) =>
    booted.filter((each) => each.system === system && each.kind === kind).map(({ record }) => record)
  const rows = measures.map((measure): Row => {
    const { name, part, value, retired } = measure
    const figures = systems.map((system) => [system, figure(of(system, measure).map(value))] as const)
    const millions = judged && retired ? retired(of(judged, measure)[0]!) / 1e6 : undefined
    return { name, part, figures: Object.fromEntries(figures), millions }
  })
  const compare = (ours: BootSystem, theirs: BootSystem): BootComparison => {
    const ratios = measures.map((measure) => {
      const own = of(ours, measure).map(measure.value)
      const other = of(theirs, measure).map(measure.value)
      return [measure.name, figure(other.map((value, round) => own[round]! / value))] as const
    })
    const ofWorkloads = ratios.filter((_, index) => measures[index]!.part === 'workloads')
    const mean = names.length === 0 ? undefined : geometricMean(ofWorkloads.map(([, { median }]) => median))
    return { ours, theirs, ratios: Object.fromEntries(ratios), mean }
  }
  return { systems, judged, rows, comparisons: pairsOf(systems, judged).map(([ours, theirs]) => compare(ours, theirs)) }
}

function pairsOf(
  systems: readonly BootSystem[],
  judged: BootSystem | undefined,
): (readonly [BootSystem, BootSystem])[] {
  const pairs: (readonly [BootSystem | undefined, BootSystem])[] = [
    [judged, 'v86'],
    [judged, 'qemu-tcg'],
    ['vmexit-interpreter', 'v86-nojit'],
  ]
  return pairs.flatMap(([ours, theirs]) =>
    ours !== undefined && systems.includes(ours) && systems.includes(theirs) ? [[ours, theirs] as const] : [],
  )
}

/** What a workload printed, as far as it does not depend on time. */
function printed({ output, results }: BootRecord): ReadonlyMap<string, string> {
  const checks = Object.entries(results).map(([name, { check }]) => [name, check] as const)
  return new Map([...Object.entries(output).filter(([, line]) => !line.startsWith('@@')), ...checks])
}

function checkAgreement(booted: readonly Booted[], names: readonly string[]): void {
  const first = booted.find(({ kind }) => kind === 'workloads')!
  for (const { system, kind, record } of booted) {
    if (record.failed.length > 0)
      throw disagreement(`${record.failed.join(', ')} failed under ${system}`, 'see what the guest prints')
    if (kind === 'whole') continue
    const missing = names.filter((name) => record.workloadCpu[name] === undefined)
    if (missing.length > 0)
      throw disagreement(`${missing.join(', ')} did not end under ${system}`, 'see what the guest prints')
    for (const [name, text] of printed(record)) {
      const other = printed(first.record).get(name)
      if (other !== undefined && other !== text)
        throw disagreement(`${name}: ${first.system} printed ${other}, ${system} ${text}`, BUG)
    }
  }
  for (const kind of ['whole', 'workloads'] as const) checkCounts(booted.filter((each) => each.kind === kind))
}

/** A count depends on the guest alone: it is equal under every engine of vmexit, and in every round. */
function checkCounts(booted: readonly Booted[]): void {
  const [first, ...others] = booted.filter(({ system }) => engineOf(system) !== undefined)
  for (const { system, record } of others) {
    for (const counts of ['milestoneInsns', 'insns'] as const) {
      for (const [name, count] of Object.entries(first!.record[counts])) {
        const other = record[counts][name]
        if (other !== count)
          throw disagreement(`${name}: ${first!.system} retired ${count} instructions, ${system} ${other}`, BUG)
      }
    }
  }
}

const BUG = 'one of them has a bug, and a time means nothing'

function disagreement(problem: string, remedy: string): VmexitError {
  return new VmexitError('bench-disagreement', { problem, remedy })
}
