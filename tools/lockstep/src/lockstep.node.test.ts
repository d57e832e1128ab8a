import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Engine } from '@vmexit/x86'
import { afterEach, describe, expect, test } from 'vitest'
import { advance, position } from './advance.ts'
import { type Guest, readState, startGuest } from './guest.ts'
import { lead } from './lead.ts'
import { locate } from './locate.ts'
import { randomFrom } from './random.ts'
import { repeat } from './repeat.ts'
import { StateHash } from './state-hash.ts'
import { countingGuest, firstRead, restlessGuest, tellTale } from './testing.ts'
import { stretches, TraceFolder } from './trace.ts'
import { Windows } from './window.ts'

const folders: string[] = []
const folder = (): TraceFolder => {
  const path = mkdtempSync(join(tmpdir(), 'lockstep-test-'))
  folders.push(path)
  return new TraceFolder(path)
}
afterEach(() => {
  for (const path of folders.splice(0)) rmSync(path, { recursive: true })
})

const recording = { engine: 'interpreter', every: 10_000, saveEvery: 50_000, to: 150_000 } as const
const liar: Guest = { ...countingGuest, options: { ...countingGuest.options, devices: [tellTale()] } }

describe.each([
  ['a guest that counts', countingGuest],
  ['a guest that rewrites its code between interrupts', restlessGuest],
])('%s', (_, guest) => {
  test('is the same under all engines, a second time, and from saved states', { timeout: 60_000 }, async () => {
    const into = folder()
    const trace = await lead(guest, into, recording)
    expect(trace.checkpoints).toHaveLength(16)
    expect(trace.states).toEqual([50_000, 100_000])
    const from = (engine: Engine, from: number) => repeat(guest, into, trace, { engine, from, to: 150_000 })
    expect(await from('interpreter', 0)).toMatchObject({ equal: 150_000, hashes: 16 })
    expect(await from('interpreter', 50_000)).toMatchObject({ equal: 150_000, hashes: 11 })
    expect(await from('reference', 0)).toMatchObject({ equal: 150_000, hashes: 16 })
    expect(await from('reference', 100_000)).toMatchObject({ equal: 150_000, hashes: 6 })
    expect(await from('jit', 0)).toMatchObject({ equal: 150_000, hashes: 16 })
    expect(await from('jit', 100_000)).toMatchObject({ equal: 150_000, hashes: 6 })
  })

  test.each(['interpreter', 'jit'] as const)('is the same after every instruction of a window: %s', async (engine) => {
    await using tested = await startGuest(guest, engine)
    await using reference = await startGuest(guest, 'reference')
    using windows = new Windows(tested, reference)
    advance(tested, 50_000)
    const result = windows.compare({ length: 3000, passes: 2, stride: 40, random: randomFrom(1) })
    expect(result).toMatchObject({ at: 50_000, instructions: 3000 })
    expect(result.difference).toBeUndefined()
    expect(position(tested)).toBe(53_000)
    expect(result.comparisons).toBeGreaterThan(3000 + 2 * 75)
  })
})

test('windows see interrupts', async () => {
  await using tested = await startGuest(restlessGuest, 'interpreter')
  await using reference = await startGuest(restlessGuest, 'reference')
  using windows = new Windows(tested, reference)
  expect(windows.compare({ length: 5000, passes: 0, stride: 1, random: randomFrom(1) }).events).toBeGreaterThan(5)
})

test('engines that differ are found out at the checkpoint, and then at the instruction', {
  timeout: 60_000,
}, async () => {
  const into = folder()
  const trace = await lead(liar, into, recording)
  const repeated = await repeat(liar, into, trace, { engine: 'reference', from: 0, to: 150_000 })
  expect(repeated).toMatchObject({ equal: 10_000, hashes: 2, difference: { at: 20_000 } })
  const report = await locate(liar, into, trace, { engine: 'reference', equal: 10_000, different: 20_000 })
  expect(report.join('\n')).toContain(`differ after ${firstRead} instructions`)
  expect(report.join('\n')).toMatch(/16387 {2}f000:0000000f {2}ec +in al, dx\n/)
  expect(report.join('\n')).toMatch(/x86\.registers\.rax: [0-9a-f]+02, [0-9a-f]+01/)
})

test('a window tells the stride and the instruction at which engines differ', async () => {
  await using tested = await startGuest(liar, 'interpreter')
  await using reference = await startGuest(liar, 'reference')
  using windows = new Windows(tested, reference)
  advance(tested, firstRead - 100)
  const { difference } = windows.compare({ length: 200, passes: 0, stride: 1, random: randomFrom(1) })
  expect(difference?.after).toBe(firstRead)
  expect(difference?.report.join('\n')).toContain('in al, dx')
})

test('a byte anywhere in memory changes the hash, and changes it back', async () => {
  await using pc = await startGuest(countingGuest, 'interpreter')
  using hash = new StateHash(pc)
  const memory = pc.machine.find('guestMemory')!
  const before = hash.digest()
  memory.write8(0x7_fabc, 1)
  const changed = hash.digest()
  memory.write8(0x7_fabc, 0)
  expect(changed).not.toBe(before)
  expect(hash.digest()).toBe(before)
  memory.setReadOnly(0x7_f000, 0x1000, true)
  expect(hash.digest()).not.toBe(before)
})

test('a trace of another guest is refused, and one of the same guest found again', async () => {
  const into = folder()
  const trace = await lead(countingGuest, into, { ...recording, to: 30_000 })
  expect(into.read('counting')).toEqual(trace)
  expect(() => into.read('restless')).toThrow(/holds the run of another guest/)
})

test('stretches lead from state to state to the end', async () => {
  const trace = await lead(countingGuest, folder(), { ...recording, to: 120_000 })
  expect(stretches(trace)).toEqual([
    { from: 0, to: 50_000 },
    { from: 50_000, to: 100_000 },
    { from: 100_000, to: 120_000 },
  ])
  expect(stretches(trace, 50_000, 100_000)).toEqual([{ from: 50_000, to: 100_000 }])
})

test('a damaged state is refused by name', async () => {
  const into = folder()
  const path = into.statePath(1)
  await import('node:fs/promises').then(({ writeFile }) => writeFile(path, 'vmexit state 1\nno'))
  await expect(readState(path)).rejects.toThrow(/state-1\.vmexit: .*not a whole file/)
})
