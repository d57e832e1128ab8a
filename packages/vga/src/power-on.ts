/**
 * The state in which firmware would leave the adapter, for machines without any. (IBM Personal System/2 and Personal
 * Computer BIOS Interface Technical Reference: register values of video mode 3.)
 */
import { VmexitError } from '@vmexit/core'
import { font8x16 } from './font/font.ts'
import { type Depth, DispiEnable, DispiIndex } from './registers/dispi.ts'
import type { Vga } from './vga.ts'

/** What the adapter shows after power-on: text of 80×25 characters, or pixels in a linear framebuffer. */
export type PowerOnMode =
  | 'text'
  | { readonly width: number; readonly height: number; readonly depth: Exclude<Depth, 4> }

// biome-ignore format: tables
const mode3 = {
  miscellaneous: 0x67,
  sequencer: [0x03, 0x00, 0x03, 0x00, 0x02],
  crtc: [
    0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f,
    0x00, 0x4f, 0x0d, 0x0e, 0x00, 0x00, 0x00, 0x00,
    0x9c, 0x8e, 0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff,
  ],
  graphics: [0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x0e, 0x00, 0xff],
  attribute: [
    0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14, 0x07, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f,
    0x0c, 0x00, 0x0f, 0x08, 0x00,
  ],
} as const

/** Sets up video mode 3 with the font of this package and a blank screen. */
export function setTextMode(vga: Vga): void {
  setRegisters(vga)
  setDefaultPalette(vga)
  const { memory } = vga
  const planes = new Uint8Array(4 * 0x1_0000)
  // Blanks and attribute 7 at even addresses; the font in plane 2, 32 bytes for each character.
  for (let cell = 0; cell < 0x4000; cell++) planes.set([0x20, 0x07], 8 * cell)
  for (const [i, row] of font8x16().entries()) planes[4 * (32 * (i >> 4) + (i & 15)) + 2] = row
  memory.writeBytes(0, planes)
}

/**
 * Sets up a mode with a linear framebuffer; in 8 bits, with the default colours as the first of the palette.
 * Throws a {@link VmexitError} `vga-mode` if there is no such mode, or too little memory for it.
 */
export function setLinearMode(vga: Vga, mode: Exclude<PowerOnMode, 'text'>): void {
  setRegisters(vga)
  setDefaultPalette(vga)
  vga.writeDispi(DispiIndex.width, mode.width)
  vga.writeDispi(DispiIndex.height, mode.height)
  vga.writeDispi(DispiIndex.depth, mode.depth)
  vga.writeDispi(DispiIndex.enable, DispiEnable.enabled | DispiEnable.linearFramebuffer)
  const { width, height, depth } = vga.dispi
  if (width === mode.width && height === mode.height && depth === mode.depth) return
  throw new VmexitError('vga-mode', {
    problem: `a VGA adapter with ${vga.memory.size} bytes of memory has no mode of ${mode.width}×${mode.height} pixels of ${mode.depth} bits`,
    remedy:
      'take a width that is a multiple of 8, at most 2560×1600, a depth of 8, 15, 16, 24 or 32, and enough memory',
  })
}

function setRegisters(vga: Vga): void {
  const files = [
    [vga.sequencer, mode3.sequencer],
    [vga.crtc, mode3.crtc],
    [vga.graphics, mode3.graphics],
    [vga.attribute, mode3.attribute],
  ] as const
  for (const [file, values] of files) for (const [index, value] of values.entries()) file.set(index, value)
  vga.attribute.show()
  vga.writeRegister(0x3c2 - 0x3b0, mode3.miscellaneous)
}

/** The 64 colours of an EGA: bits 2–0 are two thirds of red, green and blue, bits 5–3 one third. */
function setDefaultPalette({ dac }: Vga): void {
  for (let colour = 0; colour < 64; colour++) {
    const level = (bit: number) => ((colour >> bit) & 1) * 42 + ((colour >> (bit + 3)) & 1) * 21
    dac.setColour(colour, level(2), level(1), level(0))
  }
}
