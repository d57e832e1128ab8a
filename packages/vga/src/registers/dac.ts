/** The DAC: 256 colours of 18 bits, or of 24 if the VBE interface says so (ports 0x3c6–0x3c9). */

/** A saved DAC. */
export type DacState = {
  readonly mask: number
  readonly entry: number
  readonly component: number
  readonly reading: boolean
  readonly wide: boolean
  /** Red, green and blue of each entry. */
  readonly colours: Uint8Array
}

/** 256 colours, read and written one component after the other. */
export class Dac {
  #mask = 0xff
  #entry = 0
  /** 0 red, 1 green, 2 blue. */
  #component = 0
  #reading = false
  #wide = false
  readonly #colours = new Uint8Array(256 * 3)

  /** What all pixels are masked with. */
  get mask(): number {
    return this.#mask
  }

  set mask(mask: number) {
    this.#mask = mask
  }

  /** Port 0x3c7 as it is read: 3 after an entry was selected for reading, 0 after one was for writing. */
  get direction(): number {
    return this.#reading ? 3 : 0
  }

  /** Port 0x3c8 as it is read. */
  get entry(): number {
    return this.#entry
  }

  select(entry: number, reading: boolean): void {
    this.#entry = entry
    this.#reading = reading
    this.#component = 0
  }

  read(): number {
    const value = this.#colours[3 * this.#entry + this.#component]!
    this.#next()
    return value
  }

  write(value: number): void {
    this.#colours[3 * this.#entry + this.#component] = this.#wide ? value : value & 0x3f
    this.#next()
  }

  /** Whether components have eight bits. Changing it keeps the colours. */
  set wide(wide: boolean) {
    if (wide === this.#wide) return
    this.#wide = wide
    for (const [i, value] of this.#colours.entries()) this.#colours[i] = wide ? value << 2 : value >> 2
  }

  /** Sets an entry; components have six bits. */
  setColour(entry: number, red: number, green: number, blue: number): void {
    for (const [i, value] of [red, green, blue].entries())
      this.#colours[3 * entry + i] = this.#wide ? value << 2 : value
  }

  /** The colour of an entry as a pixel: red in the lowest byte, then green, blue, opaque. The mask is applied. */
  rgba(entry: number): number {
    const at = 3 * (entry & this.#mask)
    const [red, green, blue] = [this.#level(at), this.#level(at + 1), this.#level(at + 2)]
    return (red | (green << 8) | (blue << 16) | 0xff00_0000) >>> 0
  }

  reset(): void {
    this.#mask = 0xff
    this.select(0, false)
    this.#wide = false
    this.#colours.fill(0)
  }

  save(): DacState {
    return {
      mask: this.#mask,
      entry: this.#entry,
      component: this.#component,
      reading: this.#reading,
      wide: this.#wide,
      colours: this.#colours.slice(),
    }
  }

  restore({ mask, entry, component, reading, wide, colours }: DacState): void {
    this.#mask = mask
    this.#entry = entry & 0xff
    this.#component = component % 3
    this.#reading = reading
    this.#wide = wide
    this.#colours.set(colours.subarray(0, this.#colours.length))
  }

  #next(): void {
    this.#component = (this.#component + 1) % 3
    if (this.#component === 0) this.#entry = (this.#entry + 1) & 0xff
  }

  #level(at: number): number {
    const value = this.#colours[at]!
    return this.#wide ? value : (value << 2) | (value >> 4)
  }
}
