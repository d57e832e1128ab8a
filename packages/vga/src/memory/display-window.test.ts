import { describe, expect, test } from 'vitest'
import { random, testVga } from '../../test/set-up.ts'

/** Byte `offset` of plane `plane`. */
const plane = ({ vga }: ReturnType<typeof testVga>, number: number, offset: number) =>
  vga.memory.read(4 * offset + number, 1)

/** The adapter with the CPU let in and all planes written, at 0xa0000–0xaffff. */
function open(registers: { misc?: number; sequencer?: object; graphics?: object } = {}) {
  const m = testVga()
  m.out(0x3c2, registers.misc ?? 0x23)
  m.index(0x3c4, { 2: 0x0f, 4: 0x06, ...registers.sequencer })
  m.index(0x3ce, { 6: 0x05, 8: 0xff, ...registers.graphics })
  return m
}

describe('where an address is', () => {
  test.each([
    [0, [0xa0000, 0xbffff], []],
    [1, [0xa0000, 0xaffff], [0xb0000, 0xbffff]],
    [2, [0xb0000, 0xb7fff], [0xaffff, 0xb8000]],
    [3, [0xb8000, 0xbffff], [0xa0000, 0xb7fff]],
  ])('memory map %i', (map, inside, outside) => {
    const m = open({ graphics: { 6: 1 | (map << 2) } })
    for (const address of inside) {
      m.poke(address, 0x5a)
      expect(m.peek(address)).toBe(0x5a)
    }
    for (const address of outside) {
      m.poke(address, 0x77)
      expect(m.peek(address)).toBe(0xff)
    }
  })

  test('the CPU is kept out until the miscellaneous output register lets it in', () => {
    const m = open({ misc: 0x21 })
    m.poke(0xa0000, 0x12)
    expect([m.peek(0xa0000), plane(m, 0, 0)]).toEqual([0xff, 0])
  })

  test('chain 4: the two lowest bits select the plane', () => {
    const m = open({ sequencer: { 4: 0x0e } })
    m.mmio.write(0xa0004, 4, 0x4433_2211)
    expect([0, 1, 2, 3].map((number) => plane(m, number, 4))).toEqual([0x11, 0x22, 0x33, 0x44])
    expect(m.mmio.read(0xa0004, 4)).toBe(0x4433_2211)
  })

  test('odd/even: characters go to plane 0, attributes to plane 1', () => {
    const m = open({ sequencer: { 2: 3, 4: 2 }, graphics: { 5: 0x10, 6: 0x0e } })
    m.mmio.write(0xb8000, 4, 0x0742_0741)
    expect([plane(m, 0, 0), plane(m, 1, 0), plane(m, 0, 2), plane(m, 1, 2)]).toEqual([0x41, 7, 0x42, 7])
    expect(m.mmio.read(0xb8000, 4)).toBe(0x0742_0741)
    m.out(0x3c2, 0x03)
    m.poke(0xb8000, 0x43)
    expect(plane(m, 0, 1)).toBe(0x43)
  })

  test('a wide access that leaves the window is done as far as it is inside', () => {
    const m = open({ graphics: { 6: 0x0c } })
    m.mmio.write(0xbfffe, 4, 0x4433_2211)
    expect(m.mmio.read(0xbfffe, 4)).toBe(0xffff_2211)
  })
})

/** What the manual says of a write, bit by bit. Returns the bytes of the four planes. */
function modelWrite(
  r: { [name: string]: number },
  latches: readonly number[],
  old: readonly number[],
  value: number,
): number[] {
  const bit = (byte: number, i: number) => (byte >> i) & 1
  return old.map((before, p) => {
    if (!bit(r.mapMask!, p)) return before
    let after = 0
    for (let i = 0; i < 8; i++) {
      const latch = bit(latches[p]!, i)
      const rotated = bit(value, (i + r.rotate!) % 8)
      const data = {
        0: bit(r.enable!, p) ? bit(r.setReset!, p) : rotated,
        1: 0,
        2: bit(value, p),
        3: bit(r.setReset!, p),
      }[r.mode!]!
      const combined = [data, data & latch, data | latch, data ^ latch][r.function!]!
      const masked = bit(r.mode === 3 ? r.bitMask! & (rotated << i) : r.bitMask!, i)
      after |= (r.mode === 1 || !masked ? latch : combined) << i
    }
    return after
  })
}

