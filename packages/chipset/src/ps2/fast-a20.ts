/** System control port A, 0x92 on a PC: bit 1 opens the A20 gate, bit 0 resets when it is set (82371AB, 2.4.8). */
import { checkState, type Device, type RegisterFile } from '@vmexit/core'
import { byteRegisters } from '../registers.ts'

/** What a {@link FastA20} is connected to. */
export interface FastA20Options {
  readonly onA20: (enabled: boolean) => void
  readonly onReset: () => void
}

/** A saved port. */
export type FastA20State = { readonly version: 1; readonly value: number }

/** The port that does at once what the keyboard controller does slowly. */
export class FastA20 implements Device<FastA20State> {
  readonly regions: { readonly registers: RegisterFile } = {
    registers: byteRegisters(
      1,
      () => this.#value,
      (_, value) => {
        const reset = value & 1 & ~this.#value
        this.#set(value & 3)
        if (reset) this.#options.onReset()
      },
    ),
  }
  readonly #options: FastA20Options
  #value = 0

  constructor(options: FastA20Options) {
    this.#options = options
  }

  reset(): void {
    this.#set(0)
  }

  save(): FastA20State {
    return { version: 1, value: this.#value }
  }

  restore(state: FastA20State): void {
    this.#set(checkState('system control port A', state, this.save()).value)
  }

  #set(value: number): void {
    this.#value = value
    this.#options.onA20((value & 2) !== 0)
  }
}
