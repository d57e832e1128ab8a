import { type Cpu, createMachine, definePart, type Line, type MachineParts, type Part, VmexitError } from '@vmexit/core'
import { type GuestMemory, ram } from '@vmexit/memory'
import { expect, test } from 'vitest'
import { filled } from '../test/board.ts'
import { enumerate } from '../test/enumerate.ts'
import { needPci, type PciOptions, pci, pciDescription } from './index.ts'

/** Sixteen inputs whose levels a test sees, and the two edge/level registers of a PIC. */
const controller = definePart({
  name: 'controller',
  needs: ['ports'],
  gives: ['interrupts'],
  build({ ports }, _, { name }) {
    const high: number[] = []
    const elcr = [0, 0]
    ports.claim(name, 0x4d0, {
      size: 2,
      widest: 1,
      split: true,
      read: (offset) => elcr[offset]!,
      write: (offset, _width, value) => void (elcr[offset] = value),
    })
    const line = (input: number): Line => ({
      set: (level) => void (level ? high.push(input) : high.splice(0, high.length, ...high.filter((n) => n !== input))),
    })
    const source = () => ({ pending: false, acknowledge: () => 0xff, watch: () => ({ [Symbol.dispose]() {} }) })
    return { interrupts: { inputs: 16, line, source }, high, reset: () => void elcr.fill(0) }
  },
})

const cpu = definePart({
  name: 'cpu',
  gives: ['cpu'],
  build: () => ({
    cpu: {
      id: 0,
      retired: 0,
      halted: true,
      run: () => ({ reason: 'halt' as const }),
      shorten() {},
      connect() {},
      reset() {},
      save: () => ({ version: 1 }),
      restore() {},
    } satisfies Cpu,
  }),
})

const card = definePart({
  name: 'card',
  needs: [needPci],
  build({ pci }, _, { name }) {
    const memory = pci.createMemory(`${name}'s memory`, 0x1_0000)
    const fn = pci.add({
      name,
      vendorId: 0x1234,
      deviceId: 0x1111,
      classCode: 0x03_0000,
      interruptPin: 1,
      bars: [
        { index: 0, space: 'memory', memory },
        { index: 1, space: 'io', registers: filled(16, 0x5a) },
      ],
    })
    return {
      fn,
      memory,
      reset: () => fn.reset(),
      save: () => ({ version: 1, fn: fn.save(), memory: memory.save() }),
      restore(state: { version: number; fn: never; memory: never }) {
        fn.restore(state.fn)
        memory.restore(state.memory)
      },
    }
  },
})

async function pc(options?: PciOptions, more: Part[] = []) {
  const bus = pci(options)
  const parts = { memory: ram('2 MiB'), cpu, devices: [card, bus, controller, ...more] as Part[] }
  const machine = await createMachine(parts as MachineParts)
  const ports = machine.get('ports')
  return {
    machine,
    ports,
    bus: machine.of(bus).pci,
    card: machine.of(card) as unknown as {
      fn: import('./function.ts').PciFunction
      memory: import('./card-memory.ts').CardMemory
    },
    high: (machine.of(controller) as unknown as { high: number[] }).high,
    memory: machine.find('guestMemory') as GuestMemory,
    config(device: number, offset: number, value?: number) {
      ports.write(0xcf8, 4, 0x8000_0000 + device * 0x800 + (offset & 0xfc))
      if (value !== undefined) ports.write(0xcfc + (offset & 3), 1, value)
      return ports.read(0xcfc + (offset & 3), 1)
    },
  }
}

test('a PC has its bridges, and cards from device 3 on', async () => {
  const { ports } = await pc()
  const found = enumerate(ports).map(({ at, id, classCode, line }) => [at, id, classCode.toString(16), line])
  expect(found).toEqual([
    ['0.0', '8086:1237', '60000', 0],
    ['1.0', '8086:7000', '60100', 0],
    ['3.0', '1234:1111', '30000', 0],
  ])
})

test('after power-on nothing is configured, as on the chip', async () => {
  const { ports, card, high } = await pc()
  card.fn.interrupt.set(true)
  expect([high, ports.read(0x4d0, 2), enumerate(ports)[2]!.windows.map(({ base }) => base)]).toEqual([[], 0, [0, 0]])
})

