import { parseSize } from '@vmexit/memory'
import { describe, expect, test } from 'vitest'
import { busyGuest, said } from '../test/busy-guest.ts'
import { count, echo, halt, hog } from '../test/programs.ts'
import {
  createHypervisor,
  createPc,
  type Hypervisor,
  hypervisorMemory,
  type Pc,
  raw,
  type VmPcOptions,
} from './index.ts'

const vtx = { technique: 'vtx', mmu: 'nested-paging' } as const

function listen(pc: Pc): () => string {
  let text = ''
  pc.console.onOutput((bytes) => {
    text += new TextDecoder('latin1').decode(bytes)
  })
  return () => text
}

const program = (image: readonly number[]) => ({
  memory: '2 MiB',
  loader: raw({ image: Uint8Array.from(image), address: 0x7c00, mode: 'real' }),
})

/** Runs the busy guest several times on one machine. */
async function shared(
  ways: readonly Omit<VmPcOptions, keyof typeof busyGuest>[],
  quantum: number,
  engine?: 'reference',
) {
  await using hypervisor = await createHypervisor({ memory: '16 MiB', engine })
  const pcs: Pc[] = []
  for (const way of ways) pcs.push(await hypervisor.createPc({ ...busyGuest, ...way } as VmPcOptions))
  const texts = pcs.map(listen)
  const stops = await hypervisor.run({ quantum })
  return {
    vms: pcs.map((pc, i) => ({ text: texts[i]!(), stop: stops.get(pc), counts: pc.counts })),
    machine: hypervisor.machine.get('counters').snapshot(),
  }
}

/** Without what the end of a turn adds: an exit takes the VM off the CPU, and what waits is looked at when it comes back. */
const withoutEvictions = (counts: Pc['counts']) => {
  const { 'vm-exits': all, 'vm-exits-external-interrupt': out, 'vm-exits-interrupt-window': window, ...others } = counts
  return { ...others, own: all! - out! - window! }
}

test('guests on one machine behave and count as each does alone, however long turns are', async () => {
  await using alone = await createPc({ ...busyGuest, ...vtx })
  await alone.run({ idle: 'skip' })
  for (const quantum of [10, 333, 100_000]) {
    const { vms, machine } = await shared([vtx, vtx, { technique: 'software-emulation' }, vtx], quantum)
    for (const { text, stop, counts } of vms) {
      expect(text).toBe(said)
      expect(stop).toMatchObject({ reason: 'off', instructions: alone.counts.instructions })
      if ('vm-exits' in counts) expect(withoutEvictions(counts)).toEqual(withoutEvictions(alone.counts))
      else expect(counts.emulated).toBe(alone.counts.instructions)
    }
    expect(machine.instructions).toBe(3 * alone.machineCounts.instructions!)
  }
})

test('the same turns give the same counts, of the machine too, under every engine', async () => {
  const first = await shared([vtx, vtx], 777)
  expect(await shared([vtx, vtx], 777)).toEqual(first)
  expect(await shared([vtx, vtx], 777, 'reference')).toEqual(first)
})

describe('a guest that takes all of the machine’s memory', () => {
  const greedy = { memory: '64 MiB', loader: raw({ image: Uint8Array.from(hog), address: 0x7c00, mode: 'flat' }) }
  const ways = [
    { ...vtx, nestedPages: '4 KiB' },
    { ...vtx, nestedPages: '2 MiB' },
    { technique: 'vtx', mmu: 'shadow-paging' },
  ] as const

  test.each(ways)('dies alone: $mmu, $nestedPages', async (way) => {
    await using alone = await createPc({ ...busyGuest, ...vtx })
    await alone.run({ idle: 'skip' })
    await using hypervisor = await createHypervisor({ memory: '16 MiB' })
    const eater = await hypervisor.createPc({ ...greedy, ...way })
    const worker = await hypervisor.createPc({ ...busyGuest, ...vtx })
    const text = listen(worker)
    const stops = await hypervisor.run({ quantum: 10_000 })
    expect(stops.get(eater)?.reason).toBe('machine-memory')
    expect(stops.get(worker)?.reason).toBe('off')
    expect(text()).toBe(said)
    expect(withoutEvictions(worker.counts)).toEqual(withoutEvictions(alone.counts))
    // It stays dead, says where, and a reset begins it anew: with what there is now it comes as far again.
    const instructions = eater.counts.instructions!
    expect(instructions).toBeGreaterThan(3 * 2048)
    expect(await eater.run()).toMatchObject({ reason: 'machine-memory', instructions: 0 })
    expect(eater.position.ip).toBe(0x7c05)
    eater.reset()
    const again = await eater.run()
    expect([again.reason, Math.abs(again.instructions - instructions) < 300]).toEqual(['machine-memory', true])
  })

  test('leaves nothing of itself', async () => {
    await using hypervisor = await createHypervisor({ memory: '8 MiB' })
    for (let n = 0; n < 5; n++) {
      await using pc = await hypervisor.createPc({ ...greedy, ...ways[n % 3]! })
      expect((await pc.run()).reason).toBe('machine-memory')
    }
  })
})

