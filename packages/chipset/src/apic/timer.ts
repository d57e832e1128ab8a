/** The timer of a local APIC (Intel SDM volume 3, 11.5.4): one-shot and periodic. The count is worked out when it is read. */
import { type Clock, Oscillator, type SavedTimer, type Timer } from '@vmexit/core'

/** A saved timer. */
export type ApicTimerState = {
  readonly initial: number
  readonly divide: number
  /** Cycles of the bus clock at which the count began. */
  readonly start: number
  readonly periodic: boolean
  readonly listening: boolean
  readonly wake: SavedTimer | null
}

/** Counts down on the bus clock, divided. */
export class ApicTimer {
  readonly #clock: Clock
  readonly #bus: Oscillator
  readonly #onExpire: () => void
  #initial = 0
  #divide = 0
  #start = 0
  #periodic = false
  #listening = false
  #wake: Timer | undefined

  constructor(clock: Clock, hz: number, onExpire: () => void) {
    this.#clock = clock
    this.#bus = new Oscillator(clock.frequency, hz)
    this.#onExpire = onExpire
  }

  get initial(): number {
    return this.#initial
  }

  /** The divide configuration register. */
  get divide(): number {
    return this.#divide
  }

  /** The current count: 0 if nothing counts. */
  get current(): number {
    if (this.#initial === 0) return 0
    const passed = Math.floor((this.#cycles - this.#start) / this.#divisor)
    if (this.#periodic) return this.#initial - (passed % this.#initial)
    return Math.max(0, this.#initial - passed)
  }

  /** Writing the initial count starts the timer; 0 stops it. */
  start(initial: number): void {
    this.#initial = initial
    this.#start = this.#cycles
    this.#schedule()
  }

  /** Sets the divide configuration register; the count goes on from where it is. */
  setDivide(value: number): void {
    const left = this.current
    this.#divide = value & 0x0b
    this.#start = this.#cycles - (this.#initial - left) * this.#divisor
    this.#schedule()
  }

  /** What the LVT entry says: the mode, and whether anybody is to be told. */
  configure({ periodic, listening }: { periodic: boolean; listening: boolean }): void {
    if (periodic !== this.#periodic) {
      const left = this.current
      this.#periodic = periodic
      this.#start = this.#cycles - (this.#initial - left) * this.#divisor
    }
    this.#listening = listening
    this.#schedule()
  }

  reset(): void {
    this.#divide = 0
    this.#periodic = false
    this.#listening = false
    this.start(0)
  }

  save(): ApicTimerState {
    return {
      initial: this.#initial,
      divide: this.#divide,
      start: this.#start,
      periodic: this.#periodic,
      listening: this.#listening,
      wake: this.#wake?.pending ? this.#wake.save() : null,
    }
  }

  restore(state: ApicTimerState): void {
    this.#wake?.[Symbol.dispose]()
    this.#initial = state.initial
    this.#divide = state.divide
    this.#start = state.start
    this.#periodic = state.periodic
    this.#listening = state.listening
    this.#wake = state.wake ? this.#clock.resume(state.wake, () => this.#expire()) : undefined
  }

  get #cycles(): number {
    return this.#bus.cycles(this.#clock.now)
  }

  /** 2, 4, … 128, and 1 for all ones. */
  get #divisor(): number {
    const code = (this.#divide & 3) | ((this.#divide & 8) >> 1)
    return code === 7 ? 1 : 2 << code
  }

  /** Sets the clock's timer for the next expiry, if there is one and somebody is to be told. */
  #schedule(): void {
    this.#wake?.[Symbol.dispose]()
    this.#wake = undefined
    if (!this.#listening || this.#initial === 0) return
    const period = this.#initial * this.#divisor
    const done = Math.floor((this.#cycles - this.#start) / period)
    if (done > 0 && !this.#periodic) return
    const time = this.#bus.timeOf(this.#start + (done + 1) * period)
    this.#wake = this.#clock.at(time, () => this.#expire())
  }

  #expire(): void {
    this.#onExpire()
    this.#schedule()
  }
}
