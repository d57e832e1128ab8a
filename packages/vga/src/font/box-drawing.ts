/** Shades, lines and blocks of code page 437 (0xb0–0xdf), drawn by rule in cells of 8×16 dots. */

/** Sixteen rows of eight dots, bit 7 for the left one. */
export type Glyph = Uint8Array

/** Where lines meet; the two of a double line run on either side of it. */
const middle = { x: 3, y: 7 }

/**
 * For the characters from 0xb3 on: how many lines go up, right, down and left from the middle.
 */
const arms =
  '1010 1011 1012 2021 0021 0012 2022 2020 0022 2002 2001 1002 0011 ' +
  '1100 1101 0111 1110 0101 1111 1210 2120 2200 0220 2202 0222 2220 0202 2222 1202 ' +
  '2101 0212 0121 2100 1200 0210 0120 2121 1212 1001 0110'

/** The glyphs from 0xb0 to 0xdf. */
export function boxDrawing(): Glyph[] {
  const shades = [draw((x, y) => (x + 2 * y) % 4 === 0), draw((x, y) => (x + y) % 2 === 0)]
  const dark = draw((x, y) => (x + 2 * y) % 4 !== 0)
  const lines = arms.split(' ').map((counts) => {
    const [up, right, down, left] = [...counts].map(Number)
    return lineGlyph({ up: up!, right: right!, down: down!, left: left! })
  })
  const blocks = [
    draw(() => true),
    draw((_, y) => y >= 8),
    draw((x) => x < 4),
    draw((x) => x >= 4),
    draw((_, y) => y < 8),
  ]
  return [...shades, dark, ...lines, ...blocks]
}

/** Draws a glyph from what is on. */
function draw(on: (x: number, y: number) => boolean): Glyph {
  return Uint8Array.from({ length: 16 }, (_, y) => {
    let row = 0
    for (let x = 0; x < 8; x++) if (on(x, y)) row |= 0x80 >> x
    return row
  })
}

type Arms = Readonly<Record<'up' | 'right' | 'down' | 'left', number>>

/**
 * A double line is a bar of three dots, hollow along its middle; where bars meet their hollows join. Single lines are
 * drawn over them, and end at the wall of a bar that passes by.
 */
function lineGlyph({ up, right, down, left }: Arms): Glyph {
  /** How far lines reach beyond the middle, where the others are: to the outer wall of a bar, or not to the middle. */
  const bar = (a: number, b: number) => (a === 2 || b === 2 ? 1 : 0)
  const single = (own: number, opposite: number, a: number, b: number) =>
    own === 1 && opposite === 0 && a === 2 && b === 2 ? -1 : 0
  /** Whether a dot is on an arm of `lines` lines, which is `width` dots wide on either side of its middle. */
  const covered = (x: number, y: number, lines: number, width: number, over: Arms) => {
    const [dx, dy] = [x - middle.x, y - middle.y]
    const inColumn = Math.abs(dx) <= width
    const inRow = Math.abs(dy) <= width
    return (
      (up === lines && inColumn && dy <= over.up) ||
      (down === lines && inColumn && -dy <= over.down) ||
      (left === lines && inRow && dx <= over.left) ||
      (right === lines && inRow && -dx <= over.right)
    )
  }
  const [column, row] = [bar(left, right), bar(up, down)]
  const outer = { up: column, down: column, left: row, right: row }
  const hollow = { up: 0, down: 0, left: 0, right: 0 }
  const thin = {
    up: single(up, down, left, right),
    down: single(down, up, left, right),
    left: single(left, right, up, down),
    right: single(right, left, up, down),
  }
  return draw((x, y) => {
    if (covered(x, y, 1, 0, thin)) return true
    return covered(x, y, 2, 1, outer) && !covered(x, y, 2, 0, hollow)
  })
}
