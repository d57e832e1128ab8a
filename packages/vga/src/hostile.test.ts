import { expect, test } from 'vitest'
import { random, testVga } from '../test/set-up.ts'

const ports = [
  0x1ce, 0x1cf, 0x1d0, 0x3b4, 0x3b5, 0x3ba, 0x3c0, 0x3c1, 0x3c2, 0x3c3, 0x3c4, 0x3c5, 0x3c6, 0x3c7, 0x3c8, 0x3c9, 0x3ca,
  0x3cb, 0x3cc, 0x3cd, 0x3ce, 0x3cf, 0x3d4, 0x3d5, 0x3da,
]

test('whatever a guest writes, reads give numbers and pictures are pictures of bounded size', () => {
  const next = random(0xbad)
  const m = testVga({ bytes: 2 ** 20 })
  let wrong = 0
  for (let round = 0; round < 24; round++) {
    for (let i = 0; i < 1500; i++) {
      const port = ports[next(ports.length)]!
      const width = ([1, 2, 4] as const)[next(3)]!
      // Indices are small, so that registers are hit.
      m.ports.write(port, width, next(2) ? next(32) | (next(256) << 8) : next(2 ** 32))
      const value = m.ports.read(ports[next(ports.length)]!, width)
      const address = 0xa0000 + next(0x1fffc)
      m.mmio.write(address, width, next(2 ** 32))
      const read = m.mmio.read(address, width)
      if (!(value >= 0 && value < 2 ** (8 * width) && read >= 0 && read < 2 ** (8 * width))) wrong++
      m.mmio.write(0xf000_0000 + next(0xffc), width, next(2 ** 32))
    }
    // Most random registers leave the screen dark: light it in every other round.
    m.out(0x3c3, 1)
    if (round % 2) {
      m.out(0x3c2, 3)
      m.index(0x3c4, { 1: next(256) & ~0x20 })
      m.index(0x3d4, { 23: next(256) | 0x80 })
      m.attribute({ 16: next(256) })
    }
    m.clock.advanceTo(m.clock.now + next(1e8))
    const { width, height, data } = m.screen.render()
    expect(width >= 8 && width <= 4608 && height >= 1 && height <= 2048).toBe(true)
    expect(data.length).toBe(4 * width * height)
    for (const row of m.screen.text()) expect(row.length).toBeLessThanOrEqual(256)
  }
  expect(wrong).toBe(0)
})

test.each([0x00, 0xff])('every register %i', (value) => {
  const m = testVga()
  m.out(0x3c2, value | 1)
  for (const port of [0x3c4, 0x3ce]) for (let i = 0; i < 32; i++) m.index(port, { [i]: value })
  for (let i = 0; i < 32; i++) m.index(0x3d4, { [i]: value })
  m.attribute(Object.fromEntries(Array.from({ length: 32 }, (_, i) => [i, value])))
  m.index(0x3c4, { 1: value & ~0x20 })
  m.out(0x3c6, value)
  const { width, height } = m.screen.render()
  expect([width, height]).toEqual(value ? [4096, 2048] : [9, 1])
  const seen = new Set(
    Array.from({ length: 1000 }, (_, i) => {
      m.clock.advanceTo(i * 20_000)
      return m.in8(0x3da)
    }),
  )
  expect(seen.size).toBeGreaterThan(1)
})
