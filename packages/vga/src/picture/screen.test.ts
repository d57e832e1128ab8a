import { describe, expect, test } from 'vitest'
import { type TestVga, testVga } from '../../test/set-up.ts'
import { setTextMode } from '../power-on.ts'
import type { Image } from './image.ts'

/** Pixels as characters: entry n of the DAC is red of level n, and n is the character, 0–9 and a–z. */
function drawing({ width, height, data }: Image, at = { x: 0, y: 0, width, height }): string[] {
  return Array.from({ length: at.height }, (_, y) =>
    Array.from({ length: at.width }, (_, x) => {
      const pixel = 4 * ((at.y + y) * width + at.x + x)
      return data[pixel] === 0 && data[pixel + 1] === 0 ? '.' : (data[pixel]! >> 2).toString(36)
    }).join(''),
  )
}

function setReds({ colour }: TestVga): void {
  for (let n = 0; n < 64; n++) colour(n, n, 0, 0)
}

/** Text of 80×25 characters, written at 0xb8000. */
function textMode() {
  const m = testVga()
  setTextMode(m.vga)
  m.attribute(Object.fromEntries(Array.from({ length: 16 }, (_, i) => [i, i])))
  setReds(m)
  const put = (row: number, column: number, text: string, attribute = 7) =>
    m.poke(0xb8000 + 2 * (80 * row + column), ...[...text].flatMap((c) => [c.charCodeAt(0), attribute]))
  return { ...m, put }
}

describe('text', () => {
  test('a character has nine dots, the ninth of which repeats the eighth in line graphics', () => {
    const { put, index, screen } = textMode()
    index(0x3d4, { 10: 0x20 })
    put(0, 0, 'A\xc4', 0x2e)
    const image = screen.render()
    expect([image.width, image.height, image.data.length]).toEqual([720, 400, 720 * 400 * 4])
    expect(drawing(image, { x: 0, y: 0, width: 20, height: 16 })).toEqual([
      '222222222222222222..',
      '222222222222222222..',
      '222ee2222222222222..',
      '22e22e222222222222..',
      '2e2222e22222222222..',
      '2e2222e22222222222..',
      '2e2222e22222222222..',
      '2eeeeee22eeeeeeeee..',
      '2e2222e22222222222..',
      '2e2222e22222222222..',
      '2e2222e22222222222..',
      '2e2222e22222222222..',
      '222222222222222222..',
      '222222222222222222..',
      '222222222222222222..',
      '222222222222222222..',
    ])
  })

  test('eight dots, and dots of twice the width for 40 columns', () => {
    const { put, index, screen } = textMode()
    index(0x3c4, { 1: 0x09 })
    index(0x3d4, { 17: 0x0e })
    index(0x3d4, { 1: 39, 10: 0x20, 19: 20 })
    put(0, 0, 'T')
    const image = screen.render()
    expect(image.width).toBe(640)
    expect(drawing(image, { x: 0, y: 2, width: 16, height: 2 })).toEqual(['..7777777777....', '......77........'])
    expect(screen.text()[0]).toBe('T')
  })

  test('the cursor blinks 8 frames of 16, characters 16 of 32', () => {
    const { put, screen, clock, index } = textMode()
    put(0, 1, ' ', 0x70)
    put(0, 2, '\xdb', 0x87)
    index(0x3d4, { 15: 1 })
    const dot = (x: number) => drawing(screen.render(), { x, y: 13, width: 1, height: 1 })[0]
    const frame = (1e9 * 449 * 900) / 28_322_000
    const seen = [0, 7.9, 8.1, 15.9, 16.1, 24.1, 32.1].map((n) => {
      clock.advanceTo(Math.round(n * frame))
      return dot(9)! + dot(18)!
    })
    // The cursor is black on 7; the block is 7 on black.
    expect(seen).toEqual(['.7', '.7', '77', '77', '..', '7.', '.7'])
  })

  test('attribute bit 7 is a bright background where blinking is off', () => {
    const { put, screen, attribute } = textMode()
    attribute({ 16: 0x04 })
    put(0, 0, ' ', 0xc1)
    expect(drawing(screen.render(), { x: 0, y: 0, width: 3, height: 1 })).toEqual(['ccc'])
  })

  test('underlining is for monochrome displays', () => {
    const { put, screen, attribute, index } = textMode()
    index(0x3d4, { 10: 0x20, 20: 0x0c })
    put(0, 0, ' ', 0x09)
    const line = () => drawing(screen.render(), { x: 0, y: 12, width: 10, height: 1 })[0]
    expect(line()).toBe('..........')
    attribute({ 16: 0x0e })
    expect(line()).toBe('999999999.')
  })

  test('attribute bit 3 selects a second font', () => {
    const { put, screen, index, vga } = textMode()
    // Font 5 lies at 24 KiB of plane 2; its A is a full block.
    for (let row = 0; row < 16; row++) vga.memory.write(4 * (0x6000 + 32 * 0x41 + row) + 2, 1, 0xff)
    index(0x3c4, { 3: 0x24 })
    index(0x3d4, { 10: 0x20 })
    put(0, 0, 'AA', 7)
    put(0, 1, 'A', 15)
    expect(drawing(screen.render(), { x: 0, y: 0, width: 18, height: 1 })).toEqual(['.........ffffffff.'])
  })

  test('as strings, in Unicode, from the start address on', () => {
    const { put, screen, index } = textMode()
    put(0, 0, '\xc9\xcd\xbb caf\x82')
    put(24, 70, 'the corner')
    expect(screen.text()).toHaveLength(25)
    expect([screen.text()[0], screen.text()[1], screen.text()[24]]).toEqual([
      '╔═╗ café',
      '',
      `${' '.repeat(70)}the corner`,
    ])
    index(0x3d4, { 12: 0, 13: 80 })
    expect(screen.text()[23]).toMatch(/the corner$/)
  })

  test('fifty rows of eight lines', () => {
    const { put, screen, index } = textMode()
    index(0x3d4, { 9: 0x47 })
    put(49, 0, 'last')
    expect([screen.text().length, screen.text()[49]]).toEqual([50, 'last'])
  })

  test('below the line compare the memory is shown from its start', () => {
    const { put, screen, index } = textMode()
    put(0, 0, 'status')
    put(30, 0, 'history')
    index(0x3d4, { 12: (30 * 80) >> 8, 13: (30 * 80) & 0xff, 24: 383 & 0xff, 9: 0x0f, 7: 0x1f })
    expect([screen.text()[0], screen.text()[24]]).toEqual(['history', 'status'])
  })

  test('pans by dots, and scrolls by lines of a row', () => {
    const { put, screen, index, attribute } = textMode()
    index(0x3d4, { 10: 0x20 })
    put(0, 0, 'AT')
    put(1, 0, 'xx')
    attribute({ 19: 2 })
    index(0x3d4, { 8: 2 })
    const image = screen.render()
    // Three dots to the left, two lines up.
    expect(drawing(image, { x: 0, y: 0, width: 18, height: 2 })).toEqual(['77.....77777......', '..7......7........'])
    expect(screen.text().slice(0, 2)).toEqual(['AT', 'xx'])
  })
})

