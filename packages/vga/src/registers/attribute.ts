/** The attribute controller: from pixels of four bits to colours of the DAC (ports 0x3c0, 0x3c1). */
import { IndexedRegisters, type IndexedState } from './indexed.ts'

// biome-ignore format: a table
const bits = [
  ...new Array<number>(16).fill(0x3f), // 0–f palette
  0xef, // 10 mode control
  0xff, // 11 overscan colour
  0x3f, // 12 colour plane enable
  0x0f, // 13 horizontal pel panning
  0x0f, // 14 colour select
]

/** A saved attribute controller. */
export type AttributeState = IndexedState & { readonly palette: boolean; readonly expectsData: boolean }

/** Registers 0–0x14, behind one port that takes index and data in turn. */
export class AttributeController extends IndexedRegisters {
  /** Bit 5 of the index: the palette belongs to the display. Without it the screen is dark. */
  #palette = false
  /** What the flip-flop says: the next byte is data. */
  #expectsData = false

  constructor() {
    super(bits)
  }

  /** A byte for port 0x3c0. */
  writePort(value: number): void {
    if (this.#expectsData) this.write(value)
    else {
      this.index = value & 0x1f
      this.#palette = (value & 0x20) !== 0
    }
    this.#expectsData = !this.#expectsData
  }

  /** What port 0x3c0 reads as. */
  readIndex(): number {
    return this.index | (this.#palette ? 0x20 : 0)
  }

  /** Input status 1 was read: the next byte is an index. */
  expectIndex(): void {
    this.#expectsData = false
  }

  /** Whether the display has the palette. */
  get shows(): boolean {
    return this.#palette
  }

  /** Gives the palette to the display, as the index with bit 5 does. */
  show(): void {
    this.#palette = true
  }

  get graphics(): boolean {
    return (this.values[0x10]! & 0x01) !== 0
  }

  /** Whether attributes are those of a monochrome adapter: underlining. */
  get monochrome(): boolean {
    return (this.values[0x10]! & 0x02) !== 0
  }

  /** Whether the ninth dot of the characters 0xc0–0xdf repeats the eighth. */
  get lineGraphics(): boolean {
    return (this.values[0x10]! & 0x04) !== 0
  }

  /** Whether attribute bit 7 is blinking rather than a bright background. */
  get blink(): boolean {
    return (this.values[0x10]! & 0x08) !== 0
  }

  /** Whether what is below the line compare does not pan. */
  get panningEndsAtSplit(): boolean {
    return (this.values[0x10]! & 0x20) !== 0
  }

  get panning(): number {
    return this.values[0x13]!
  }

  /** The entry of the DAC for a pixel of four bits. */
  dacIndex(pixel: number): number {
    const colour = this.values[pixel & this.values[0x12]! & 0x0f]!
    const select = this.values[0x14]!
    const low = this.values[0x10]! & 0x80 ? (colour & 0x0f) | ((select & 3) << 4) : colour
    return low | ((select & 0x0c) << 4)
  }

  override reset(): void {
    super.reset()
    this.#palette = false
    this.#expectsData = false
  }

  override save(): AttributeState {
    return { ...super.save(), palette: this.#palette, expectsData: this.#expectsData }
  }

  override restore(state: AttributeState): void {
    super.restore(state)
    this.#palette = state.palette
    this.#expectsData = state.expectsData
  }
}