describe('a hypervisor', () => {
  const withTwo = async (hypervisor: Hypervisor, a: readonly number[], b: readonly number[], weight?: number) => [
    await hypervisor.createPc({ ...program(a), ...vtx }),
    await hypervisor.createPc({ ...program(b), ...vtx, weight }),
  ]

  test('gives turns by weight, exactly to its limit', async () => {
    await using hypervisor = await createHypervisor({ memory: '8 MiB' })
    const [a, b] = await withTwo(hypervisor, count, count, 3)
    const stops = await hypervisor.run({ quantum: 1000, instructions: 8500 })
    expect([stops.get(a!)?.instructions, stops.get(b!)?.instructions]).toEqual([2500, 6000])
    expect(stops.get(a!)?.reason).toBe('limit')
  })

  test('waits for an input where all guests do, and goes on with the others where one has ended', async () => {
    await using hypervisor = await createHypervisor({ memory: '8 MiB' })
    const [a, b] = await withTwo(hypervisor, echo, halt)
    const text = listen(a!)
    a!.console.write('hi q')
    const stops = await hypervisor.run()
    expect([text(), stops.get(a!)?.reason, stops.get(b!)?.reason]).toEqual(['hi q', 'off', 'halted'])
  })

  test('can be stopped, and a PC of it disposed', async () => {
    await using hypervisor = await createHypervisor({ memory: '8 MiB' })
    const [a, b] = await withTwo(hypervisor, count, count)
    const control = new AbortController()
    setTimeout(() => control.abort(), 20)
    await hypervisor.run({ signal: control.signal })
    const before = b!.counts.instructions!
    expect(before).toBeGreaterThan(0)
    await a![Symbol.asyncDispose]()
    expect(hypervisor.pcs).toEqual([b])
    await hypervisor.run({ instructions: 1000 })
    expect(b!.counts.instructions).toBe(before + 1000)
  })

  test('has room for PCs of which its memory was reckoned, and all that they write', async () => {
    const options: VmPcOptions[] = [
      { ...busyGuest, ...vtx, memory: '4 MiB' },
      { ...busyGuest, technique: 'vtx', mmu: 'shadow-paging', memory: '8 MiB' },
      { ...busyGuest, technique: 'software-emulation', memory: '64 MiB' },
    ]
    await using hypervisor = await createHypervisor({ memory: hypervisorMemory(options) })
    for (const each of options) {
      const { system } = await hypervisor.createPc(each)
      system.find('guestMemory')!.writeBytes(0x10_0000, new Uint8Array(parseSize(each.memory!) - 0x10_0000).fill(1))
    }
    expect(hypervisorMemory(options)).toBeLessThan(48 << 20)
  })

  test('refuses what cannot share a machine', async () => {
    await using hypervisor = await createHypervisor({ memory: '8 MiB' })
    // @ts-expect-error a bare machine has one guest
    await expect(hypervisor.createPc({ ...busyGuest, technique: 'native' })).rejects.toMatchObject({
      code: 'pc-technique',
      remedy: expect.stringContaining('vtx'),
    })
    await expect(hypervisor.createPc({ ...busyGuest, ...vtx, weight: -1 })).rejects.toMatchObject({ code: 'pc-weight' })
    await expect(
      (async () => {
        const pc = await hypervisor.createPc({ ...busyGuest, ...vtx, memory: '16 MiB' })
        pc.system.find('guestMemory')!.writeBytes(0x10_0000, new Uint8Array(15 << 20).fill(1))
      })(),
    ).rejects.toMatchObject({ code: 'machine-memory' })
  })
})
