import { describe, expect, test } from 'vitest'
import { testVga } from '../test/set-up.ts'
import { setTextMode } from './power-on.ts'

describe('registers', () => {
  test.each([
    ['sequencer', 0x3c4, [0x03, 0x3d, 0x0f, 0x3f, 0x0e]],
    ['graphics controller', 0x3ce, [0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b, 0x0f, 0x0f, 0xff]],
  ])('the %s keeps the bits it has, and has no registers beyond its last', (_, port, bits) => {
    const { out, in8 } = testVga()
    const read = () =>
      Array.from({ length: bits.length + 1 }, (_, i) => {
        out(port, i)
        out(port + 1, 0xff)
        return in8(port + 1)
      })
    expect(read()).toEqual([...bits, 0])
    expect(in8(port)).toBe(bits.length)
  })

  test('the CRT controller is where the display type says', () => {
    const { out, in8 } = testVga()
    out(0x3b4, 0x0c)
    out(0x3b5, 0x12)
    expect([in8(0x3b5), in8(0x3d5), in8(0x3d4)]).toEqual([0x12, 0xff, 0xff])
    out(0x3c2, 0x01)
    expect([in8(0x3cc), in8(0x3d5), in8(0x3b5), in8(0x3ba)]).toEqual([0x01, 0x12, 0xff, 0xff])
  })

  test('timings of the CRT controller can be protected, but not the line compare', () => {
    const { out, index, in8 } = testVga()
    out(0x3c2, 1)
    index(0x3d4, { 0: 0x5f, 7: 0x1f, 17: 0x8e })
    index(0x3d4, { 0: 0x11, 7: 0xe0, 12: 0x77 })
    const read = (register: number) => {
      out(0x3d4, register)
      return in8(0x3d5)
    }
    expect([read(0x00), read(0x07), read(0x0c)]).toEqual([0x5f, 0x0f, 0x77])
  })

  test('index and data of the attribute controller take turns until input status 1 is read', () => {
    const { out, in8 } = testVga()
    out(0x3c2, 1)
    in8(0x3da)
    for (const value of [0x00, 0x2a, 0x10, 0x0c, 0x31]) out(0x3c0, value)
    expect([in8(0x3c0), in8(0x3c1)]).toEqual([0x31, 0])
    in8(0x3da)
    out(0x3c0, 0x20)
    expect([in8(0x3c0), in8(0x3c1)]).toEqual([0x20, 0x2a])
    in8(0x3da)
    out(0x3c0, 0x10)
    expect(in8(0x3c1)).toBe(0x0c)
  })

  test('the palette is written and read component by component, in six bits', () => {
    const { out, in8, colour } = testVga()
    colour(5, 0x3f, 0x41, 0xff)
    expect([in8(0x3c8), in8(0x3c7)]).toEqual([6, 0])
    out(0x3c7, 5)
    expect([in8(0x3c7), in8(0x3c9), in8(0x3c9), in8(0x3c9), in8(0x3c8)]).toEqual([3, 0x3f, 0x01, 0x3f, 6])
    out(0x3c6, 0x0f)
    expect(in8(0x3c6)).toBe(0x0f)
  })

  test('miscellaneous output and feature control are read at other ports than written', () => {
    const { out, in8 } = testVga()
    out(0x3c2, 0xe3)
    out(0x3da, 0x02)
    expect([in8(0x3cc), in8(0x3ca), in8(0x3c2)]).toEqual([0xe3, 0x02, 0x10])
  })

  test('turned off, the adapter has only the register that turns it on', () => {
    const { out, in8 } = testVga()
    out(0x3c2, 0xe3)
    out(0x3c3, 0)
    out(0x3c2, 0x67)
    expect([in8(0x3cc), in8(0x3c3)]).toEqual([0xff, 0])
    out(0x3c3, 1)
    expect(in8(0x3cc)).toBe(0xe3)
  })
})

describe('retrace', () => {
  test('follows virtual time: 70 frames a second in a text mode, 1.27 ms of display off in each', () => {
    const { vga, clock, in8 } = testVga()
    setTextMode(vga)
    let frames = 0
    let last = 0
    let displayed = 0
    const samples = 20_000
    for (let i = 1; i <= samples; i++) {
      clock.advanceTo((i * 1e9) / samples)
      const status = in8(0x3da)
      if (!(status & 1)) displayed++
      if (status & 8 & ~last) frames++
      last = status
    }
    expect(frames).toBe(70)
    // 400 of 449 lines, 80 of 100 characters.
    expect(displayed / samples).toBeCloseTo((400 / 449) * 0.8, 2)
  })

  test('comes in time whatever the clock', () => {
    const { vga, clock, in8 } = testVga({ frequency: 999_999_937 })
    setTextMode(vga)
    const seen = new Set<number>()
    for (let i = 0; i < 2000; i++) {
      clock.advanceTo(clock.now + 9973)
      seen.add(in8(0x3da))
    }
    expect([...seen].sort()).toEqual([0, 1, 9])
  })
})

