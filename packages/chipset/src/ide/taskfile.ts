/**
 * The registers through which a host tells a drive what to do (ATA/ATAPI-6, 6.2 and 6.20). Each of 1–5 has two bytes: a
 * write pushes the byte before it back, and 48-bit commands use both.
 */

/** Offsets of the registers in a channel's command block. */
export const register = {
  data: 0,
  /** Error when it is read. */
  features: 1,
  count: 2,
  lbaLow: 3,
  lbaMid: 4,
  lbaHigh: 5,
  device: 6,
  /** Status when it is read. */
  command: 7,
} as const

/** Bits of the device register. */
export const deviceBit = { lba: 0x40, select: 0x10 } as const

/** How an address of cylinder, head and sector is taken. */
export interface Geometry {
  readonly cylinders: number
  readonly heads: number
  readonly sectorsPerTrack: number
}

/** A saved taskfile; of each register the byte that was written last, and the one before it. */
export type TaskfileState = {
  readonly features: readonly number[]
  readonly count: readonly number[]
  readonly lbaLow: readonly number[]
  readonly lbaMid: readonly number[]
  readonly lbaHigh: readonly number[]
  readonly device: number
}

const pairs = ['features', 'count', 'lbaLow', 'lbaMid', 'lbaHigh'] as const

/** A drive's registers. Every drive of a channel has its own, and takes what is written to the channel. */
export class Taskfile {
  readonly #now = new Uint8Array(8)
  readonly #before = new Uint8Array(8)

  get features(): number {
    return this.#now[register.features]!
  }

  get device(): number {
    return this.#now[register.device]!
  }

  /** A register as it is read; `before` is for the byte before it. */
  read(offset: number, before: boolean): number {
    return before && offset !== register.device ? this.#before[offset]! : this.#now[offset]!
  }

  write(offset: number, value: number): void {
    this.#before[offset] = this.#now[offset]!
    this.#now[offset] = value
  }

  /** Sets what the drive answers, in the registers as they are read without HOB. */
  answer(offset: number, value: number): void {
    this.#now[offset] = value
  }

  /** Sets the registers to the signature of a kind of drive (9.12). */
  sign(lbaMid: number, lbaHigh: number): void {
    for (const [offset, value] of [1, 1, lbaMid, lbaHigh, 0].entries()) this.#now[register.count + offset] = value
    this.#before.fill(0)
  }

  /** How many sectors are meant: 0 stands for the most there can be. */
  sectorCount(extended: boolean): number {
    if (extended) return this.#before[register.count]! * 256 + this.#now[register.count]! || 0x1_0000
    return this.#now[register.count]! || 256
  }

  /** The sector that is meant; undefined if there is no such place in `geometry`. */
  address(extended: boolean, geometry: Geometry): number | undefined {
    const now = this.#now
    const low24 = now[register.lbaLow]! | (now[register.lbaMid]! << 8) | (now[register.lbaHigh]! << 16)
    const isLba = (this.device & deviceBit.lba) !== 0
    if (extended) {
      const before = this.#before
      const high = before[register.lbaLow]! + before[register.lbaMid]! * 2 ** 8 + before[register.lbaHigh]! * 2 ** 16
      return isLba ? high * 2 ** 24 + low24 : undefined
    }
    const head = this.device & 0x0f
    if (isLba) return head * 2 ** 24 + low24
    const { cylinders, heads, sectorsPerTrack } = geometry
    const sector = now[register.lbaLow]!
    const cylinder = low24 >>> 8
    if (cylinder >= cylinders || head >= heads || sector < 1 || sector > sectorsPerTrack) return undefined
    return (cylinder * heads + head) * sectorsPerTrack + sector - 1
  }

  /** Tells where something went wrong, in the form in which the address was given. */
  answerAddress(sector: number, extended: boolean, { heads, sectorsPerTrack }: Geometry): void {
    const now = this.#now
    let low24 = sector % 2 ** 24
    const rest = Math.floor(sector / 2 ** 24)
    if (extended) {
      for (let i = 0; i < 3; i++) this.#before[register.lbaLow + i] = Math.floor(rest / 256 ** i) & 0xff
    } else if (this.device & deviceBit.lba) {
      now[register.device] = (this.device & 0xf0) | (rest & 0x0f)
    } else {
      const track = Math.floor(sector / sectorsPerTrack)
      low24 = ((Math.floor(track / heads) & 0xffff) << 8) | ((sector % sectorsPerTrack) + 1)
      now[register.device] = (this.device & 0xf0) | (track % heads)
    }
    for (let i = 0; i < 3; i++) now[register.lbaLow + i] = (low24 >>> (8 * i)) & 0xff
  }

  reset(): void {
    this.#now.fill(0)
    this.#before.fill(0)
  }

  save(): TaskfileState {
    const both = (offset: number) => [this.#now[offset]!, this.#before[offset]!]
    return {
      features: both(register.features),
      count: both(register.count),
      lbaLow: both(register.lbaLow),
      lbaMid: both(register.lbaMid),
      lbaHigh: both(register.lbaHigh),
      device: this.device,
    }
  }

  restore(state: TaskfileState): void {
    for (const [i, name] of pairs.entries()) {
      this.#now[1 + i] = state[name][0]!
      this.#before[1 + i] = state[name][1]!
    }
    this.#now[register.device] = state.device
  }
}
