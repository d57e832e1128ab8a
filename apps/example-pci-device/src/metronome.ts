/**
 * A metronome on the PCI bus: the card. Four registers of 32 bits in one window of memory:
 *
 * | offset | read | written |
 * |---|---|---|
 * | 0 | beats since reset | – |
 * | 4 | microseconds from beat to beat; 0: it stands | starts it, or stops it with 0 |
 * | 8 | bit 0: a beat is not acknowledged yet | bit 0: acknowledges it, which takes the interrupt back |
 * | 12 | `0x6e6f7274`: "tron" | – |
 */
import {
  type Clock,
  checkState,
  type Device,
  type Line,
  type RegisterFile,
  type SavedTimer,
  type Timer,
  type Width,
} from '@vmexit/core'

/** What a {@link Metronome} is connected to. */
export interface MetronomeOptions {
  /** Raised at each beat, until that is acknowledged. */
  readonly line: Line
  readonly clock: Clock
}

/** A saved metronome. */
export type MetronomeState = {
  readonly version: 1
  readonly beats: number
  readonly period: number
  readonly beating: boolean
  readonly next: SavedTimer | null
}

const signature = 0x6e6f_7274

/** The card: it knows offsets, a line and a clock, and nothing of buses, addresses or CPUs. */
export class Metronome implements Device<MetronomeState> {
  readonly regions: { readonly registers: RegisterFile } = {
    registers: {
      // The smallest window that Linux can map: a page.
      size: 4096,
      read: (offset, width) => this.#read(offset, width),
      write: (offset, _, value) => this.#write(offset, value),
    },
  }
  readonly #line: Line
  readonly #clock: Clock
  #beats = 0
  #period = 0
  #beating = false
  #next: Timer | undefined

  constructor({ line, clock }: MetronomeOptions) {
    this.#line = line
    this.#clock = clock
  }

  reset(): void {
    this.#stop()
    this.#beats = 0
    this.#setBeating(false)
  }

  save(): MetronomeState {
    const next = this.#next?.pending ? this.#next.save() : null
    return { version: 1, beats: this.#beats, period: this.#period, beating: this.#beating, next }
  }

  restore(state: MetronomeState): void {
    const { beats, period, beating, next } = checkState('metronome', state, this.save())
    this.#stop()
    this.#beats = beats
    this.#period = period
    this.#setBeating(beating)
    this.#next = next === null ? undefined : this.#clock.resume(next, () => this.#beat())
  }

  #read(offset: number, width: Width): number {
    const registers = [this.#beats >>> 0, this.#period, this.#beating ? 1 : 0, signature]
    const value = registers[offset >> 2] ?? 0
    return width === 4 ? value : (value >>> ((offset & 3) * 8)) & (2 ** (8 * width) - 1)
  }

  #write(offset: number, value: number): void {
    if (offset === 8 && (value & 1) !== 0) this.#setBeating(false)
    if (offset !== 4) return
    this.#stop()
    this.#period = value
    this.#schedule()
  }

  #schedule(): void {
    if (this.#period > 0) this.#next = this.#clock.after(this.#clock.ticks(this.#period * 1000), () => this.#beat())
  }

  #beat(): void {
    this.#beats++
    this.#setBeating(true)
    this.#schedule()
  }

  #stop(): void {
    this.#next?.[Symbol.dispose]()
    this.#next = undefined
    this.#period = 0
  }

  #setBeating(beating: boolean): void {
    this.#beating = beating
    this.#line.set(beating)
  }
}
