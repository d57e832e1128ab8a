import { describe, expect, test } from 'vitest'
import { board, filled } from '../test/board.ts'
import { enumerate } from '../test/enumerate.ts'
import type { PciFunctionOptions } from './function.ts'

const card = (more: Partial<PciFunctionOptions> = {}): PciFunctionOptions => ({
  name: 'card',
  vendorId: 0x1234,
  deviceId: 0x5678,
  classCode: 0xff_0001,
  ...more,
})

describe('a scan of the bus', () => {
  test('finds what is there, its windows, capabilities and interrupt', () => {
    const { bus, ports } = board()
    bus.add(
      card({
        at: { device: 9 },
        bars: [
          { index: 0, space: 'memory', registers: filled(0x1000, 1) },
          { index: 1, space: 'io', registers: filled(24, 2) },
          { index: 2, space: 'memory', wide: true, prefetchable: true, memory: bus.createMemory('vram', 1 << 20) },
          { index: 5, space: 'memory', registers: filled(4, 3) },
        ],
        rom: new Uint8Array(3000),
        interruptPin: 3,
        msi: { messages: 4 },
        capabilities: [{ id: 9, bytes: 16, registers: [] }],
      }),
    )
    bus.add(card({ name: 'other', at: { device: 31, function: 7 } }))
    bus.add(card({ name: 'first', at: { device: 31 }, deviceId: 1 }))
    const window = { wide: false, prefetchable: false, base: 0 }
    expect(enumerate(ports)).toEqual([
      {
        at: '9.0',
        id: '1234:5678',
        classCode: 0xff_0001,
        windows: [
          { ...window, offset: 0x10, kind: 'memory', size: 0x1000 },
          { ...window, offset: 0x14, kind: 'io', size: 32 },
          { ...window, offset: 0x18, kind: 'memory', size: 1 << 20, wide: true, prefetchable: true },
          { ...window, offset: 0x24, kind: 'memory', size: 16 },
          { ...window, offset: 0x30, kind: 'rom', size: 4096 },
        ],
        capabilities: [5, 9],
        pin: 3,
        line: 0,
      },
      { at: '31.0', id: '1234:0001', classCode: 0xff_0001, windows: [], capabilities: [], pin: 0, line: 0 },
      { at: '31.7', id: '1234:5678', classCode: 0xff_0001, windows: [], capabilities: [], pin: 0, line: 0 },
    ])
    expect(enumerate(ports, 1)).toEqual([])
  })

  test('changes nothing', () => {
    const { bus, ports, mmio, get, put } = board()
    const fn = bus.add(
      card({ bars: [{ index: 0, space: 'memory', registers: filled(0x1000, 7) }], rom: Uint8Array.of(9) }),
    )
    put(3, 0x10, 0xfe00_0000)
    put(3, 0x30, 0xfe01_0001)
    put(3, 4, 2, 2)
    const before = fn.save()
    enumerate(ports)
    expect(fn.save()).toEqual(before)
    expect([mmio.read(0xfe00_0fff, 1), mmio.read(0xfe01_0000, 1), get(3, 0x30)]).toEqual([7, 9, 0xfe01_0001])
  })

  test('reads what a function says of itself, and all ones where none is', () => {
    const { bus, get } = board()
    bus.add(card({ revision: 3, subsystemVendorId: 0x1af4, subsystemId: 0x1100 }))
    expect([get(3, 8), get(3, 0x2c), get(3, 0x0c)]).toEqual([0xff00_0103, 0x1100_1af4, 0])
    expect([get(4, 0), get(3, 0x100), get(4, 6, 2), get(4, 7, 1)]).toEqual([0xffff_ffff, 0xffff_ffff, 0xffff, 0xff])
  })
})

