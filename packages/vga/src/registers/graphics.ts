/** The graphics controller: what lies between the CPU and the four planes (ports 0x3ce, 0x3cf). */
import { IndexedRegisters } from './indexed.ts'

// biome-ignore format: a table
const bits = [
  0x0f, // 0 set/reset
  0x0f, // 1 enable set/reset
  0x0f, // 2 colour compare
  0x1f, // 3 data rotate and function
  0x03, // 4 read map select
  0x7b, // 5 mode
  0x0f, // 6 miscellaneous
  0x0f, // 7 colour don't care
  0xff, // 8 bit mask
]

/** Where in 0xa0000–0xbffff the memory is: start from 0xa0000 on, and length. By register 6, bits 3–2. */
const windows = [
  { start: 0x0_0000, length: 0x2_0000 },
  { start: 0x0_0000, length: 0x1_0000 },
  { start: 0x1_0000, length: 0x0_8000 },
  { start: 0x1_8000, length: 0x0_8000 },
] as const

/** Registers 0–8. Colours are four bits, bit 0 for plane 0. */
export class GraphicsController extends IndexedRegisters {
  constructor() {
    super(bits)
  }

  get setReset(): number {
    return this.values[0]!
  }

  /** Planes that get {@link setReset} instead of the CPU's data. */
  get enableSetReset(): number {
    return this.values[1]!
  }

  get colourCompare(): number {
    return this.values[2]!
  }

  /** Bits that the CPU's data are rotated to the right. */
  get rotate(): number {
    return this.values[3]! & 7
  }

  /** How data and latches are combined: 0 data, 1 and, 2 or, 3 exclusive or. */
  get function(): number {
    return this.values[3]! >> 3
  }

  get readPlane(): number {
    return this.values[4]!
  }

  get writeMode(): number {
    return this.values[5]! & 3
  }

  /** Whether reads compare colours. */
  get readMode(): boolean {
    return (this.values[5]! & 0x08) !== 0
  }

  /** Whether reads of even addresses are of planes 0 and 2, of odd ones of 1 and 3. */
  get oddEvenRead(): boolean {
    return (this.values[5]! & 0x10) !== 0
  }

  /** How planes become pixels: four planes of one bit, two planes of two bits, or bytes. */
  get pixels(): 'planes' | 'pairs' | 'bytes' {
    return this.values[5]! & 0x40 ? 'bytes' : this.values[5]! & 0x20 ? 'pairs' : 'planes'
  }

  /** Whether the lowest bit of an address does not reach the planes. */
  get chainOddEven(): boolean {
    return (this.values[6]! & 0x02) !== 0
  }

  get window(): { readonly start: number; readonly length: number } {
    return windows[(this.values[6]! >> 2) as 0 | 1 | 2 | 3]
  }

  /** Planes that colours are compared in. */
  get colourCare(): number {
    return this.values[7]!
  }

  /** Bits that come from data; the others come from the latches. */
  get bitMask(): number {
    return this.values[8]!
  }
}
