import { describe, expect, test } from 'vitest'
import { busyGuest, said } from '../test/busy-guest.ts'
import { halt, nmi, pcOf, readTimer, reset, steps, wrap } from '../test/programs.ts'
import {
  createPc,
  mmuNames,
  type Pc,
  type PcOptions,
  type PcTechnique,
  packState,
  raw,
  techniqueNames,
  unpackState,
} from './index.ts'

const engines = ['jit', 'interpreter', 'reference'] as const
const ways: readonly PcTechnique[] = [
  { technique: 'native' },
  { technique: 'software-emulation' },
  { technique: 'vtx', mmu: 'nested-paging' },
  { technique: 'vtx', mmu: 'nested-paging', nestedPages: '2 MiB' },
  { technique: 'vtx', mmu: 'shadow-paging' },
]

const named = ways.map((way) => ({ way, name: [way.technique, way.mmu].filter(Boolean).join(' and ') }))

/** The counts that are the guest's own, whoever executes it. */
const own = ['instructions', 'idle-ticks'] as const

function listen(pc: Pc): () => string {
  let text = ''
  pc.console.onOutput((bytes) => {
    text += new TextDecoder('latin1').decode(bytes)
  })
  return () => text
}

/** Runs the guest to its end. */
async function runWhole(pc: Pc) {
  const text = listen(pc)
  const { reason, seconds } = await pc.run({ idle: 'skip' })
  return { reason, seconds, text: text(), counts: pc.counts, machine: pc.machineCounts, position: pc.position }
}

async function whole(way: PcTechnique, engine: (typeof engines)[number] = 'jit') {
  await using pc = await createPc({ ...busyGuest, ...way, engine })
  return { ...(await runWhole(pc)), engine: pc.engine }
}

test('the guest prints the same and counts the same under every technique', async () => {
  const native = await whole({ technique: 'native' })
  expect(native).toMatchObject({ reason: 'off', text: said })
  for (const way of ways) {
    const run = await whole(way)
    const { reason, seconds, text, position } = run
    expect({ reason, seconds, text, position }).toEqual({
      reason: native.reason,
      seconds: native.seconds,
      text: native.text,
      position: native.position,
    })
    for (const name of own) expect(run.counts[name]).toBe(native.counts[name])
  }
})

test('a chip sees the same time at the same instruction under every technique', async () => {
  const printed = async (way: PcTechnique) => {
    await using pc = await pcOf(readTimer, { ...way, display: 'none', frequency: 10_000_000 })
    const text = listen(pc)
    expect((await pc.run()).exitCode).toBe(1)
    return text()
  }
  const native = await printed({ technique: 'native' })
  expect(native).toHaveLength(400)
  for (const way of ways) expect(await printed(way)).toBe(native)
})

/** Runs a program in flat mode to its end, and says what it has printed. */
async function printedBy(program: readonly number[], way: PcTechnique): Promise<string> {
  const loader = raw({ image: Uint8Array.from(program), address: 0x1_0000, mode: 'flat' })
  await using pc = await createPc({ memory: '2 MiB', loader, display: 'none', ...way })
  const text = listen(pc)
  expect((await pc.run({ idle: 'skip' })).exitCode).toBe(1)
  return text()
}

test('a debugger in the guest steps over what a VMM executes, too, under every technique', async () => {
  const native = await printedBy(steps, { technique: 'native' })
  // One trap behind each instruction from CPUID to the second POPFD.
  expect(native.charCodeAt(0)).toBe(16)
  for (const way of ways) expect(await printedBy(steps, way)).toBe(native)
})

test('the local APIC’s NMI comes to the guest’s CPU at once, under every technique', async () => {
  for (const way of ways) expect(await printedBy(nmi, way)).toBe('n.')
})

test('addresses wrap at 1 MiB while the A20 gate is closed, under every technique', async () => {
  for (const way of ways) expect(await printedBy(wrap, way)).toBe('aacbc')
})

test.each(named)('every engine counts the same ($name)', async ({ way }) => {
  const [first, ...others] = [await whole(way, 'jit'), await whole(way, 'interpreter'), await whole(way, 'reference')]
  const { engine: _, ...expected } = first
  for (const { engine: __, ...run } of others) expect(run).toEqual(expected)
})

test('software emulation never runs its guest on the machine, nor translates', async () => {
  const native = await whole({ technique: 'native' })
  const { counts, machine, engine } = await whole({ technique: 'software-emulation' })
  expect(engine).toBe('interpreter')
  expect(counts).toEqual({ ...native.counts, emulated: native.counts.instructions })
  expect(Object.values(machine).every((count) => count === 0)).toBe(true)
  expect((await whole({ technique: 'software-emulation' }, 'reference')).engine).toBe('reference')
})