/** A graphics mode of 16 dots and 4 lines, or as the registers say; the palette of 16 is entries 0–15 of the DAC. */
function graphicsMode(registers: {
  misc?: number
  sequencer?: object
  crtc?: object
  graphics?: object
  mode?: number
}) {
  const m = testVga()
  m.out(0x3c2, registers.misc ?? 0xe3)
  m.index(0x3c4, { 1: 1, 2: 0x0f, 4: 0x06, ...registers.sequencer })
  m.index(0x3d4, { 0: 0x5f, 1: 1, 6: 0x0b, 18: 3, 19: 1, 23: 0xe3, 24: 0xff, 7: 0x10, 9: 0x40, ...registers.crtc })
  m.index(0x3ce, { 5: 0, 6: 5, 8: 0xff, ...registers.graphics })
  const palette = Object.fromEntries(Array.from({ length: 16 }, (_, i) => [i, i]))
  m.attribute({ ...palette, 16: registers.mode ?? 1, 18: 0x0f })
  setReds(m)
  /** Writes bytes to one plane, from an address on. */
  const plane = (number: number, address: number, ...bytes: number[]) => {
    m.index(0x3c4, { 2: 1 << number })
    m.poke(0xa0000 + address, ...bytes)
  }
  return { ...m, plane }
}

