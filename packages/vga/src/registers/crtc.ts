/** The CRT controller: counters of characters and lines, the start address, the cursor (ports 0x3d4, 0x3d5). */
import { IndexedRegisters } from './indexed.ts'

// biome-ignore format: a table
const bits = [
  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, // 0–5 horizontal total, display end, blanking start and end, retrace start and end
  0xff, 0xff, 0x7f, 0xff,             // 6 vertical total, 7 overflow, 8 preset row scan, 9 maximum scan line
  0x3f, 0x7f,                         // a cursor start, b cursor end
  0xff, 0xff, 0xff, 0xff,             // c, d start address, e, f cursor location
  0xff, 0xff, 0xff,                   // 10, 11 vertical retrace start and end, 12 vertical display end
  0xff, 0x7f, 0xff, 0xff,             // 13 offset, 14 underline location, 15, 16 vertical blanking start and end
  0xef, 0xff,                         // 17 mode control, 18 line compare
]

/** Registers 0–0x18. */
export class Crtc extends IndexedRegisters {
  constructor() {
    super(bits)
  }

  /** Writes a register by its number; 0–7 are protected by bit 7 of 0x11, except for bit 4 of 7 (line compare). */
  override write(value: number): void {
    const { index, values } = this
    if (index > 7 || !(values[0x11]! & 0x80)) this.set(index, value)
    else if (index === 7) this.set(7, (values[7]! & ~0x10) | (value & 0x10))
  }

  // ── Horizontal, in characters ───────────────────────────────────────────────────────────────────────────────────

  get horizontalTotal(): number {
    return this.values[0]! + 5
  }

  /** Characters that are shown. */
  get columns(): number {
    return this.values[1]! + 1
  }

  // ── Vertical, in scan lines ─────────────────────────────────────────────────────────────────────────────────────

  get verticalTotal(): number {
    return (this.#withOverflow(6, 0x01, 0x20) + 2) * this.#lineClock
  }

  /** Scan lines that are shown. */
  get lines(): number {
    return (this.#withOverflow(0x12, 0x02, 0x40) + 1) * this.#lineClock
  }

  get retraceStart(): number {
    return this.#withOverflow(0x10, 0x04, 0x80) * this.#lineClock
  }

  /** Lines that vertical retrace lasts: until the low four bits of the counter are those of register 0x11. */
  get retraceLines(): number {
    return ((this.values[0x11]! - this.values[0x10]!) & 0x0f || 16) * this.#lineClock
  }

  /** The line after which the memory is shown from address 0 on. */
  get lineCompare(): number {
    return this.values[0x18]! | ((this.values[7]! & 0x10) << 4) | ((this.values[9]! & 0x40) << 3)
  }

  /** 2 where the counter of lines counts every other line. */
  get #lineClock(): number {
    return this.values[0x17]! & 0x04 ? 2 : 1
  }

  // ── Rows ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The last scan line of a row, 0–31. */
  get lastRowScan(): number {
    return this.values[9]! & 0x1f
  }

  /** Whether each scan line is shown twice. */
  get doubled(): boolean {
    return (this.values[9]! & 0x80) !== 0
  }

  /** The scan line of a row that the frame begins with, 0–31. */
  get firstRowScan(): number {
    return this.values[8]! & 0x1f
  }

  /** Scan line of a row at which underlining is drawn. */
  get underline(): number {
    return this.values[0x14]! & 0x1f
  }

  // ── Memory ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The address of the first character, byte panning added. */
  get startAddress(): number {
    return ((this.values[0x0c]! << 8) | this.values[0x0d]!) + ((this.values[8]! & 0x60) >> 5)
  }

  /** Addresses from one row to the next. */
  get pitch(): number {
    return this.values[0x13]! * 2
  }

  /** How many characters the address counter waits before it counts, as a shift. */
  get countShift(): number {
    return this.values[0x14]! & 0x20 ? 2 : this.values[0x17]! & 0x08 ? 1 : 0
  }

  /** The offset in a plane at which the memory is read for address `counter` in scan line `rowScan` of a row. */
  planeOffset(counter: number, rowScan: number): number {
    const mode = this.values[0x17]!
    let offset = counter
    if (this.values[0x14]! & 0x40) offset = (counter << 2) | ((counter >> 14) & 3)
    else if (!(mode & 0x40)) offset = (counter << 1) | ((counter >> (mode & 0x20 ? 15 : 13)) & 1)
    if (!(mode & 0x01)) offset = (offset & ~0x2000) | ((rowScan & 1) << 13)
    if (!(mode & 0x02)) offset = (offset & ~0x4000) | ((rowScan & 2) << 13)
    return offset & 0xffff
  }

  /** Whether there is sync at all: without it the screen is dark. */
  get sync(): boolean {
    return (this.values[0x17]! & 0x80) !== 0
  }

  // ── Cursor ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The address of the character that has the cursor. */
  get cursorAddress(): number {
    return (this.values[0x0e]! << 8) | this.values[0x0f]!
  }

  /** First and last scan line of the cursor; none if it is off or upside down. */
  get cursorLines(): { readonly first: number; readonly last: number } | undefined {
    const first = this.values[0x0a]! & 0x1f
    const last = this.values[0x0b]! & 0x1f
    return this.values[0x0a]! & 0x20 || first > last ? undefined : { first, last }
  }

  /** A value of ten bits: its register, and where in register 7 bits 8 and 9 are. */
  #withOverflow(register: number, bit8: number, bit9: number): number {
    const overflow = this.values[7]!
    return this.values[register]! | (overflow & bit8 ? 0x100 : 0) | (overflow & bit9 ? 0x200 : 0)
  }
}
