/** The sequencer: width of characters, planes that are written, fonts, and how memory is addressed (ports 0x3c4, 0x3c5). */
import { IndexedRegisters } from './indexed.ts'

// biome-ignore format: a table
const bits = [
  0x03, // 0 reset
  0x3d, // 1 clocking mode
  0x0f, // 2 map mask
  0x3f, // 3 character map select
  0x0e, // 4 memory mode
]

/** Registers 0–4. */
export class Sequencer extends IndexedRegisters {
  constructor() {
    super(bits)
  }

  /** Dots of a character in text modes. */
  get dotsPerCharacter(): 8 | 9 {
    return this.values[1]! & 0x01 ? 8 : 9
  }

  /** Whether a dot lasts for two cycles of the dot clock: 320 or 360 of them in a line. */
  get halfDotClock(): boolean {
    return (this.values[1]! & 0x08) !== 0
  }

  get screenOff(): boolean {
    return (this.values[1]! & 0x20) !== 0
  }

  /** Planes that writes reach, bit 0 for plane 0. */
  get mapMask(): number {
    return this.values[2]!
  }

  /** Where in plane 2 the font of characters with attribute bit 3 clear, and the one of those with it set, begins. */
  get fonts(): readonly [clear: number, set: number] {
    const select = this.values[3]!
    return [fontAt((select & 0x03) | ((select & 0x10) >> 2)), fontAt(((select & 0x0c) >> 2) | ((select & 0x20) >> 3))]
  }

  /** Whether writes to even addresses go to planes 0 and 2, to odd ones to 1 and 3. */
  get oddEven(): boolean {
    return (this.values[4]! & 0x04) === 0
  }

  /** Whether the two lowest bits of an address select the plane. */
  get chain4(): boolean {
    return (this.values[4]! & 0x08) !== 0
  }
}

/** Fonts 0–3 are 16 KiB apart; 4–7 lie 8 KiB behind them. */
function fontAt(select: number): number {
  return (select & 3) * 0x4000 + (select & 4 ? 0x2000 : 0)
}
