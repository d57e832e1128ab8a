import { type Cpu, createMachine, definePart, type Machine, type Part, VmexitError } from '@vmexit/core'
import { ram } from '@vmexit/memory'
import { pci } from '@vmexit/pci'
import { describe, expect, test } from 'vitest'
import { type VgaPartOptions, vga } from './index.ts'

const MiB = 2 ** 20

/** A machine with a PCI bus, a CPU that never runs, and an adapter; `configured` as firmware would leave it. */
async function machineWith(options: VgaPartOptions, configured = true, memory: Part = ram('16 MiB')) {
  const part = vga(options)
  const cpu = {
    id: 0,
    retired: 0,
    halted: true,
    run: () => ({ reason: 'halt' as const }),
    shorten() {},
    connect() {},
    reset() {},
    save: () => ({ version: 1 }),
    restore() {},
  } satisfies Cpu
  const interrupts = {
    inputs: 16,
    line: () => ({ set() {} }),
    source: () => ({ pending: false, acknowledge: () => 0, watch: () => ({ [Symbol.dispose]() {} }) }),
  }
  const parts: object = {
    memory,
    cpu: definePart({ name: 'cpu', gives: ['cpu'], build: () => ({ cpu }) }),
    devices: [
      definePart({ name: 'interrupts', gives: ['interrupts'], build: () => ({ interrupts }) }),
      pci({ configured }),
      part,
    ],
  }
  const machine = (await createMachine(parts as { memory: Part; cpu: Part })) as unknown as Machine<never>
  const ports = machine.get('ports')
  const guestMemory = machine.find('guestMemory')!
  const config = (offset: number, value: number) => {
    ports.write(0xcf8, 4, 0x8000_1000 + offset)
    ports.write(0xcfc, 4, value)
  }
  return { machine, ports, memory: guestMemory, config, api: machine.of(part) }
}

const character = (row: string) => row.trim()

describe('on the bus', () => {
  test('it is found as a VGA adapter with framebuffer and registers', async () => {
    const { ports } = await machineWith({}, false)
    const read = (offset: number) => {
      ports.write(0xcf8, 4, 0x8000_1000 + offset)
      return ports.read(0xcfc, 4).toString(16)
    }
    expect([read(0), read(8), read(0x10), read(0x18), read(0x2c)]).toEqual([
      '11111234',
      '3000002',
      '8',
      '0',
      '11001af4',
    ])
  })

  test('without firmware a text mode works from the start, and a kernel is told of it', async () => {
    const { memory, api } = await machineWith({ mode: 'text' })
    memory.write16(0xb8000, 0x0748)
    memory.write16(0xb8002, 0x0769)
    expect(api.screen.text()[0]).toBe('Hi')
    expect(api.describe()).toEqual({ kind: 'text', columns: 80, rows: 25 })
  })

  test('with firmware, nothing answers until the command register lets it', async () => {
    const { ports, memory, config, api } = await machineWith({}, false)
    ports.write(0x3c2, 1, 0x67)
    expect([ports.read(0x3cc, 1), memory.read8(0xb8000)]).toEqual([0xff, 0xff])
    config(4, 3)
    ports.write(0x3c2, 1, 0x67)
    expect(ports.read(0x3cc, 1)).toBe(0x67)
    config(4, 2)
    expect(ports.read(0x3cc, 1)).toBe(0xff)
    expect(api.vga.miscellaneous).toBe(0x67)
    expect(memory.read8(0xa0000)).toBe(0)
  })

  test('the expansion ROM is where firmware puts it', async () => {
    const rom = Uint8Array.from({ length: 4096 }, (_, i) => i & 0xff)
    const { memory, config } = await machineWith({ rom }, false)
    config(0x30, 0xf000_0001)
    config(4, 2)
    expect(memory.read32(0xf000_0010)).toBe(0x1312_1110)
  })
})

