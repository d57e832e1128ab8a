/** What a boot loader tells a kernel of the screen that it finds. */
import type { Vga } from './vga.ts'

/** A VGA in text mode, its memory at 0xb8000. */
export interface TextScreenDescription {
  readonly kind: 'text'
  readonly columns: number
  readonly rows: number
}

/** A linear framebuffer of direct colour. */
export interface FramebufferDescription {
  readonly kind: 'framebuffer'
  /** Guest-physical. */
  readonly address: number
  readonly width: number
  readonly height: number
  /** Bytes from one line to the next. */
  readonly stride: number
  /** Bits of a pixel: 15, 16, 24 or 32. */
  readonly depth: number
  /** Position of the lowest bit, and number of bits. */
  readonly red: readonly [position: number, bits: number]
  readonly green: readonly [position: number, bits: number]
  readonly blue: readonly [position: number, bits: number]
}

/** What the adapter shows, as `@vmexit/boot` takes it for `screen`. */
export type ScreenDescription = TextScreenDescription | FramebufferDescription

const colours = {
  15: { red: [10, 5], green: [5, 5], blue: [0, 5] },
  16: { red: [11, 5], green: [5, 6], blue: [0, 5] },
  24: { red: [16, 8], green: [8, 8], blue: [0, 8] },
  32: { red: [16, 8], green: [8, 8], blue: [0, 8] },
} as const

/** Describes the mode that is set; undefined for one that kernels are not told of. `framebuffer` is the address. */
export function describeScreen(vga: Vga, framebuffer: number | undefined): ScreenDescription | undefined {
  const { dispi, attribute, crtc } = vga
  if (!dispi.enabled) {
    if (attribute.graphics) return undefined
    const rows = Math.floor(crtc.lines / ((crtc.lastRowScan + 1) * (crtc.doubled ? 2 : 1)))
    return { kind: 'text', columns: crtc.columns, rows }
  }
  const { width, height, depth } = dispi
  if (depth === 4 || depth === 8 || framebuffer === undefined) return undefined
  return {
    kind: 'framebuffer',
    address: framebuffer + dispi.start,
    width,
    height,
    stride: dispi.pitch,
    depth,
    ...colours[depth],
  }
}
