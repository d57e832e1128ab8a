/** What runs the kernels, and how to measure it in a process of its own. */
import { readFileSync } from 'node:fs'
import { inOwnProcess } from './child.ts'
import { ENGINES, systemOf, type VmexitSystem } from './engines.ts'
import { Meter, type Sample } from './meter.ts'

export type SystemName = VmexitSystem | 'v86' | 'v86-nojit'

interface System {
  readonly name: SystemName
  readonly title: string
  /** Runs of each kernel that do not count, since the host still optimises; and that count. */
  readonly warmUp: number
  readonly measured: number
  /** In how many of the rounds it takes part. */
  readonly rounds: number
  run(rom: Uint8Array, meter: Meter): Promise<void>
}

// Each is loaded where it runs: nobody pays for another's program.
const vmexit = ENGINES.map(({ engine, title, warmUp, measured, rounds }) => ({
  name: systemOf(engine),
  title: `vmexit, ${title}`,
  warmUp,
  measured,
  rounds,
  run: async (rom: Uint8Array, meter: Meter) => await (await import('./vmexit.ts')).runVmexit(engine, rom, meter),
}))

const v86 = ([true, false] as const).map((jit) => ({
  name: jit ? ('v86' as const) : ('v86-nojit' as const),
  title: jit ? 'v86, JIT on' : 'v86, JIT off',
  warmUp: jit ? 5 : 3,
  measured: jit ? 20 : 10,
  rounds: Number.POSITIVE_INFINITY,
  run: async (rom: Uint8Array, meter: Meter) => await (await import('./v86.ts')).runV86(jit, rom, meter),
}))

/** In the order in which they are measured. */
export const SYSTEMS: readonly System[] = [...vmexit, ...v86]

export const KERNELS: readonly string[] = ['sieve', 'crc32', 'shellsort', 'quicksort', 'fib']

/** Measures in this process. */
export async function measureHere(name: SystemName): Promise<Sample[]> {
  const { warmUp, measured, run } = SYSTEMS.find((system) => system.name === name)!
  const rom = readFileSync(new URL('../guest/bench.rom', import.meta.url))
  const meter = new Meter((warmUp + measured) * KERNELS.length)
  await run(rom, meter)
  return meter.samples.slice(warmUp * KERNELS.length)
}

/**
 * Measures in a process of its own.
 * @throws VmexitError `bench-system` if that process fails.
 */
export async function measure(name: SystemName): Promise<Sample[]> {
  return JSON.parse(await inOwnProcess(`measuring ${name}`, ['--system', name])) as Sample[]
}
