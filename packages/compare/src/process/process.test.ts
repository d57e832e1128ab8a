/** A bare process: the workloads on a kernel outside of the machine. */
import { pentium4 } from '@vmexit/core'
import { describe, expect, test } from 'vitest'
import { compare, processTechnique, techniques, type Workload, workloads } from '../index.ts'

const kernel = { name: 'teaching', image: new Uint8Array() }
const measure = (rows: readonly Workload[], engine?: 'interpreter' | 'reference' | 'jit') =>
  processTechnique().measure({ workloads: rows, kernel, engine, signal: undefined, onMeasured() {} })

/** What the programs themselves take: whatever else is in a column of a PC is its kernel's. */
const INSTRUCTIONS: Readonly<Record<string, number>> = {
  syscall: 9.001,
  in: 4.001,
  cpuid: 14.001,
  callret: 16.2502,
  pgfault: 12.005,
  divzero: 12.005,
  ptemod: 21.005,
  switch: 38.01,
  fork: 58.05,
  exec: 142.1,
  mmap: 226.05,
  random: 16.000_05,
  integer: 13_899.88,
  float: 4346.02,
  copy: 16_402.05,
  files: 3677.05,
}

test('a repetition takes these instructions, and the calls that its source makes', async () => {
  const measured = await measure(workloads)
  const instructions = measured.map(({ workload, events }) => [workload, events['instructions']])
  expect(Object.fromEntries(instructions)).toEqual(INSTRUCTIONS)
  for (const [n, { events }] of measured.entries())
    expect(events['system-calls'], workloads[n]!.name).toBe(workloads[n]!.does['system-calls'] ?? 0)
})

test('calls are counted by name, and so are pages, bytes and switches', async () => {
  const rows = workloads.filter(({ name }) => ['switch', 'mmap', 'files', 'divzero'].includes(name))
  const events = new Map((await measure(rows)).map((one) => [one.workload, one.events]))
  expect(events.get('switch')).toMatchObject({
    'system-calls-read': 2,
    'system-calls-write': 2,
    switches: 2,
    'bytes-copied': 4,
  })
  expect(events.get('switch')).toMatchObject({ 'tlb-misses': 6, 'walk-references': 12 })
  expect(events.get('mmap')).toMatchObject({ 'memory-calls': 2, pages: 16, 'page-faults': 16 })
  expect(events.get('files')).toMatchObject({ 'file-calls': 5, 'plain-calls': 2, 'bytes-copied': 2048 })
  expect(events.get('divzero')).toMatchObject({ signals: 1, 'other-exceptions': 1, 'page-faults': 0 })
})

test.each(['interpreter', 'reference'] as const)('every engine counts the same: %s', async (engine) => {
  // Those that have a kernel work; all of them on all engines are a test of `@vmexit/linux`.
  const rows = workloads
    .filter(({ does }) => does['system-calls'] !== undefined)
    .map((row) => ({ ...row, count: Math.min(row.count, 20) }))
  expect(await measure(rows, engine)).toEqual(await measure(rows, 'jit'))
})

describe('the kernel’s work', () => {
  const syscall = workloads.filter(({ name }) => name === 'syscall')
  const column = techniques.filter(({ name }) => name === 'process')

  test('is charged in instructions of the kernel that other columns run, and the comparison says from what', async () => {
    const { cells, techniques: said } = await compare({
      workloads: syscall,
      techniques: column,
      kernel,
      profile: pentium4,
    })
    // 9 of the program, 107 of the kernel, 242 cycles for the way in and out.
    expect(cells[0]?.charges['kernel-instructions']).toEqual({ count: 107, each: 1 })
    expect(cells[0]?.cycles).toBeCloseTo(9 + 107 + 242, 1)
    expect(said[0]?.basis).toMatch(
      /charged, in those of the kernel teaching .* role C.* plain-calls 107, .* by construction/,
    )
  })

  test('has no price where that kernel was not calibrated', async () => {
    const other = { ...kernel, name: 'mine' }
    const { cells, techniques: said } = await compare({
      workloads: syscall,
      techniques: column,
      kernel: other,
      profile: pentium4,
    })
    expect(cells[0]).toMatchObject({ cycles: undefined, unpriced: ['kernel-work'] })
    expect(said[0]?.basis).toContain('no constants for the work of the kernel mine')
  })
})
