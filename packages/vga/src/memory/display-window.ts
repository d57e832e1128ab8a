/**
 * The window at 0xa0000–0xbffff: how bytes of the CPU reach the planes. (IBM Personal System/2 Hardware Interface
 * Technical Reference, Video Subsystem: graphics controller and sequencer.)
 *
 * Byte p of plane k lies at offset 4p + k of the video memory, so that the four planes are one word.
 */
import type { RegisterFile, Width } from '@vmexit/core'
import type { Dispi } from '../registers/dispi.ts'
import type { GraphicsController } from '../registers/graphics.ts'
import type { Sequencer } from '../registers/sequencer.ts'
import type { VideoMemory } from './video-memory.ts'

/** What the window depends on. */
export interface DisplayWindowOptions {
  readonly memory: VideoMemory
  readonly sequencer: Sequencer
  readonly graphics: GraphicsController
  readonly dispi: Dispi
  /** The miscellaneous output register: bit 1 lets the CPU in, bit 5 is the page of odd/even addressing. */
  readonly miscellaneous: () => number
}

/** Bits of planes as a word: byte k is all ones if bit k is set. */
const spread = Int32Array.from({ length: 16 }, (_, planes) => {
  let word = 0
  for (let plane = 0; plane < 4; plane++) if (planes & (1 << plane)) word |= 0xff << (8 * plane)
  return word
})

/** The window. Every access is one or more of bytes, the lowest address first. */
export class DisplayWindow implements RegisterFile {
  readonly size = 0x2_0000
  readonly split = true
  /** Writes until now: what shows that the picture may have changed. */
  writes = 0
  /** The four bytes of the last address that was read. */
  latches = 0
  readonly #options: DisplayWindowOptions
  readonly #memory: VideoMemory
  // What the registers say, decoded when they change: text consoles write through here a lot.
  #start = 0
  #length = 0
  #linear = false
  #bankStart = 0
  readonly #memoryMask: number
  #chain4 = false
  #chainOddEven = false
  #oddEvenWrite = false
  #page = 0
  #mapMask = 0
  /** Whether bytes are stored as they are. */
  #plain = false
  /** Whether characters and attributes go to planes 0 and 1, one beside the other: a cell is stored at once. */
  #writesCells = false
  #readsCells = false

  constructor(options: DisplayWindowOptions) {
    this.#options = options
    this.#memory = options.memory
    this.#memoryMask = options.memory.size - 1
    this.refresh()
  }

  /** To be called when a register has changed. */
  refresh(): void {
    const { sequencer, graphics, dispi, miscellaneous } = this.#options
    const misc = miscellaneous()
    const { start, length } = graphics.window
    this.#linear = dispi.enabled && dispi.depth !== 4
    this.#bankStart = dispi.enabled ? dispi.bankStart : 0
    this.#start = this.#linear ? 0 : start
    this.#length = !(misc & 0x02) && !this.#linear ? 0 : this.#linear ? 0x1_0000 : length
    this.#chain4 = sequencer.chain4
    this.#chainOddEven = graphics.chainOddEven
    this.#oddEvenWrite = sequencer.oddEven
    // The bit of the miscellaneous output register is set for the lower page.
    this.#page = misc & 0x20 ? 0 : 1
    this.#mapMask = sequencer.mapMask
    this.#plain =
      graphics.writeMode === 0 &&
      graphics.rotate === 0 &&
      graphics.function === 0 &&
      graphics.enableSetReset === 0 &&
      graphics.bitMask === 0xff
    const cells = this.#chainOddEven && !this.#chain4 && !this.#linear
    this.#writesCells = cells && this.#plain && this.#oddEvenWrite && this.#mapMask === 3
    this.#readsCells = cells && graphics.oddEvenRead && !graphics.readMode && graphics.readPlane < 2
  }

