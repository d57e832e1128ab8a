/**
 * A pair of dice on the bus: the chip.
 *
 * | offset | read | written |
 * |---|---|---|
 * | 0 | the sum that was thrown; lowers the interrupt line | – |
 * | 1 | bit 0: the dice are rolling | any value: throw them |
 */
import {
  type Clock,
  checkState,
  type Device,
  type Line,
  type RegisterFile,
  type SavedTimer,
  type Timer,
} from '@vmexit/core'

/** What a {@link Dice} is connected to. */
export interface DiceOptions {
  /** Raised when the dice have come to rest. */
  readonly line: Line
  readonly clock: Clock
  /** Decides what is thrown; 1 unless stated. Nothing in a machine is random. */
  readonly seed?: number
}

/** Saved dice. */
export type DiceState = {
  readonly version: 1
  readonly sum: number
  readonly generator: number
  readonly rest: SavedTimer | null
}

/** How long dice roll, in nanoseconds of virtual time. */
const rollingTime = 800_000_000

/** The chip: it knows offsets, a line and a clock, and nothing of ports, interrupt numbers or CPUs. */
export class Dice implements Device<DiceState> {
  readonly regions: { readonly registers: RegisterFile } = {
    registers: {
      size: 2,
      widest: 1,
      read: (offset) => (offset === 0 ? this.#take() : this.rolling ? 1 : 0),
      write: (offset) => {
        if (offset === 1) this.throw()
      },
    },
  }
  readonly #line: Line
  readonly #clock: Clock
  #sum = 0
  #generator: number
  #rest: Timer | undefined

  constructor({ line, clock, seed = 1 }: DiceOptions) {
    this.#line = line
    this.#clock = clock
    this.#generator = seed
  }

  get rolling(): boolean {
    return this.#rest?.pending ?? false
  }

  /** Throws the dice, unless they are rolling. */
  throw(): void {
    if (this.rolling) return
    this.#rest = this.#clock.after(this.#clock.ticks(rollingTime), () => this.#comeToRest())
  }

  /** Somebody shakes the table: the next throw is another one. */
  shake(strength: number): void {
    this.#generator = (this.#generator ^ strength) >>> 0 || 1
  }

  reset(): void {
    this.#rest?.[Symbol.dispose]()
    this.#sum = 0
    this.#line.set(false)
  }

  save(): DiceState {
    const rest = this.rolling ? this.#rest!.save() : null
    return { version: 1, sum: this.#sum, generator: this.#generator, rest }
  }

  restore(state: DiceState): void {
    const { sum, generator, rest } = checkState('dice', state, this.save())
    this.reset()
    this.#sum = sum
    this.#generator = generator
    this.#rest = rest === null ? undefined : this.#clock.resume(rest, () => this.#comeToRest())
  }

  #comeToRest(): void {
    this.#sum = this.#next() + this.#next()
    this.#line.set(true)
  }

  #take(): number {
    this.#line.set(false)
    return this.#sum
  }

  /** 1–6, by George Marsaglia's xorshift of 32 bits. */
  #next(): number {
    let x = this.#generator
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    this.#generator = x >>> 0
    return 1 + (this.#generator % 6)
  }
}
