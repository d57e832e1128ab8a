/** A font of 256 characters of code page 437, 8×16 dots, for machines without firmware to bring one. */
import { codePage437 } from '../picture/code-page-437.ts'
import { asciiArt } from './ascii.ts'
import { boxDrawing, type Glyph } from './box-drawing.ts'
import { symbolArt } from './symbols.ts'

/** The art begins in this row of a glyph. */
const firstRow = 2

/** Accents by their combining character: two rows of dots, above small letters in the third and fourth row. */
const accents: Readonly<Record<string, readonly [string, string]>> = {
  '\u0300': ['..#.....', '...#....'],
  '\u0301': ['....#...', '...#....'],
  '\u0302': ['...##...', '..#..#..'],
  '\u0303': ['..##..#.', '.#..##..'],
  '\u0308': ['........', '..#..#..'],
  '\u030a': ['...##...', '...##...'],
}

const cedilla: readonly [string, string] = ['....#...', '..##....']

/** 256 glyphs one after the other, sixteen bytes each, bit 7 of a byte for its left dot. */
export function font8x16(): Uint8Array<ArrayBuffer> {
  const glyphs = drawn()
  const font = new Uint8Array(256 * 16)
  for (const [code, character] of codePage437.entries())
    font.set(glyphs.get(character) ?? accented(character, glyphs), 16 * code)
  return font
}

/** What is drawn, and what is drawn by rule, by character. */
function drawn(): Map<string, Glyph> {
  const glyphs = new Map<string, Glyph>()
  const add = (characters: Iterable<string>, art: string) => {
    for (const [i, character] of [...characters].entries()) glyphs.set(character, glyphOf(art, i))
  }
  for (const [band, art] of asciiArt.entries()) add(codePage437.slice(0x20 + 8 * band, 0x28 + 8 * band), art)
  for (const [characters, art] of symbolArt) add(characters, art)
  for (const [i, glyph] of boxDrawing().entries()) glyphs.set(codePage437[0xb0 + i]!, glyph)
  return glyphs
}

/** The glyph at place `index` of a band. */
function glyphOf(art: string, index: number): Glyph {
  const glyph = new Uint8Array(16)
  for (const [y, row] of art.trim().split('\n').entries())
    glyph[firstRow + y] = dots(row.slice(9 * index, 9 * index + 8))
  return glyph
}

/** A letter and what is above or below it. Capitals lose a row to leave one blank under an accent in the first two. */
function accented(character: string, glyphs: ReadonlyMap<string, Glyph>): Glyph {
  const [letter, mark] = [...character.normalize('NFD')]
  const glyph = (glyphs.get(letter === 'i' ? 'ı' : letter!) ?? new Uint8Array(16)).slice()
  const accent = accents[mark!] ?? []
  const capital = letter === letter!.toUpperCase()
  if (mark === '\u0327') for (const [i, row] of cedilla.entries()) glyph[12 + i] = dots(row)
  else if (capital) {
    glyph.copyWithin(firstRow + 1, firstRow, firstRow + 3)
    glyph[firstRow] = 0
  }
  for (const [i, row] of accent.entries()) glyph[(capital ? 0 : firstRow) + i] = dots(row)
  return glyph
}

/** `#` is a dot; the left one is bit 7. */
function dots(row: string): number {
  return [...row].reduce((bits, dot) => bits * 2 + (dot === '#' ? 1 : 0), 0)
}
