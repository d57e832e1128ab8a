/** What is measured, and how to measure it in a process of its own. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { VmexitError } from '@vmexit/core'
import { Meter, type Sample } from './meter.ts'
import { runV86 } from './v86.ts'
import { runVmexit } from './vmexit.ts'

export type SystemName = 'interpreter' | 'reference' | 'v86' | 'v86-jit'

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

/** In the order in which they are measured. */
export const SYSTEMS: readonly System[] = [
  {
    name: 'interpreter',
    title: 'vmexit, interpreter',
    warmUp: 5,
    measured: 20,
    rounds: Number.POSITIVE_INFINITY,
    run: (rom, meter) => runVmexit('interpreter', rom, meter),
  },
  {
    name: 'v86',
    title: 'v86, JIT off',
    warmUp: 3,
    measured: 10,
    rounds: Number.POSITIVE_INFINITY,
    run: (rom, meter) => runV86(false, rom, meter),
  },
  {
    name: 'v86-jit',
    title: 'v86, JIT on',
    warmUp: 5,
    measured: 20,
    rounds: Number.POSITIVE_INFINITY,
    run: (rom, meter) => runV86(true, rom, meter),
  },
  {
    name: 'reference',
    title: 'vmexit, reference',
    warmUp: 0,
    measured: 1,
    rounds: 1,
    run: (rom, meter) => runVmexit('reference', rom, meter),
  },
]

export const KERNELS: readonly string[] = ['sieve', 'crc32', 'shellsort', 'quicksort', 'fib']

/** Measures in this process. */
export async function measureHere(name: SystemName): Promise<Sample[]> {
  const { warmUp, measured, run } = SYSTEMS.find((system) => system.name === name)!
  const rom = readFileSync(new URL('../guest/bench.rom', import.meta.url))
  const meter = new Meter((warmUp + measured) * KERNELS.length)
  await run(rom, meter)
  return meter.samples.slice(warmUp * KERNELS.length)
}

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url))

/**
 * Measures in a process of its own, so that what one system has left behind costs no other anything.
 * @throws VmexitError `bench-system` if that process fails.
 */
export async function measure(name: SystemName): Promise<Sample[]> {
  const child = spawn(process.execPath, ['--conditions=@vmexit/source', MAIN, '--system', name], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const texts = { out: '', err: '' }
  child.stdout.on('data', (chunk) => (texts.out += chunk))
  child.stderr.on('data', (chunk) => (texts.err += chunk))
  const code = await new Promise((resolve) => child.on('close', resolve))
  if (code === 0) return JSON.parse(texts.out) as Sample[]
  throw new VmexitError('bench-system', {
    problem: `measuring ${name} ended with code ${code}`,
    remedy: `see what it said: ${texts.err.trim() || '(nothing)'}`,
  })
}
