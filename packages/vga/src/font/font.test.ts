import { describe, expect, test } from 'vitest'
import { codePage437 } from '../picture/code-page-437.ts'
import { font8x16 } from './font.ts'

const font = font8x16()

/** Glyphs side by side, rows from `first` to `last`. */
function drawn(characters: string, first = 0, last = 15): string[] {
  return Array.from({ length: last - first + 1 }, (_, i) =>
    [...characters]
      .map((character) => font[16 * codePage437.indexOf(character) + first + i]!)
      .map((row) => row.toString(2).padStart(8, '0').replaceAll('0', '.').replaceAll('1', '#'))
      .join(''),
  )
}

test('256 characters, each with a glyph of its own, blanks aside', () => {
  expect([codePage437.length, new Set(codePage437).size]).toEqual([256, 254])
  const glyphs = codePage437.map((_, code) => font.slice(16 * code, 16 * code + 16).join())
  const shared = new Map<string, string>()
  for (const [code, glyph] of glyphs.entries()) shared.set(glyph, (shared.get(glyph) ?? '') + codePage437[code])
  expect([...shared.values()].filter((characters) => characters.length > 1)).toEqual(['   '])
})

describe('box drawing', () => {
  test('double lines keep their hollow where they meet', () => {
    expect(drawn('╔╦╬', 5, 9)).toEqual([
      '..................#.#...',
      '..#################.####',
      '..#.....................',
      '..#.#######.#######.####',
      '..#.#.....#.#.....#.#...',
    ])
  })

  test('single lines end at the wall of a double line that passes, and run into one that ends', () => {
    expect(drawn('╢╖╧', 5, 9)).toEqual([
      '..#.#..............#....',
      '..#.#...........########',
      '###.#...#####...........',
      '..#.#.....#.#...########',
      '..#.#.....#.#...........',
    ])
  })

  test('lines meet across cells', () => {
    for (const [left, right] of ['─┤', '═╣', '├─', '╠═', '└┘', '╚╝']) {
      const rows = drawn(left! + right!).map((row) => row.slice(7, 9))
      expect(rows.every((pair) => pair[0] === pair[1])).toBe(true)
    }
    for (const [above, below] of ['│└', '║╚', '┌│', '╔║', '┬┴']) {
      expect(drawn(above!)[15]).toBe(drawn(below!)[0])
    }
  })
})

test('letters with accents', () => {
  expect(drawn('éÄç')).toEqual([
    '........................',
    '..........#..#..........',
    '....#...................',
    '...#.......##...........',
    '..........#..#..........',
    '..####...#....#...####..',
    '.#....#..#....#..#....#.',
    '.#....#..######..#......',
    '.######..#....#..#......',
    '.#.......#....#..#......',
    '.#....#..#....#..#....#.',
    '..####...#....#...####..',
    '....................#...',
    '..................##....',
    '........................',
    '........................',
  ])
})
