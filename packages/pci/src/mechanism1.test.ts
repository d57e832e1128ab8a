import { expect, test } from 'vitest'
import { board } from '../test/board.ts'

const register = { name: 'mine', offset: 0x40, bytes: 4, value: 0x4433_2211, writable: 0xffff_ffff } as const

function withCard() {
  const made = board()
  made.bus.add({ name: 'card', vendorId: 0x1234, deviceId: 0x5678, classCode: 0xff_0000, config: [register] })
  return made
}

test('data is reached by byte, word and double word, at any of its ports', () => {
  const { ports } = withCard()
  ports.write(0xcf8, 4, 0x8000_1840)
  expect([0, 1, 2, 3].map((i) => ports.read(0xcfc + i, 1))).toEqual([0x11, 0x22, 0x33, 0x44])
  expect([0, 1, 2].map((i) => ports.read(0xcfc + i, 2))).toEqual([0x2211, 0x3322, 0x4433])
  expect([ports.read(0xcfc, 4), ports.read(0xcff, 2), ports.read(0xcfd, 4)]).toEqual([0x4433_2211, 0xff44, 0xff44_3322])
  ports.write(0xcfd, 1, 0xaa)
  ports.write(0xcfe, 2, 0xbbbb)
  expect(ports.read(0xcfc, 4)).toBe(0xbbbb_aa11)
})

test('the address takes double words only, and forgets its reserved bits', () => {
  const { ports, resets } = withCard()
  ports.write(0xcf8, 4, 0xffff_ffff)
  expect(ports.read(0xcf8, 4)).toBe(0x80ff_fffc)
  ports.write(0xcf8, 4, 0x8000_1840)
  for (const [port, width] of [
    [0xcf8, 1],
    [0xcf8, 2],
    [0xcfa, 2],
    [0xcfb, 1],
    [0xcf9, 2],
  ] as const) {
    ports.write(port, width, 0)
    expect(ports.read(port, width)).toBe(width === 1 ? 0xff : 0xffff)
  }
  expect([ports.read(0xcf8, 4), resets()]).toEqual([0x8000_1840, 0])
})

test('without the enable bit, on other buses and where no function is, all ones', () => {
  const { ports } = withCard()
  for (const address of [0x0000_1840, 0x8001_1840, 0x8000_1940, 0x8000_2040]) {
    ports.write(0xcf8, 4, address)
    ports.write(0xcfc, 4, 0)
    expect(ports.read(0xcfc, 4)).toBe(0xffff_ffff)
  }
  ports.write(0xcf8, 4, 0x8000_1840)
  expect(ports.read(0xcfc, 4)).toBe(register.value)
})

test('the reset control register resets when bit 2 rises', () => {
  const { ports, resets } = withCard()
  ports.write(0xcf9, 1, 0x02)
  expect([ports.read(0xcf9, 1), resets()]).toEqual([2, 0])
  ports.write(0xcf9, 1, 0xff)
  expect([ports.read(0xcf9, 1), resets()]).toEqual([6, 1])
  ports.write(0xcf9, 1, 0x06)
  expect(resets()).toBe(1)
  ports.write(0xcf9, 1, 0)
  ports.write(0xcf9, 1, 0x04)
  expect(resets()).toBe(2)
})

test('address and reset control are saved, and cleared by a reset', () => {
  const { ports, mechanism } = withCard()
  ports.write(0xcf8, 4, 0x8000_1840)
  ports.write(0xcf9, 1, 2)
  const state = mechanism.save()
  expect(state).toEqual({ version: 1, address: 0x8000_1840, resetControl: 2 })
  mechanism.reset()
  expect([ports.read(0xcf8, 4), ports.read(0xcf9, 1)]).toEqual([0, 0])
  mechanism.restore(state)
  expect(ports.read(0xcfc, 4)).toBe(register.value)
})