describe('sixteen colours', () => {
  const mode = () => {
    const m = graphicsMode({})
    m.plane(0, 0, 0b1000_0000, 0b0000_1111)
    m.plane(1, 0, 0b0100_0000, 0b0011_0011)
    m.plane(2, 0, 0b0010_0000, 0b0101_0101, 0xff)
    m.plane(3, 0, 0b0001_0000, 0b0000_0001, 0x00, 0x80)
    return m
  }

  test('a bit of each plane makes a pixel', () => {
    expect(drawing(mode().screen.render())).toEqual([
      '1248.....426153f',
      '444444448.......',
      '................',
      '................',
    ])
  })

  test('panning brings in dots from the right', () => {
    const m = mode()
    m.attribute({ 19: 3 })
    expect(drawing(m.screen.render())[0]).toBe('8.....426153f444')
  })

  test('what is below the line compare starts at address 0, and pans only if it is to', () => {
    const m = mode()
    m.index(0x3d4, { 13: 2, 24: 1, 7: 0, 9: 0 })
    m.attribute({ 19: 1 })
    const [first] = drawing(mode().screen.render())
    expect(drawing(m.screen.render())[2]).toBe(`${first!.slice(1)}4`)
    m.attribute({ 16: 0x21 })
    expect(drawing(m.screen.render())).toEqual(['44444448........', '................', first, '444444448.......'])
  })

  test('planes can be turned off, and palette entries be selected by fours', () => {
    const m = mode()
    m.attribute({ 18: 0x0c })
    expect(drawing(m.screen.render())[0]!.slice(0, 8)).toBe('..48....')
    m.attribute({ 16: 0x81, 18: 0x0f, 20: 1 })
    expect(drawing(m.screen.render())[0]!.slice(0, 5)).toBe('hikog')
  })

  test('lines can be doubled, and rows repeated', () => {
    const m = mode()
    m.index(0x3d4, { 9: 0xc0 })
    const [first, second] = drawing(mode().screen.render())
    expect(drawing(m.screen.render())).toEqual([first, first, second, second])
    m.index(0x3d4, { 9: 0x42 })
    expect(drawing(m.screen.render())).toEqual([first, first, first, second])
  })
})

describe('256 colours', () => {
  test('mode 13h: an address is a pixel, of two dots', () => {
    const m = graphicsMode({
      sequencer: { 4: 0x0e },
      crtc: { 9: 0x41, 20: 0x40, 23: 0xa3 },
      graphics: { 5: 0x40 },
      mode: 0x41,
    })
    m.poke(0xa0000, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 35)
    expect(drawing(m.screen.render())).toEqual([
      '1122334455667788',
      '1122334455667788',
      '99aabbccddeeffzz',
      '99aabbccddeeffzz',
    ])
    m.out(0x3c6, 0x07)
    expect(drawing(m.screen.render())[2]).toBe('1122334455667733')
  })

  test('unchained ("mode X"), each plane has every fourth pixel', () => {
    const m = graphicsMode({ crtc: { 9: 0x41 }, graphics: { 5: 0x40 }, mode: 0x41 })
    for (let number = 0; number < 4; number++) m.plane(number, 0, 1 + number, 5 + number, 9 + number)
    expect(drawing(m.screen.render())[0]).toBe('1122334455667788')
    m.index(0x3d4, { 13: 1 })
    expect(drawing(m.screen.render())[0]).toBe('55667788' + '99aabbcc')
  })
})

describe('graphics of a CGA', () => {
  test('mode 4: pairs of bits, odd lines 8 KiB behind even ones, dots of twice the width', () => {
    const m = graphicsMode({
      misc: 0x63,
      sequencer: { 1: 0x09, 2: 3, 4: 0x02 },
      crtc: { 1: 1, 9: 0xc1, 23: 0xa2 },
      graphics: { 5: 0x30, 6: 0x0f },
    })
    m.poke(0xb8000, 0b00_01_10_11, 0b11_11_00_00, 0b01_01_01_01)
    m.poke(0xba000, 0b10_00_00_10)
    expect(drawing(m.screen.render())).toEqual([
      '..1122333333....11111111........',
      '..1122333333....11111111........',
      '22....22........................',
      '22....22........................',
    ])
  })

  test('mode 6: one plane', () => {
    const m = graphicsMode({
      misc: 0x63,
      sequencer: { 2: 1 },
      crtc: { 9: 0xc1, 23: 0xc2 },
      graphics: { 5: 0, 6: 0x0d },
    })
    m.poke(0xb8000, 0b1011_0001, 0xff)
    m.poke(0xba000, 0x0f)
    expect(drawing(m.screen.render())).toEqual([
      '1.11...111111111',
      '1.11...111111111',
      '....1111........',
      '....1111........',
    ])
  })
})