  read(offset: number, width: Width): number {
    if (this.#readsCells && width !== 1 && (offset & 1) === 0) {
      const cell = this.#readCell(offset)
      return width === 2 ? cell : cell | (this.#readCell(offset + 2) << 16)
    }
    let value = 0
    for (let i = 0; i < width; i++) value |= this.#readByte(offset + i) << (8 * i)
    return value
  }

  write(offset: number, width: Width, value: number): void {
    this.writes++
    if (this.#writesCells && width !== 1 && (offset & 1) === 0) {
      this.#writeCell(offset, value & 0xffff)
      if (width === 4) this.#writeCell(offset + 2, value >>> 16)
    } else for (let i = 0; i < width; i++) this.#writeByte(offset + i, (value >>> (8 * i)) & 0xff)
  }

  /** As two of {@link #readByte}. Reading cells so takes 45 ns, byte by byte 75 (Node 24, through bus and card). */
  #readCell(offset: number): number {
    const address = offset - this.#start
    if (address < 0 || address >= this.#length) return 0xffff
    this.latches = this.#memory.read(this.#wordOf(address), 4) | 0
    return this.latches & 0xffff
  }

  /** As two of {@link #writeByte}: 45 ns, byte by byte 80. */
  #writeCell(offset: number, value: number): void {
    const address = offset - this.#start
    if (address >= 0 && address < this.#length) this.#memory.write(this.#wordOf(address), 2, value)
  }

  /** The offset of the four bytes, one in each plane, that an address within the window has. */
  #wordOf(address: number): number {
    return (4 * this.#planeOffset(address)) & this.#memoryMask
  }

  #planeOffset(address: number): number {
    if (this.#chain4) return (address & 0xfffc) | ((address >> 16) & 3)
    if (this.#chainOddEven) return (address & 0xfffe) | (this.#length > 0x1_0000 ? address >> 16 : this.#page)
    return (address & 0xffff) + this.#bankStart
  }

  #readByte(offset: number): number {
    const address = offset - this.#start
    if (address < 0 || address >= this.#length) return 0xff
    if (this.#linear) return this.#memory.read((this.#bankStart + address) & this.#memoryMask, 1)
    const { graphics } = this.#options
    const word = this.#memory.read(this.#wordOf(address), 4) | 0
    this.latches = word
    if (graphics.readMode) {
      const differing = (word ^ spread[graphics.colourCompare]!) & spread[graphics.colourCare]!
      return ~(differing | (differing >> 8) | (differing >> 16) | (differing >> 24)) & 0xff
    }
    let plane = graphics.readPlane
    if (this.#chain4) plane = address & 3
    else if (graphics.oddEvenRead) plane = (plane & 2) | (address & 1)
    return (word >> (8 * plane)) & 0xff
  }

  #writeByte(offset: number, value: number): void {
    const address = offset - this.#start
    if (address < 0 || address >= this.#length) return
    const memory = this.#memory
    if (this.#linear) {
      memory.write((this.#bankStart + address) & this.#memoryMask, 1, value)
      return
    }
    let planes = this.#mapMask
    if (this.#chain4) planes &= 1 << (address & 3)
    else if (this.#oddEvenWrite) planes &= address & 1 ? 0b1010 : 0b0101
    const target = this.#wordOf(address)
    if (this.#plain && (planes & (planes - 1)) === 0) {
      if (planes !== 0) memory.write(target + (31 - Math.clz32(planes)), 1, value)
      return
    }
    const data = this.#plain ? value * 0x0101_0101 : this.#combine(value)
    const mask = spread[planes]!
    memory.write(target, 4, (mask === -1 ? data : (data & mask) | (memory.read(target, 4) & ~mask)) >>> 0)
  }

  /** What the four planes get for a byte of the CPU, latches and registers. */
  #combine(value: number): number {
    const { graphics } = this.#options
    const { writeMode, rotate } = graphics
    if (writeMode === 1) return this.latches
    const rotated = ((value >> rotate) | (value << (8 - rotate))) & 0xff
    let bitMask = graphics.bitMask
    let data: number
    if (writeMode === 0) {
      const set = spread[graphics.enableSetReset]!
      data = ((rotated * 0x0101_0101) & ~set) | (spread[graphics.setReset]! & set)
    } else if (writeMode === 2) data = spread[value & 0x0f]!
    else {
      data = spread[graphics.setReset]!
      bitMask &= rotated
    }
    if (graphics.function === 1) data &= this.latches
    else if (graphics.function === 2) data |= this.latches
    else if (graphics.function === 3) data ^= this.latches
    const mask = bitMask * 0x0101_0101
    return (data & mask) | (this.latches & ~mask)
  }
}
