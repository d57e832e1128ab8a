/** The modem lines of a 16550A (National Semiconductor PC16550D datasheet, 8.6 and 8.8). */

/** The modem lines that the other side drives. */
export interface ModemLines {
  readonly cts: boolean
  readonly dsr: boolean
  readonly ri: boolean
  readonly dcd: boolean
}

/** The modem lines that the UART drives. */
export interface ModemControl {
  readonly dtr: boolean
  readonly rts: boolean
}

/** Modem control register: what is sent comes back, and the outputs are off. */
const loop = 0x10

/** What the modem control register has the outputs be: in loopback they are off. */
export function outputsOf(mcr: number): ModemControl {
  return { dtr: (mcr & (1 | loop)) === 1, rts: (mcr & (2 | loop)) === 2 }
}

/** The modem status register. */
export class ModemStatus {
  /** The levels of the other side, as the upper half of the register; CTS, DSR and DCD are on at first. */
  #lines = 0xb0
  #value = 0xb0

  /** Changes since it was read in the lower half, levels in the upper one. */
  get value(): number {
    return this.#value
  }

  /** The levels of the other side, as the upper half of the register. */
  get lines(): number {
    return this.#lines
  }

  /** Whether there is a change that was not read. */
  get changed(): boolean {
    return (this.#value & 0x0f) !== 0
  }

  /** The other side drives its lines. */
  setLines({ cts, dsr, ri, dcd }: ModemLines, mcr: number): void {
    this.#lines = (cts ? 0x10 : 0) | (dsr ? 0x20 : 0) | (ri ? 0x40 : 0) | (dcd ? 0x80 : 0)
    this.update(mcr)
  }

  /** Takes over the levels: in loopback RTS, DTR, OUT1 and OUT2 are CTS, DSR, RI and DCD. */
  update(mcr: number): void {
    const looped = ((mcr & 2) << 3) | ((mcr & 1) << 5) | ((mcr & 0x0c) << 4)
    const levels = mcr & loop ? looped : this.#lines
    const changed = (levels ^ this.#value) & 0xf0
    // RI is told only when it goes off.
    const ringEnded = changed & 0x40 && !(levels & 0x40) ? 0x40 : 0
    this.#value = levels | (this.#value & 0x0f) | (((changed & 0xb0) | ringEnded) >> 4)
  }

  /** A read, which forgets the changes. */
  read(): number {
    const { value } = this
    this.#value &= 0xf0
    return value
  }

  /** Forgets the changes, out of loopback. */
  clear(): void {
    this.#value = this.#lines
  }

  restore(value: number, lines: number): void {
    this.#value = value
    this.#lines = lines
  }
}