test('configured, it is as firmware leaves it: windows open, interrupts routed, level-triggered and noted', async () => {
  const { ports, card, high, memory, machine, config } = await pc({ configured: true })
  const check = () => {
    expect(enumerate(ports)[2]!.windows.map(({ base }) => base)).toEqual([0xe000_0000, 0xc000])
    expect([config(3, 0x3c), ports.read(0x4d0, 2), config(1, 0x62), config(0, 0x59)]).toEqual([11, 0x0c00, 11, 0x30])
    expect([ports.read(0xc000, 1), card.memory.mappedAt]).toEqual([0x5a, 0xe000_0000])
    expect(pciDescription().interrupt(3, 0)).toBe(11)
    memory.write8(0xe000_0000, 7)
    expect(card.memory.read(0, 1)).toBe(7)
    card.fn.interrupt.set(true)
    expect(high).toEqual([11])
    card.fn.interrupt.set(false)
  }
  check()
  for (const offset of [4, 0x13, 0x14, 0x3c]) config(3, offset, 0xff)
  config(1, 0x62, 0x80)
  machine.reset()
  check()
})

test('routes, addresses and ports are what one says', async () => {
  const options = { routes: [5, 9, 5, 9], memory: [0xc000_0000, 0xcfff_ffff] } as const
  const { ports, config } = await pc({ configured: true, ...options, io: [0x1000, 0x1fff] })
  expect(enumerate(ports)[2]!.windows.map(({ base }) => base)).toEqual([0xc000_0000, 0x1000])
  expect([config(3, 0x3c), ports.read(0x4d0, 2), pciDescription(options).interrupt(3, 0)]).toEqual([5, 0x0220, 5])
  expect(() => pci({ routes: [1, 2, 8, 13] })).toThrow('PCI interrupts are to go to 1, 2, 8, 13: give four of 3, 4, 5')
  expect(() => pci({ routes: [11] as never })).toThrow(VmexitError)
})

test('the shadow area is as writable as the attribute map says, where memory is', async () => {
  const { memory, config, machine } = await pc()
  memory.map({ kind: 'rom', start: 0xe_0000, bytes: 0x2_0000 })
  memory.load(0xf_0000, Uint8Array.of(0xea))
  const write = (address: number, value: number) => {
    memory.write8(address, value)
    return memory.read8(address)
  }
  expect(write(0xf_0000, 1)).toBe(0xea)
  config(0, 0x59, 0x30)
  config(0, 0x5f, 0x33)
  config(0, 0x5a, 0x33)
  expect([write(0xf_0000, 1), write(0xe_c000, 2), write(0xe_0000, 3)]).toEqual([1, 2, 0])
  const state = machine.save()
  machine.reset()
  expect(write(0xf_0000, 9)).toBe(1)
  machine.restore(state)
  expect([write(0xf_0000, 9), write(0xe_0000, 9)]).toEqual([9, 0])
})

test('is saved and goes on in another machine', async () => {
  const from = await pc()
  for (const [device, offset, value] of [
    [3, 0x13, 0xe1],
    [3, 0x15, 0xc5],
    [3, 4, 3],
    [1, 0x62, 11],
  ] as const) {
    from.config(device, offset, value)
  }
  from.memory.write8(0xe100_0005, 7)
  from.card.fn.interrupt.set(true)
  const state = from.machine.save()
  const to = await pc()
  to.machine.restore(state)
  expect(to.machine.save()).toEqual(state)
  expect([to.high, to.memory.read8(0xe100_0005), to.ports.read(0xc500, 1)]).toEqual([[11], 7, 0x5a])
})

test('the state of a bus without its bridges is refused', async () => {
  const { machine } = await pc()
  const { parts, ...rest } = machine.save()
  const state = { ...rest, parts: { ...parts, pci: { ...parts.pci!, functions: {} } } }
  expect(() => machine.restore(state)).toThrow('this is not a saved state of pci (host-bridge is missing;')
})

test('the reset control register asks for a reset', async () => {
  const { ports, machine } = await pc()
  ports.write(0xcf9, 1, 0x06)
  expect(machine.runSlice().reason).toBe('reset')
})

test('two of it are refused in words', async () => {
  await expect(pc({}, [pci()])).rejects.toThrow("✗ pci gives 'pci', which pci gives too: keep one of them")
})