describe('places', () => {
  test('are the first free devices from 3 on, unless they are stated', () => {
    const { bus } = board()
    bus.add(card({ at: { device: 4, function: 2 } }))
    const places = [1, 2].map((i) => bus.add(card({ name: `card ${i}` })).place)
    expect(places).toEqual([
      { device: 3, function: 0 },
      { device: 5, function: 0 },
    ])
    expect(bus.find({ device: 5, function: 0 })?.name).toBe('card 2')
    expect(bus.find({ device: 5, function: 1 })).toBeUndefined()
    expect(bus.functions.map(({ name }) => name)).toEqual(['card 1', 'card', 'card 2'])
  })

  test.each([
    [{ at: { device: 32 } }, 'pci-place', 'card is to be at 32.0: devices go from 0 to 31'],
    [{ at: { device: 1, function: 8 } }, 'pci-place', 'card is to be at 1.8'],
    [{ at: { device: 1.5 } }, 'pci-place', 'card is to be at 1.5.0'],
    [{ at: { device: 7 } }, 'pci-place', 'card is to be at 7.0, where nic is: move one of them with `at`'],
    [{ vendorId: 0x1_0000 }, 'pci-identity', 'card has vendorId 65536: give a whole number of 16 bits'],
    [{ classCode: -1 }, 'pci-identity', 'card has classCode -1'],
    [{ bars: [{ index: 6, space: 'io', registers: filled(4, 0) }] }, 'pci-bar', 'card has a base address register 6'],
    [
      { bars: [{ index: 5, space: 'memory', wide: true, registers: filled(4, 0) }] },
      'pci-bar',
      'register 5 of 64 bits: number them from 0 to 5',
    ],
    [{ bars: [{ index: 0, space: 'io', wide: true, registers: filled(4, 0) }] }, 'pci-bar', 'card has wide I/O ports'],
    [{ bars: [{ index: 0, space: 'io', registers: filled(2 ** 17, 0) }] }, 'pci-bar', 'within 64 KiB of ports'],
    [
      {
        bars: [
          { index: 0, space: 'memory', wide: true, registers: filled(4, 0) },
          { index: 1, space: 'memory', registers: filled(4, 0) },
        ],
      },
      'pci-register',
      'base address 1 at 0x14, beside base address 0, upper half',
    ],
    [{ msi: { messages: 3 } }, 'pci-msi', 'card has 3 interrupt messages'],
    [{ config: [{ name: 'mine', offset: 0x3c, bytes: 4 }] }, 'pci-register', 'mine at 0x3c, beside'],
    [{ rom: new Uint8Array(2 ** 24 + 1) }, 'pci-bar', 'an expansion ROM of 16777217 bytes'],
  ])('what cannot be is refused: case %#', (options, code, message) => {
    const { bus } = board()
    bus.add(card({ name: 'nic', at: { device: 7 } }))
    const adding = () => bus.add(card(options as Partial<PciFunctionOptions>))
    expect(adding).toThrow(message)
    expect(adding).toThrow(expect.objectContaining({ code }))
  })

  test('thirty cards are more than the bus takes', () => {
    const { bus } = board()
    for (let i = 0; i < 29; i++) bus.add(card({ name: `card ${i}` }))
    expect(() => bus.add(card())).toThrow('card finds no free device')
  })
})

describe('a bus that is configured as firmware does it', () => {
  const assignment = {
    memory: [0xe000_0000, 0xe03f_ffff],
    io: [0xc000, 0xc0ff],
    interruptLine: (device: number, pin: number) => device + pin,
  } as const

  test('has windows open at addresses of their own, and stays so after a reset', () => {
    const { bus, ports, mmio, get, put } = board({ assignment })
    const fn = bus.add(
      card({
        interruptPin: 2,
        bars: [
          { index: 0, space: 'memory', registers: filled(16, 1) },
          { index: 1, space: 'io', registers: filled(32, 2) },
          { index: 2, space: 'memory', wide: true, registers: filled(1 << 20, 3) },
        ],
        rom: Uint8Array.of(4),
      }),
    )
    bus.add(card({ bars: [{ index: 0, space: 'io', registers: filled(8, 5) }] }))
    const check = () => {
      expect([0x10, 0x14, 0x18, 0x1c, 0x30].map((offset) => get(3, offset))).toEqual([
        0xe000_0000, 0xc001, 0xe010_0004, 0, 0xe020_0000,
      ])
      expect([get(3, 4, 2), get(3, 0x3c, 1), get(4, 4, 2), get(4, 0x10)]).toEqual([3, 5, 1, 0xc021])
      expect([mmio.read(0xe000_0000, 1), mmio.read(0xe010_0000, 1), mmio.read(0xe020_0000, 1)]).toEqual([1, 3, 0xff])
      expect([ports.read(0xc000, 1), ports.read(0xc020, 1)]).toEqual([2, 5])
    }
    check()
    for (const offset of [4, 0x10, 0x14, 0x18, 0x1c, 0x3c]) put(3, offset, 0)
    expect(mmio.read(0xe000_0000, 1)).toBe(0xff)
    fn.reset()
    check()
  })

  test('says so when there is no room', () => {
    const { bus } = board({ assignment })
    const bars = [{ index: 0, space: 'memory', registers: filled(2 ** 23, 1) }] as const
    expect(() => bus.add(card({ bars }))).toThrow('card needs 0x800000 bytes, and none are left below 0xe03fffff')
  })
})
