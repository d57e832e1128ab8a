/** Pictures of VBE modes: pixels one after the other in memory, or planes without the counters of the CRT controller. */

import { readWrapping } from '../memory/video-memory.ts'
import { bytesPerPixel } from '../registers/dispi.ts'
import type { Vga } from '../vga.ts'
import { black, type Canvas } from './image.ts'
import { drawPlanes } from './planar.ts'

/** Five or six bits as eight, and shifted to a place in a pixel. */
function ramp(bits: number, shift: number): Uint32Array {
  const last = (1 << bits) - 1
  return Uint32Array.from({ length: last + 1 }, (_, level) => Math.round((level * 255) / last) << shift)
}

const red5 = ramp(5, 0)
const green5 = ramp(5, 8)
const green6 = ramp(6, 8)
const blue5 = ramp(5, 16)

/** Converts a line of `width` pixels. */
type Convert = (bytes: Uint8Array, pixels: Uint32Array, at: number, width: number) => void

const convert15: Convert = (bytes, pixels, at, width) => {
  for (let x = 0; x < width; x++) {
    const value = bytes[2 * x]! | (bytes[2 * x + 1]! << 8)
    pixels[at + x] = black | blue5[value & 0x1f]! | green5[(value >> 5) & 0x1f]! | red5[(value >> 10) & 0x1f]!
  }
}

const convert16: Convert = (bytes, pixels, at, width) => {
  for (let x = 0; x < width; x++) {
    const value = bytes[2 * x]! | (bytes[2 * x + 1]! << 8)
    pixels[at + x] = black | blue5[value & 0x1f]! | green6[(value >> 5) & 0x3f]! | red5[value >> 11]!
  }
}

const convertBytes =
  (step: 3 | 4): Convert =>
  (bytes, pixels, at, width) => {
    for (let x = 0, i = 0; x < width; x++, i += step) {
      pixels[at + x] = black | (bytes[i]! << 16) | (bytes[i + 1]! << 8) | bytes[i + 2]!
    }
  }

function convertPalette({ dac }: Vga): Convert {
  const colours = Uint32Array.from({ length: 256 }, (_, entry) => dac.rgba(entry))
  return (bytes, pixels, at, width) => {
    for (let x = 0; x < width; x++) pixels[at + x] = colours[bytes[x]!]!
  }
}

/** Draws the VBE mode that is on. */
export function drawLinear(vga: Vga, { image: { width, height }, pixels }: Canvas): void {
  const { dispi, memory } = vga
  if (dispi.depth === 4) {
    drawPlanar(vga, width, height, pixels)
    return
  }
  const convert =
    dispi.depth === 8
      ? convertPalette(vga)
      : { 15: convert15, 16: convert16, 24: convertBytes(3), 32: convertBytes(4) }[dispi.depth]
  const { start, pitch } = dispi
  const bytes = new Uint8Array(width * bytesPerPixel(dispi.depth))
  for (let y = 0; y < height; y++) {
    readWrapping(memory, start + y * pitch, bytes)
    convert(bytes, pixels, y * width, width)
  }
}

function drawPlanar({ dispi, memory, attribute, dac }: Vga, width: number, height: number, pixels: Uint32Array): void {
  const colours = Uint32Array.from({ length: 16 }, (_, pixel) => dac.rgba(attribute.dacIndex(pixel)))
  const { start, pitch, panning } = dispi
  const words = new Uint32Array(width / 8 + 1)
  const line = new Uint8Array(8 * words.length)
  for (let y = 0; y < height; y++) {
    readWrapping(memory, 4 * (start + y * pitch), new Uint8Array(words.buffer))
    for (const [i, word] of words.entries()) drawPlanes(word, line, 8 * i)
    for (let x = 0; x < width; x++) pixels[y * width + x] = colours[line[x + panning]!]!
  }
}
