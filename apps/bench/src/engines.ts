/** vmexit's engines, as they are measured, and the systems of that name. */
import type { Engine } from '@vmexit/x86'

/** An engine, and how much of it is measured. */
export interface MeasuredEngine {
  readonly engine: Engine
  readonly title: string
  /** What of v86 it is held against; an engine without a rival boots no Linux here. */
  readonly rival: 'v86' | 'v86-nojit' | undefined
  /** Runs of each kernel that do not count, since the host still optimises; and that count. */
  readonly warmUp: number
  readonly measured: number
  /** In how many of the rounds it takes part. */
  readonly rounds: number
}

/** Fastest first: the first one is judged. Another engine is another line. */
// biome-ignore format: a table
export const ENGINES: readonly MeasuredEngine[] = [
  { engine: 'jit', title: 'JIT', rival: 'v86', warmUp: 5, measured: 20, rounds: Number.POSITIVE_INFINITY },
  { engine: 'interpreter', title: 'interpreter', rival: 'v86-nojit', warmUp: 5, measured: 20, rounds: Number.POSITIVE_INFINITY },
  { engine: 'reference', title: 'reference', rival: undefined, warmUp: 0, measured: 1, rounds: 1 },
]

export type VmexitSystem = `vmexit-${Engine}`

/** The name of the system that an engine makes of vmexit. */
export const systemOf = (engine: Engine): VmexitSystem => `vmexit-${engine}`

/** The engine of a system; undefined where it is another's. */
export const engineOf = (system: string): Engine | undefined =>
  ENGINES.find(({ engine }) => systemOf(engine) === system)?.engine