describe('VBE display interface', () => {
  const on = (width: number, height: number, depth: number) =>
    [
      [1, width],
      [2, height],
      [3, depth],
      [4, 0x41],
    ] as const
  const read = ({ ports }: ReturnType<typeof testVga>, ...registers: number[]) =>
    registers.map((register) => {
      ports.write(0x1ce, 2, register)
      return ports.read(0x1cf, 2)
    })

  test('tells its version, its memory and the largest mode', () => {
    const m = testVga({ bytes: 2 ** 24 })
    expect(read(m, 0, 10, 11, 0xffff)).toEqual([0xb0c5, 256, 0, 0])
    m.dispi([
      [0, 0xb0c2],
      [0, 0x1234],
      [4, 0x02],
    ])
    expect(read(m, 0, 1, 2, 3)).toEqual([0xb0c2, 2560, 1600, 32])
    m.ports.write(0x1ce, 2, 10)
    expect(m.ports.read(0x1d0, 2)).toBe(256)
  })

  test('a mode starts with a virtual screen as wide as itself, and as high as memory allows', () => {
    const m = testVga({ bytes: 2 ** 24 })
    m.dispi(on(800, 600, 16))
    expect(read(m, 6, 7, 8, 9)).toEqual([800, 10485, 0, 0])
    m.dispi([
      [6, 1024],
      [8, 300],
      [9, 0xffff],
      [1, 640],
    ])
    expect(read(m, 1, 6, 7, 8, 9)).toEqual([800, 1024, 8192, 224, 8192 - 600])
  })

  test('cuts what does not fit', () => {
    const m = testVga({ bytes: 2 ** 20 })
    m.dispi(on(2000, 2000, 32))
    expect(read(m, 1, 2, 3)).toEqual([2000, 131, 32])
    m.dispi([[4, 0], ...on(0, 0, 77)])
    expect(read(m, 1, 2, 3)).toEqual([8, 1, 8])
  })

  test('clears the frame unless told not to, and shows memory through the banked window', () => {
    const m = testVga({ bytes: 2 ** 20 })
    m.vga.memory.writeBytes(0, new Uint8Array(2 ** 20).fill(0x55))
    m.dispi(on(640, 480, 8))
    expect([0, 640 * 480 - 1, 640 * 480].map((at) => m.vga.memory.read(at, 1))).toEqual([0, 0, 0x55])
    m.dispi([[5, 4]])
    m.mmio.write(0xa0010, 4, 0x0403_0201)
    expect(m.vga.memory.read(0x4_0010, 4)).toBe(0x0403_0201)
    expect(m.peek(0xa0012)).toBe(3)
    m.dispi([
      [4, 0],
      [4, 0xc1],
    ])
    expect(m.vga.memory.read(0x4_0010, 4)).toBe(0x0403_0201)
  })

  test('colours of eight bits', () => {
    const { dispi, out, in8, colour } = testVga()
    colour(1, 0x3f, 0x20, 0x01)
    dispi([[4, 0x20]])
    out(0x3c7, 1)
    expect([in8(0x3c9), in8(0x3c9), in8(0x3c9)]).toEqual([0xfc, 0x80, 0x04])
    colour(1, 0xff, 0x81, 0x07)
    out(0x3c7, 1)
    expect([in8(0x3c9), in8(0x3c9), in8(0x3c9)]).toEqual([0xff, 0x81, 0x07])
  })

  test('registers are there as memory, too', () => {
    const { mmio, in8, vga } = testVga({ bytes: 2 ** 20 })
    const base = 0xf000_0000
    mmio.write(base + 0x402, 1, 0xe3)
    expect([in8(0x3cc), mmio.read(base + 0x40c, 1)]).toEqual([0xe3, 0xe3])
    mmio.write(base + 0x404, 2, 0x0302)
    expect(vga.sequencer.mapMask).toBe(3)
    mmio.write(base + 0x502, 4, (480 << 16) | 640)
    mmio.write(base + 0x506, 2, 16)
    mmio.write(base + 0x508, 2, 0x41)
    expect([vga.dispi.width, vga.dispi.height, vga.dispi.depth, vga.dispi.enabled]).toEqual([640, 480, 16, true])
    expect([mmio.read(base + 0x500, 4), mmio.read(base + 0x514, 2)]).toEqual([(640 << 16) + 0xb0c5, 16])
    expect([mmio.read(base, 4), mmio.read(base + 0x600, 4)]).toEqual([0, 0])
  })
})

test('a saved adapter goes on where it was, in the middle of everything', () => {
  const a = testVga()
  setTextMode(a.vga)
  a.out(0x3c8, 7)
  a.out(0x3c9, 1)
  a.in8(0x3da)
  a.out(0x3c0, 0x33)
  a.peek(0xb8000)
  const b = testVga()
  b.vga.restore(structuredClone(a.vga.save()))
  expect(b.vga.save()).toEqual(a.vga.save())
  for (const { out } of [a, b]) {
    out(0x3c9, 2)
    out(0x3c9, 3)
    out(0x3c0, 5)
    out(0x3ce, 5)
  }
  expect(b.vga.save()).toEqual(a.vga.save())
  expect(() => b.vga.restore({ ...a.vga.save(), version: 2 } as never)).toThrow(/VGA adapter/)
  a.vga.reset()
  expect(a.vga.save()).toEqual(testVga().vga.save())
})
