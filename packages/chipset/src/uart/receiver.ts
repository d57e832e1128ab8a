/** The receiving half of a 16550A: its FIFO, whose entries carry the errors of their characters. */

/** Errors of a character, as bits of the line status register. */
export const framingError = 0x08
export const breakReceived = 0x10
const overrun = 0x02

/** A saved receiver. */
export type ReceiverState = {
  /** Characters, the oldest first: the byte, and from bit 8 on the errors that were not reported yet. */
  readonly characters: readonly number[]
  /** Errors in the line status register. */
  readonly errors: number
  /** Characters it holds: 16, or 1 without the FIFO. */
  readonly capacity: number
}

/** A FIFO of characters. The errors of one are reported when it is the next to be read. */
export class Receiver {
  #characters: number[] = []
  #errors = 0
  #capacity = 1

  get length(): number {
    return this.#characters.length
  }

  get full(): boolean {
    return this.#characters.length >= this.#capacity
  }

  /** The error bits of the line status register. */
  get errors(): number {
    return this.#errors
  }

  /** Bit 7 of the line status register, in FIFO mode: some character in the FIFO has an error. */
  get anyError(): boolean {
    return this.#characters.some((character) => character > 0xff)
  }

  /** Empties it and sets its size. */
  resize(capacity: number): void {
    this.#capacity = capacity
    this.clear()
  }

  clear(): void {
    this.#characters = []
  }

  /** A character from the line. Where there is no room a FIFO keeps what it has, a single register the new character. */
  push(byte: number, errors = 0): void {
    if (this.full) {
      this.#errors |= overrun
      if (this.#capacity === 1) this.#characters.length = 0
      else return
    }
    this.#characters.push(byte | (errors << 8))
    if (this.#characters.length === 1) this.#reveal()
  }

  /** The next character; 0 if there is none. */
  shift(): number {
    const byte = (this.#characters.shift() ?? 0) & 0xff
    this.#reveal()
    return byte
  }

  /** The line status register was read: its errors are gone. */
  clearErrors(): void {
    this.#errors = 0
    if (this.#characters.length > 0) this.#characters[0]! &= 0xff
  }

  save(): ReceiverState {
    return { characters: [...this.#characters], errors: this.#errors, capacity: this.#capacity }
  }

  restore({ characters, errors, capacity }: ReceiverState): void {
    this.#characters = [...characters]
    this.#errors = errors
    this.#capacity = capacity
  }

  #reveal(): void {
    this.#errors |= (this.#characters[0] ?? 0) >> 8
  }
}