describe('VBE modes', () => {
  const start = (depth: number, bytes: readonly number[], more: readonly (readonly [number, number])[] = []) => {
    const m = testVga()
    m.out(0x3c2, 0x01)
    m.attribute({ ...Object.fromEntries(Array.from({ length: 16 }, (_, i) => [i, i])), 18: 0x0f })
    setReds(m)
    m.dispi([[1, 8], [2, 2], [3, depth], [4, 0x41], ...more])
    m.vga.memory.writeBytes(0, Uint8Array.from(bytes))
    return m
  }
  const pixels = ({ screen }: TestVga, count: number) => {
    const { data } = screen.render()
    return Array.from({ length: count }, (_, i) => data.slice(4 * i, 4 * i + 4).join())
  }

  test.each([
    [15, [0x00, 0x7c, 0xe0, 0x03, 0x1f, 0x00, 0xff, 0xff]],
    [16, [0x00, 0xf8, 0xe0, 0x07, 0x1f, 0x00, 0xff, 0xff]],
    [24, [0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255, 255]],
    [32, [0, 0, 255, 9, 0, 255, 0, 9, 255, 0, 0, 9, 255, 255, 255, 9]],
  ])('%i bits: red, green, blue, white', (depth, bytes) => {
    expect(pixels(start(depth, bytes), 5)).toEqual([
      '255,0,0,255',
      '0,255,0,255',
      '0,0,255,255',
      '255,255,255,255',
      '0,0,0,255',
    ])
  })

  test('8 bits: the palette, of six bits or eight', () => {
    const m = start(8, [1, 2, 35])
    expect(drawing(m.screen.render())).toEqual(['12z.....', '........'])
    m.dispi([[4, 0x61]])
    m.colour(1, 0x80, 0x81, 0x82)
    expect(pixels(m, 1)).toEqual(['128,129,130,255'])
  })

  test('a wider virtual screen, seen from an offset', () => {
    const pixels = Array.from({ length: 64 }, (_, i) => i % 36)
    const m = start(8, pixels, [
      [6, 16],
      [8, 3],
      [9, 1],
    ])
    expect(drawing(m.screen.render())).toEqual(['jklmnopq', 'z.123456'])
  })

  test('4 bits: planes', () => {
    const m = start(
      4,
      [0x80, 0xc0, 0xe0, 0xf0, 1, 0, 0, 0],
      [
        [6, 16],
        [8, 2],
      ],
    )
    expect(drawing(m.screen.render())).toEqual(['c8......', '........'])
  })
})

describe('darkness', () => {
  test.each([
    ['the palette is being written', (m: TestVga) => (m.in8(0x3da), m.out(0x3c0, 0))],
    ['the sequencer turns the screen off', (m: TestVga) => m.index(0x3c4, { 1: 0x20 })],
    ['there is no sync', (m: TestVga) => m.index(0x3d4, { 23: 0x23 })],
  ])('while %s', (_, darken) => {
    const m = textMode()
    m.put(0, 0, '\xdb')
    expect(m.screen.render().data.some((level, i) => level > 0 && i % 4 !== 3)).toBe(true)
    darken(m)
    const image = m.screen.render()
    expect([image.width, image.height]).toEqual([720, 400])
    expect(image.data.every((level, i) => level === (i % 4 === 3 ? 255 : 0))).toBe(true)
  })
})

describe('watching', () => {
  test('tells of writes, of registers and of blinking, once', () => {
    const m = textMode()
    const watch = m.screen.watch()
    const other = m.screen.watch()
    expect([watch.changed(), watch.changed()]).toEqual([true, false])
    m.put(0, 0, 'x')
    expect([watch.changed(), watch.changed()]).toEqual([true, false])
    m.index(0x3d4, { 15: 5 })
    expect([watch.changed(), watch.changed()]).toEqual([true, false])
    m.clock.advanceTo(130_000_000)
    expect([watch.changed(), watch.changed()]).toEqual([true, false])
    m.index(0x3d4, { 10: 0x20 })
    m.attribute({ 16: 0x04 })
    watch.changed()
    m.clock.advanceTo(1_000_000_000)
    expect([watch.changed(), other.changed()]).toEqual([false, true])
    watch.close()
  })

  test('rendering changes nothing', () => {
    const m = textMode()
    m.put(3, 3, 'pure')
    const before = m.vga.save()
    const checksum = () => m.screen.render().data.reduce((sum, level) => (sum * 31 + level) >>> 0, 0)
    expect(checksum()).toBe(checksum())
    expect(m.vga.save()).toEqual(before)
  })
})
