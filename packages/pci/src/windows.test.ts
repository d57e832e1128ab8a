import { expect, test } from 'vitest'
import { board, filled } from '../test/board.ts'

const identity = { vendorId: 0x1234, deviceId: 1, classCode: 0xff_0000 }

test('windows open where base address registers say while the command register lets them', () => {
  const { bus, get, put, mmio, ports } = board()
  bus.add({
    ...identity,
    name: 'card',
    bars: [
      { index: 0, space: 'memory', registers: filled(0x1000, 0x11) },
      { index: 1, space: 'io', registers: filled(8, 0x22) },
    ],
  })
  const seen = () => [mmio.read(0xfe00_0000, 4), ports.read(0xc107, 1)]
  put(3, 0x10, 0xfe00_0abc)
  put(3, 0x14, 0xc102)
  expect([seen(), get(3, 0x10), get(3, 0x14)]).toEqual([[0xffff_ffff, 0xff], 0xfe00_0000, 0xc101])
  put(3, 4, 2, 2)
  expect(seen()).toEqual([0x1111_1111, 0xff])
  put(3, 4, 3, 2)
  expect(seen()).toEqual([0x1111_1111, 0x22])
  put(3, 0x13, 0xfd, 1)
  expect([seen()[0], mmio.read(0xfd00_0fff, 1)]).toEqual([0xffff_ffff, 0x11])
  put(3, 4, 0, 2)
  expect([seen()[1], mmio.read(0xfd00_0000, 1)]).toEqual([0xff, 0xff])
})

test('a window of 64 bits opens above 4 GiB', () => {
  const { bus, put, mmio } = board()
  const registers = filled(0x100, 0x33)
  bus.add({ ...identity, name: 'card', bars: [{ index: 2, space: 'memory', wide: true, registers }] })
  put(3, 0x18, 0x4000_0000)
  put(3, 0x1c, 0x12)
  put(3, 4, 2, 2)
  expect(mmio.read(0x12_4000_0010, 4)).toBe(0x3333_3333)
  put(3, 0x1c, 0xffff_ffff)
  expect(mmio.read(0x12_4000_0010, 4)).toBe(0xffff_ffff)
})

test('of two windows at one address the first on the bus answers, and the other once it has gone', () => {
  const { bus, put, mmio } = board()
  for (const fill of [1, 2]) {
    bus.add({ ...identity, name: `card ${fill}`, bars: [{ index: 0, space: 'memory', registers: filled(16, fill) }] })
  }
  for (const device of [4, 3]) {
    put(device, 0x10, 0xfe00_0000)
    put(device, 4, 2, 2)
  }
  expect(mmio.read(0xfe00_0000, 1)).toBe(1)
  put(3, 0x10, 0xfe00_1000)
  expect([mmio.read(0xfe00_0000, 1), mmio.read(0xfe00_1000, 1)]).toEqual([2, 1])
  put(3, 0x10, 0xfe00_0000)
  put(3, 4, 0, 2)
  expect(mmio.read(0xfe00_0000, 1)).toBe(2)
})

test('a window cannot take what the board has, nor ports that are not there', () => {
  const { bus, put, get, ports } = board()
  bus.add({ ...identity, name: 'card', bars: [{ index: 0, space: 'io', registers: filled(16, 7) }] })
  put(3, 4, 1, 2)
  put(3, 0x10, 0xcf0)
  expect([get(3, 0), ports.read(0xcf0, 1)]).toEqual([0x0001_1234, 0xff])
  put(3, 0x10, 0xffff_fff0)
  expect([get(3, 0x10), ports.read(0xfff0, 1)]).toEqual([0xffff_fff1, 0xff])
  put(3, 0x10, 0xfff0)
  expect(ports.read(0xffff, 1)).toBe(7)
})

test('an expansion ROM is seen while both its own bit and the command register say so', () => {
  const { bus, put, get, mmio } = board()
  bus.add({ ...identity, name: 'card', rom: Uint8Array.of(0x55, 0xaa, 3, 4, 5) })
  put(3, 0x30, 0xffff_ffff)
  put(3, 0x30, 0xfe00_0000)
  put(3, 4, 2, 2)
  expect(mmio.read(0xfe00_0000, 2)).toBe(0xffff)
  put(3, 0x30, 0xfe00_0001)
  expect([mmio.read(0xfe00_0000, 4), mmio.read(0xfe00_0004, 4), get(3, 0x30)]).toEqual([
    0x0403_aa55, 0xffff_ff05, 0xfe00_0001,
  ])
  mmio.write(0xfe00_0000, 1, 0)
  expect(mmio.read(0xfe00_0000, 1)).toBe(0x55)
  put(3, 4, 0, 2)
  expect(mmio.read(0xfe00_0000, 1)).toBe(0xff)
})
