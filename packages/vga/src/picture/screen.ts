/** What a display at the adapter shows, as pixels and as text. */
import type { Vga } from '../vga.ts'
import { codePage437 } from './code-page-437.ts'
import { createCanvas, type Image } from './image.ts'
import { drawLinear } from './linear.ts'
import { blinkPhase, graphicsLine, type Planes, readPlanes, textLine } from './planar.ts'
import { type ScanLine, scan } from './scan.ts'

/** Tells when the picture has changed, to one who draws it. */
export interface ScreenWatch {
  /** Whether `render` may give another picture than at the last call of this; true the first time. */
  changed(): boolean
  /** Ends it. */
  close(): void
}

/** The picture of an adapter: a function of its state and of the virtual time, which blinking follows. */
export class Screen {
  readonly #vga: Vga

  constructor(vga: Vga) {
    this.#vga = vga
  }

  /**
   * The picture as the display gets it, all dots of it: 720×400 for text of 80×25, 640×400 for 320×200 pixels; at most
   * 4608×2048. A screen that is off is black.
   */
  render(): Image {
    const vga = this.#vga
    const canvas = createCanvas(this.width, this.height)
    if (!this.#lit) return canvas.image
    if (vga.dispi.enabled) {
      drawLinear(vga, canvas)
      return canvas.image
    }
    const { width } = canvas.image
    const colours = this.#colours()
    // One character more than is shown, for panning to bring in.
    const columns = vga.crtc.columns + 1
    const planes = readPlanes(vga)
    const draw = (vga.attribute.graphics ? graphicsLine : textLine)(vga, planes, columns)
    const shift = vga.sequencer.halfDotClock ? 1 : 0
    const line = new Uint8Array(columns * 9)
    scan(vga, (scanLine) => {
      draw(scanLine, line)
      const at = scanLine.y * width
      for (let x = 0; x < width; x++) canvas.pixels[at + x] = colours[line[(x >> shift) + scanLine.panning]!]!
    })
    return canvas.image
  }

  /** Dots of a line. */
  get width(): number {
    const { dispi, crtc, sequencer, attribute } = this.#vga
    if (dispi.enabled) return dispi.width
    const dots = attribute.graphics ? 8 : sequencer.dotsPerCharacter
    return crtc.columns * dots * (sequencer.halfDotClock ? 2 : 1)
  }

  /** Scan lines. */
  get height(): number {
    const { dispi, crtc } = this.#vga
    return dispi.enabled ? dispi.height : crtc.lines
  }

  /** The rows of a text mode from the top, without blanks at their ends; none in a graphics mode. */
  text(): string[] {
    const vga = this.#vga
    const rows: string[] = []
    if (vga.dispi.enabled || vga.attribute.graphics) return rows
    const planes = readPlanes(vga)
    let last: ScanLine | undefined
    scan(vga, (line) => {
      const sameRow = last !== undefined && line.address === last.address && line.rowScan >= last.rowScan
      if (!sameRow) rows.push(this.#row(planes, line))
      last = line
    })
    return rows
  }

  /** A watch of one's own: it does not take changes away from others. Close it when done. */
  watch(): ScreenWatch {
    const memory = this.#vga.memory.watch?.()
    let seen = ''
    return {
      changed: () => {
        const written = memory?.changed() ?? false
        const before = seen
        seen = `${this.#vga.writes} ${this.#blinking()}`
        return written || seen !== before
      },
      close: () => memory?.close(),
    }
  }

  get #lit(): boolean {
    const { attribute, sequencer, dispi, crtc } = this.#vga
    return attribute.shows && !sequencer.screenOff && (dispi.enabled || crtc.sync)
  }

  /** The colour of each pixel value. */
  #colours(): Uint32Array {
    const { dac, attribute, graphics } = this.#vga
    if (attribute.graphics && graphics.pixels === 'bytes')
      return Uint32Array.from({ length: 256 }, (_, i) => dac.rgba(i))
    return Uint32Array.from({ length: 256 }, (_, pixel) => dac.rgba(attribute.dacIndex(pixel)))
  }

  #row(planes: Planes, { address, rowScan }: ScanLine): string {
    const { crtc } = this.#vga
    const codes = Array.from({ length: crtc.columns }, (_, column) => {
      return planes[crtc.planeOffset(address + (column >> crtc.countShift), rowScan)]! & 0xff
    })
    return codes
      .map((code) => codePage437[code])
      .join('')
      .trimEnd()
  }

  /** What of the virtual time the picture depends on. */
  #blinking(): string {
    const vga = this.#vga
    if (vga.dispi.enabled || vga.attribute.graphics) return ''
    const { cursor, characters } = blinkPhase(vga)
    return `${vga.crtc.cursorLines !== undefined && cursor} ${vga.attribute.blink && characters}`
  }
}
