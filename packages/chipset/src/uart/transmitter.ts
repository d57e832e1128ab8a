/** The transmitting half of a 16550A whose line has a speed: holding register or FIFO, and the shift register. */
import type { Clock, SavedTimer, Timer } from '@vmexit/core'

/** What a {@link Transmitter} is connected to. */
export interface TransmitterOptions {
  readonly clock: Clock
  /** Ticks that a character takes now. */
  readonly characterTime: () => number
  /** A character has left. */
  readonly onSent: (byte: number) => void
  /** The last character has gone from the holding register or FIFO onto the line. */
  readonly onHoldingEmpty: () => void
}

/** A saved transmitter. */
export type TransmitterState = {
  /** Characters in the holding register or FIFO, the oldest first. */
  readonly holding: readonly number[]
  /** The character on the line. */
  readonly shifting: number | null
  readonly timer: SavedTimer | null
}

/** Sends one character after the other, each in its time. */
export class Transmitter {
  readonly #options: TransmitterOptions
  #holding: number[] = []
  #shifting: number | null = null
  #timer: Timer | undefined

  constructor(options: TransmitterOptions) {
    this.#options = options
  }

  /** Whether the holding register or FIFO is empty. */
  get holdingEmpty(): boolean {
    return this.#holding.length === 0
  }

  /** Whether the line is idle too. */
  get empty(): boolean {
    return this.holdingEmpty && this.#shifting === null
  }

  /** Takes a character. Where there is no room a FIFO keeps what it has, a single register the new character. */
  write(byte: number, capacity: number): void {
    if (this.#holding.length < capacity) this.#holding.push(byte)
    else if (capacity === 1) this.#holding[0] = byte
    if (this.#shifting === null) this.#shift()
  }

  /** Empties the holding register or FIFO; what is on the line is sent. */
  clear(): void {
    this.#holding = []
  }

  reset(): void {
    this.#timer?.[Symbol.dispose]()
    this.#holding = []
    this.#shifting = null
  }

  save(): TransmitterState {
    const timer = this.#timer?.pending ? this.#timer.save() : null
    return { holding: [...this.#holding], shifting: this.#shifting, timer }
  }

  restore({ holding, shifting, timer }: TransmitterState): void {
    this.#timer?.[Symbol.dispose]()
    this.#holding = [...holding]
    this.#shifting = shifting
    this.#timer = timer ? this.#options.clock.resume(timer, () => this.#shifted()) : undefined
  }

  /** The next character goes onto the line. */
  #shift(): void {
    const byte = this.#holding.shift()
    if (byte === undefined) return
    this.#shifting = byte
    this.#timer = this.#options.clock.after(this.#options.characterTime(), () => this.#shifted())
    if (this.holdingEmpty) this.#options.onHoldingEmpty()
  }

  #shifted(): void {
    const byte = this.#shifting!
    this.#shifting = null
    this.#options.onSent(byte)
    this.#shift()
  }
}
