/** Lines of VGA modes as pixels of four or eight bits: text from characters and fonts, graphics from planes. */
import type { Vga } from '../vga.ts'
import type { ScanLine } from './scan.ts'

/** The planes: word p holds byte p of each plane, plane 0 in the lowest byte. */
export type Planes = Uint32Array<ArrayBuffer>

/** Bytes of a plane that VGA modes can show. */
const planeBytes = 0x1_0000

/** Writes the pixels of a line, which begin with character 0, into `line`. */
export type DrawLine = (scanLine: ScanLine, line: Uint8Array) => void

/** A copy of the planes. */
export function readPlanes({ memory }: Vga): Planes {
  const words = new Uint32Array(planeBytes)
  memory.readBytes(0, new Uint8Array(words.buffer))
  return words
}

/** Whether a blinking cursor and blinking characters are on, at this time: a cursor 8 frames in 16, a character 16 in 32. */
export function blinkPhase({ beam }: Vga): { readonly cursor: boolean; readonly characters: boolean } {
  return { cursor: (beam.frame & 8) === 0, characters: (beam.frame & 16) === 0 }
}

/** Draws text: plane 0 has characters, plane 1 attributes, plane 2 fonts of 32 bytes a character. */
export function textLine(vga: Vga, planes: Planes, columns: number): DrawLine {
  const { crtc, attribute, sequencer } = vga
  const { dotsPerCharacter, fonts } = sequencer
  const { blink, lineGraphics, monochrome } = attribute
  const phase = blinkPhase(vga)
  const cursor = phase.cursor ? crtc.cursorLines : undefined
  return ({ address, rowScan }, line) => {
    const cursorLine = cursor !== undefined && rowScan >= cursor.first && rowScan <= cursor.last
    for (let column = 0, dot = 0; column < columns; column++) {
      const counter = address + (column >> crtc.countShift)
      const word = planes[crtc.planeOffset(counter, rowScan)]!
      const code = word & 0xff
      const colours = (word >> 8) & 0xff
      const foreground = colours & 0x0f
      const background = blink ? (colours >> 4) & 7 : colours >> 4
      let glyph = (planes[(fonts[(colours >> 3) & 1]! + 32 * code + rowScan) & 0xffff]! >> 16) & 0xff
      let ninth = lineGraphics && code >= 0xc0 && code <= 0xdf ? glyph & 1 : 0
      if (blink && colours & 0x80 && !phase.characters) glyph = ninth = 0
      if (monochrome && (colours & 0x77) === 1 && rowScan === crtc.underline) [glyph, ninth] = [0xff, 1]
      if (cursorLine && (counter & 0xffff) === crtc.cursorAddress) [glyph, ninth] = [0xff, 1]
      for (let bit = 0x80; bit !== 0; bit >>= 1) line[dot++] = glyph & bit ? foreground : background
      if (dotsPerCharacter === 9) line[dot++] = ninth ? foreground : background
    }
  }
}

/** Draws graphics: eight dots a character, whatever the bits of the planes make of them. */
export function graphicsLine({ crtc, graphics }: Vga, planes: Planes, columns: number): DrawLine {
  const draw = { planes: drawPlanes, pairs: drawPairs, bytes: drawBytes }[graphics.pixels]
  return ({ address, rowScan }, line) => {
    for (let column = 0; column < columns; column++) {
      const counter = address + (column >> crtc.countShift)
      draw(planes[crtc.planeOffset(counter, rowScan)]!, line, 8 * column)
    }
  }
}

/** A bit of each plane is a pixel. */
export function drawPlanes(word: number, line: Uint8Array, at: number): void {
  for (let i = 0; i < 8; i++) {
    const bits = word >>> (7 - i)
    line[at + i] = (bits & 1) | ((bits >>> 7) & 2) | ((bits >>> 14) & 4) | ((bits >>> 21) & 8)
  }
}

/** Two bits of planes 0 and 1, one after the other, are the lower half of a pixel; those of planes 2 and 3 the upper. */
function drawPairs(word: number, line: Uint8Array, at: number): void {
  for (let i = 0; i < 8; i++) {
    const bits = word >>> ((i & 4 ? 8 : 0) + 6 - 2 * (i & 3))
    line[at + i] = (bits & 3) | ((bits >>> 14) & 0x0c)
  }
}

/** A byte is a pixel of two dots, plane 0 first. */
function drawBytes(word: number, line: Uint8Array, at: number): void {
  for (let i = 0; i < 8; i++) line[at + i] = (word >>> (8 * (i >> 1))) & 0xff
}
