/**
 * System control port B, 0x61 on a PC (82371AB datasheet, 2.4.7, NMI status and control).
 *
 * | bit | read and written | read only |
 * |---|---|---|
 * | 0 | gate of counter 2 | |
 * | 1 | the speaker hears counter 2 | |
 * | 2, 3 | parity and channel checks are off | |
 * | 4 | | refresh: toggles every 15 µs |
 * | 5 | | output of counter 2 |
 * | 6, 7 | | a channel or parity check: never |
 */
import { type Clock, checkState, type Device, Oscillator, type RegisterFile } from '@vmexit/core'
import { byteRegisters } from '../registers.ts'
import { type I8254, pitFrequency } from './i8254.ts'

/** A saved port. */
export type SystemPortState = { readonly version: 1; readonly control: number }

/** CLK pulses of the 8254 between two refreshes of memory. */
const refreshPulses = 18

/** The port through which counter 2 is used. */
export class SystemPort implements Device<SystemPortState> {
  readonly regions: { readonly registers: RegisterFile } = {
    registers: byteRegisters(
      1,
      () => this.#control | (this.#refresh() ? 0x10 : 0) | (this.#pit.out(2) ? 0x20 : 0),
      (_, value) => this.#set(value & 0x0f),
    ),
  }
  readonly #pit: I8254
  readonly #clock: Clock
  readonly #crystal: Oscillator
  readonly #onSpeaker: (enabled: boolean) => void
  #control = 0

  /** `onSpeaker` is told of bit 1. */
  constructor(pit: I8254, clock: Clock, onSpeaker: (enabled: boolean) => void = () => {}) {
    this.#pit = pit
    this.#clock = clock
    this.#crystal = new Oscillator(clock.frequency, pitFrequency)
    this.#onSpeaker = onSpeaker
    pit.setGate(2, false)
  }

  reset(): void {
    this.#set(0)
  }

  save(): SystemPortState {
    return { version: 1, control: this.#control }
  }

  /** Restores the port; the gate it drives is in the state of the 8254. */
  restore(state: SystemPortState): void {
    this.#control = checkState('system control port B', state, this.save()).control
    this.#onSpeaker((this.#control & 2) !== 0)
  }

  #refresh(): boolean {
    return Math.floor(this.#crystal.cycles(this.#clock.now) / refreshPulses) % 2 === 1
  }

  #set(control: number): void {
    this.#control = control
    this.#pit.setGate(2, (control & 1) !== 0)
    this.#onSpeaker((control & 2) !== 0)
  }
}
