/** The workload programs under Debian's kernel: skipped where `vmexit guests` has not fetched it. */
import { readFileSync } from 'node:fs'
import { programs, SlopeMeter, workloadInitramfs } from '@vmexit/guests'
import { createPc } from '@vmexit/vmexit'
import { expect, test } from 'vitest'
import { append, missing } from '../../test/session.ts'
import { findGuests } from '../guests/index.ts'

const { 'linux-686': linux } = findGuests()

/** Boots, runs programs, all unless `words` name them to init, and says how that went. */
async function measure(engine: 'jit' | 'interpreter', words = '') {
  const kernel = readFileSync(linux!.kernel)
  const line = `${append} quiet norandmaps${words && ` -- ${words}`}`
  await using pc = await createPc({ kernel, initrd: workloadInitramfs(), append: line, engine })
  const meter = new SlopeMeter(() => pc.counts)
  pc.console.onTransmit((bytes) => meter.feed(bytes))
  const { reason } = await pc.run({ idle: 'skip', until: 600 })
  const { slopes, exits, done } = meter
  return { reason, slopes, exits, done }
}

test.skipIf(linux === undefined)(
  linux === undefined
    ? missing('linux-686')
    : 'every program does its work, and costs the same each time and under each engine',
  { timeout: 900_000 },
  async () => {
    const first = await measure('jit')
    expect([first.reason, first.done]).toEqual(['off', true])
    expect(first.exits).toEqual(programs.map(({ name }) => ({ program: name, status: 0 })))
    expect(first.slopes).toMatchObject(
      programs.map(({ name, defaultCount, checksum }) => ({ program: name, count: defaultCount, checksum })),
    )

    // Faults are to be exactly what a repetition is about; instructions have the timer's interrupts among them.
    const cost = (name: string, counter: string) =>
      first.slopes.find(({ program }) => program === name)!.costs[counter]!
    expect(cost('pgfault', 'page-faults')).toBe(1)
    expect(cost('divzero', 'exceptions')).toBe(1)
    expect(cost('ptemod', 'page-faults')).toBe(0)
    expect(cost('mmap', 'page-faults')).toBe(16)
    expect(cost('exec', 'page-faults') % 1).toBe(0)
    expect(cost('random', 'tlb-misses-data')).toBeCloseTo(0.5, 1)
    expect(cost('syscall', 'instructions')).toBeGreaterThan(100)
    for (const { program, costs } of first.slopes) expect.soft(costs['interrupts'], program).toBeLessThan(1)

    expect(await measure('jit')).toEqual(first)
    expect(await measure('interpreter')).toEqual(first)
  },
)

test.skipIf(linux === undefined)(
  linux === undefined ? missing('linux-686') : 'init runs what it is told, and says how each ended',
  { timeout: 600_000 },
  async () => {
    const { reason, slopes, exits, done } = await measure('jit', 'cpuid:7 nothing fork:many in:9')
    expect([reason, done]).toEqual(['off', true])
    expect(exits.map(({ program, status }) => `${program} ${status}`)).toEqual([
      'cpuid 0',
      'nothing 127',
      'fork 1',
      'in 0',
    ])
    expect(slopes.map(({ program, count }) => `${program} ${count}`)).toEqual(['cpuid 7', 'in 9'])
  },
)