test('a guest of VT-x leaves for what its VMM does, and its tables are walked in two dimensions', async () => {
  const { counts, machine, engine } = await whole({ technique: 'vtx' })
  expect(engine).toBe('jit')
  expect(counts).toMatchObject({ 'vm-exits-hlt': 5, 'vm-exits-cpuid': 1, emulated: 5 })
  // Of the exits for I/O, those of REP OUTSB are emulated; the others, HLT and CPUID are done without executing anything.
  const { 'vm-exits-io': io, 'vm-exits-hlt': hlt, 'vm-exits-cpuid': cpuid } = counts
  expect(machine.instructions! + io! + hlt! + cpuid!).toBe(counts.instructions)
  expect(machine['page-faults']).toBe(1)
  expect(machine['second-stage-references']).toBeGreaterThan(2 * machine['walk-references']!)
})

describe.each(named)('$name', ({ way }) => {
  test('saved in the middle and restored in another PC, it ends the same', async () => {
    await using first = await createPc({ ...busyGuest, ...way })
    const before = listen(first)
    expect((await first.run({ instructions: 3333, idle: 'skip' })).reason).toBe('limit')
    const state = await unpackState(await packState(first.save()))
    const rest = await runWhole(first)
    await using second = await createPc({ ...busyGuest, ...way })
    second.restore(state)
    const again = await runWhole(second)
    const expected = await whole(way)
    for (const { reason, seconds, text, position, counts } of [rest, again]) {
      expect({ reason, seconds, position }).toEqual({
        reason: 'off',
        seconds: expected.seconds,
        position: expected.position,
      })
      expect(before().slice(0, -rest.text.length) + text).toBe(said)
      for (const name of own) expect(counts[name]).toBe(expected.counts[name])
    }
  })

  test('however its run is cut, it counts the same, and to look where it is changes nothing', async () => {
    await using pc = await createPc({ ...busyGuest, ...way })
    for (;;) {
      const { reason } = await pc.run({ instructions: 97, idle: 'skip' })
      expect(pc.position.ip).toBeGreaterThan(0)
      if (reason !== 'limit') break
    }
    const { counts, machine } = await whole(way)
    expect(pc.counts).toEqual(counts)
    expect(pc.machineCounts).toEqual(machine)
  })

  test('reset, it boots again', async () => {
    await using pc = await createPc({ ...busyGuest, ...way })
    const text = listen(pc)
    await pc.run({ instructions: 3000, idle: 'skip' })
    pc.reset()
    expect((await pc.run({ idle: 'skip' })).reason).toBe('off')
    expect(text().endsWith(said)).toBe(true)
    await using resetting = await pcOf(reset, { ...way, display: 'none' })
    expect(await resetting.run()).toMatchObject({ reason: 'off', exitCode: 5 })
  })

  test('halted for good, it says where', async () => {
    await using pc = await pcOf(halt, { ...way, display: 'none' })
    expect((await pc.run()).reason).toBe('halted')
    expect(pc.position).toEqual({ cs: 0, ip: 0x7c02 })
    expect([pc.technique, pc.mmu]).toEqual([way.technique, way.mmu])
  })
})

describe('what cannot be is an error that says what to do instead', () => {
  const refusals: readonly [options: object, problem: string, remedy: string][] = [
    [{ mmu: 'nested-paging' }, 'the guest owns the machine', 'leave mmu out, or take a technique that has one: vtx'],
    [{ technique: 'software-emulation', mmu: 'nested-paging' }, 'by itself', 'leave mmu out'],
    [{ technique: 'vt-x' }, "no technique 'vt-x'", techniqueNames.join(', ')],
    [{ technique: 'vtx', mmu: 'toString' }, "no MMU strategy 'toString'", mmuNames.join(', ')],
    [{ nestedPages: '2 MiB' }, 'native has no second stage', 'take mmu nested-paging'],
    [{ technique: 'vtx', mmu: 'shadow-paging', nestedPages: '2 MiB' }, 'shadow-paging has no', 'leave nestedPages out'],
    [{ technique: 'vtx', nestedPages: '1 GiB' }, "no nested pages of '1 GiB'", '4 KiB, 2 MiB'],
    [{ technique: 'vtx', display: 'text' }, 'has no display yet', "'none'"],
  ]
  test.each(refusals)('%j', async (options, problem, remedy) => {
    const { display: _, ...guest } = busyGuest
    await expect(createPc({ ...guest, ...options } as PcOptions)).rejects.toMatchObject({
      code: 'pc-technique',
      problem: expect.stringContaining(problem),
      remedy: expect.stringContaining(remedy),
    })
  })
})
