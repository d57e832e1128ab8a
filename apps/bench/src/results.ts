/** Figures from samples: medians over rounds, speeds, ratios. */
import { VmexitError } from '@vmexit/core'
import { ENGINES, systemOf } from './engines.ts'
import type { Sample } from './meter.ts'
import { KERNELS, type SystemName } from './systems.ts'

/** The samples of one system in one round. */
export interface Round {
  readonly system: SystemName
  readonly samples: readonly Sample[]
}

/** A figure over rounds. */
export interface Figure {
  readonly median: number
  readonly least: number
  readonly most: number
}

/** One kernel under one system. */
export interface Measured {
  readonly system: SystemName
  readonly kernel: string
  /** Processor time of one run. */
  readonly ms: Figure
  /** Million instructions in a second of processor time, at the median. */
  readonly mips: number
}

/** An engine against its rival. */
export interface Comparison {
  readonly ours: SystemName
  readonly theirs: SystemName
  /** The rival's time over the engine's in the same round, by kernel. */
  readonly ratios: Readonly<Record<string, Figure>>
  /** Geometric mean of the medians of the ratios. */
  readonly ratio: number
}

export interface Results {
  /** Instructions of one run, by kernel; 0 where vmexit has not run. */
  readonly instructions: Readonly<Record<string, number>>
  readonly measured: readonly Measured[]
  /** Of each engine that was measured together with its rival. */
  readonly comparisons: readonly Comparison[]
}

export function figure(values: readonly number[]): Figure {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
  return { median, least: sorted[0]!, most: sorted.at(-1)! }
}

export function geometricMean(values: readonly number[]): number {
  return values.reduce((product, value) => product * value, 1) ** (1 / values.length)
}

/** @throws VmexitError `bench-disagreement` where systems computed or counted otherwise. */
export function summarize(rounds: readonly Round[]): Results {
  const instructions = Object.fromEntries(KERNELS.map((kernel) => [kernel, instructionsOf(rounds, kernel)]))
  const times = (system: SystemName, kernel: string): number[] =>
    rounds.filter((round) => round.system === system).map(({ samples }) => meanTime(samples, kernel))
  const systems = [...new Set(rounds.map(({ system }) => system))]
  const measured = systems.flatMap((system) =>
    KERNELS.map((kernel) => {
      const ms = figure(times(system, kernel))
      return { system, kernel, ms, mips: instructions[kernel]! / ms.median / 1000 }
    }),
  )
  const compare = (ours: SystemName, theirs: SystemName): Comparison => {
    const ratios = Object.fromEntries(
      KERNELS.map((kernel) => {
        const own = times(ours, kernel)
        return [kernel, figure(times(theirs, kernel).map((time, round) => time / own[round]!))]
      }),
    )
    return { ours, theirs, ratios, ratio: geometricMean(Object.values(ratios).map(({ median }) => median)) }
  }
  const pairs = ENGINES.map(({ engine, rival }) => [systemOf(engine), rival] as const)
  const comparisons = pairs.flatMap(([ours, theirs]) =>
    theirs !== undefined && systems.includes(ours) && systems.includes(theirs) ? [compare(ours, theirs)] : [],
  )
  return { instructions, measured, comparisons }
}

function meanTime(samples: readonly Sample[], kernel: string): number {
  const own = samples.filter((sample) => sample.kernel === kernel)
  return own.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / own.length
}

/** What one run of a kernel retires: equal under all engines and in every run. */
function instructionsOf(rounds: readonly Round[], kernel: string): number {
  const all = rounds.flatMap(({ system, samples }) =>
    samples.filter((sample) => sample.kernel === kernel).map((sample) => ({ system, ...sample })),
  )
  const first = all[0]
  if (first === undefined) throw disagreement(kernel, 'nobody has run it')
  const counting = all.find(({ instructions }) => instructions !== 0)
  for (const { system, checksum, instructions } of all) {
    if (checksum !== first.checksum) {
      throw disagreement(kernel, `${first.system} computed ${first.checksum}, ${system} ${checksum}`)
    }
    if (instructions !== 0 && instructions !== counting!.instructions) {
      throw disagreement(
        kernel,
        `${counting!.system} retired ${counting!.instructions} instructions, ${system} ${instructions}`,
      )
    }
  }
  return counting?.instructions ?? 0
}

function disagreement(kernel: string, problem: string): VmexitError {
  return new VmexitError('bench-disagreement', {
    problem: `${kernel}: ${problem}`,
    remedy: 'one of them has a bug, and a time means nothing',
  })
}