test('all write modes do, bit by bit, what the manual says', () => {
  const next = random(0x5eed)
  const m = open()
  for (let round = 0; round < 20_000; round++) {
    const r = {
      setReset: next(16),
      enable: next(3) ? next(16) : 0,
      rotate: next(2) ? next(8) : 0,
      function: next(2) ? next(4) : 0,
      mode: next(4),
      bitMask: next(2) ? next(256) : 0xff,
      mapMask: next(3) ? next(16) : 0x0f,
    }
    m.index(0x3c4, { 2: r.mapMask })
    m.index(0x3ce, { 0: r.setReset, 1: r.enable, 3: r.rotate | (r.function << 3), 5: r.mode, 8: r.bitMask })
    const source = next(64)
    const target = next(64)
    const value = next(256)
    const at = (offset: number) => [0, 1, 2, 3].map((p) => plane(m, p, offset))
    const [latches, old] = [at(source), at(target)]
    m.peek(0xa0000 + source)
    m.poke(0xa0000 + target, value)
    expect(at(target), JSON.stringify({ r, value })).toEqual(modelWrite(r, latches, old, value))
  }
})

test('a wide access does what its bytes would do, lowest address first', () => {
  const next = random(0xce11)
  const [wide, bytes] = [open(), open()]
  for (let round = 0; round < 5000; round++) {
    if (round % 10 === 0) {
      const text = next(2) === 0
      const sequencer = { 2: text ? 3 : next(16), 4: text ? 2 : next(16) }
      const graphics = {
        0: next(16),
        1: next(4) ? 0 : next(16),
        3: 0,
        4: next(4),
        5: text ? 0x10 : next(32),
        6: text ? 0x0e : next(16),
      }
      for (const m of [wide, bytes]) {
        m.index(0x3c4, sequencer)
        m.index(0x3ce, graphics)
      }
    }
    const address = 0xa0000 + next(2) * 0x18000 + next(32)
    const width = ([2, 4] as const)[next(2)]!
    const value = next(2 ** 32)
    const about = JSON.stringify([wide.vga.save(), address, width])
    if (next(2)) {
      wide.mmio.write(address, width, value)
      for (let i = 0; i < width; i++) bytes.poke(address + i, (value >>> (8 * i)) & 0xff)
    } else {
      const read = Array.from({ length: width }, (_, i) => bytes.peek(address + i) * 256 ** i)
      expect(wide.mmio.read(address, width), about).toBe(read.reduce((sum, byte) => sum + byte))
    }
    expect(wide.vga.window.latches, about).toBe(bytes.vga.window.latches)
  }
  const contents = ({ vga }: ReturnType<typeof testVga>) => {
    const all = new Uint8Array(2 ** 18)
    vga.memory.readBytes(0, all)
    return all
  }
  expect(contents(wide)).toEqual(contents(bytes))
})

test('reads give one plane, or compare colours', () => {
  const next = random(0xc0ffee)
  const m = open()
  m.vga.memory.writeBytes(
    0,
    Uint8Array.from({ length: 256 }, () => next(256)),
  )
  for (let round = 0; round < 2000; round++) {
    const [select, compare, care, offset] = [next(4), next(16), next(16), next(64)]
    const bytes = [0, 1, 2, 3].map((p) => plane(m, p, offset))
    m.index(0x3ce, { 2: compare, 4: select, 5: 0, 7: care })
    expect(m.peek(0xa0000 + offset)).toBe(bytes[select])
    m.index(0x3ce, { 5: 0x08 })
    let equal = 0
    for (let i = 0; i < 8; i++) {
      const same = bytes.every((byte, p) => !((care >> p) & 1) || ((byte >> i) & 1) === ((compare >> p) & 1))
      if (same) equal |= 1 << i
    }
    expect(m.peek(0xa0000 + offset)).toBe(equal)
  }
})