describe('a linear framebuffer', () => {
  const mode = { width: 64, height: 48, depth: 32 } as const

  test('is memory of the machine, and shown', async () => {
    const { memory, api } = await machineWith({ mode })
    const screen = api.describe()
    expect(screen).toEqual({
      kind: 'framebuffer',
      address: 0xe000_0000,
      width: 64,
      height: 48,
      stride: 256,
      depth: 32,
      red: [16, 8],
      green: [8, 8],
      blue: [0, 8],
    })
    expect(memory.ranges.find(({ start }) => start === 0xe000_0000)?.bytes).toBe(16 * MiB)
    memory.write32(0xe000_0000 + 256 + 4, 0x00ff_8001)
    const { width, data } = api.screen.render()
    expect([...data.slice(4 * (width + 1), 4 * (width + 2))]).toEqual([0xff, 0x80, 0x01, 0xff])
  })

  test('a watch sees what the CPU writes there, wherever it is moved', async () => {
    const { memory, config, api } = await machineWith({ mode })
    const watch = api.screen.watch()
    watch.changed()
    expect(watch.changed()).toBe(false)
    memory.write8(0xe000_1234, 1)
    expect([watch.changed(), watch.changed()]).toEqual([true, false])
    config(0x10, 0xd000_0000)
    expect([watch.changed(), watch.changed()]).toEqual([true, false])
    expect(memory.read8(0xd000_1234)).toBe(1)
    memory.write8(0xd000_1234, 2)
    expect([watch.changed(), watch.changed()]).toEqual([true, false])
    watch.close()
  })

  test('lies over the planes', async () => {
    const { memory, ports, api } = await machineWith({ mode: 'text' })
    memory.write8(0xe000_0000 + 8, 0x58)
    expect(character(api.screen.text()[0]!)).toBe('X')
    ports.write(0x3ce, 2, 0x0506)
    expect(memory.read8(0xb8000)).toBe(0xff)
  })
})

test('a machine that is restored shows the same, and reset as after power-on', async () => {
  const a = await machineWith({ mode: 'text' })
  const blank = a.api.screen.text()
  a.memory.write16(0xb8000, 0x0741)
  a.memory.write32(0xe000_0000 + 8 * MiB, 0x1234_5678)
  a.ports.write(0x3d4, 2, 0x200e)
  a.config(0x10, 0xd000_0000)
  const saved = structuredClone(a.machine.save())
  const b = await machineWith({ mode: 'text' })
  b.machine.restore(saved)
  expect(b.machine.save()).toEqual(saved)
  expect(b.api.screen.text()[0]).toBe('A')
  expect(b.memory.read32(0xd000_0000 + 8 * MiB)).toBe(0x1234_5678)
  b.machine.reset()
  expect(b.api.screen.text()).toEqual(blank)
  expect([b.memory.read32(0xe000_0000 + 8 * MiB), b.api.describe()?.kind]).toEqual([0, 'text'])
})

test.each([
  ['vga-memory', { memory: 3 * MiB }],
  ['vga-memory', { memory: 1024 }],
  ['vga-mode', { mode: { width: 1002, height: 768, depth: 32 } }],
  ['vga-mode', { memory: 2 * MiB, mode: { width: 1024, height: 768, depth: 32 } }],
] as const)('%s for what cannot be', async (code, options) => {
  const error = await machineWith(options).catch((thrown) => thrown)
  expect(error).toBeInstanceOf(VmexitError)
  expect([error.code, error.cause?.code]).toContain(code)
})

test('RAM where the window is to be is an error that says so', async () => {
  const memory = ram({ ranges: [{ kind: 'ram', start: 0, bytes: MiB, name: 'everything' }] })
  const error = await machineWith({}, true, memory).catch((thrown) => thrown)
  expect((error.cause ?? error).message).toContain('0xa0000–0xbffff, is hidden by everything at 0x0–0xfffff')
})
