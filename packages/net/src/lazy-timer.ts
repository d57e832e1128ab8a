/**
 * A timer that is moved far more often than it is due, such as a retransmission timer, which every acknowledgement
 * moves: the clock's timer stays where it is, and looks again when it is due too early.
 */
import type { Clock, Timer } from '@vmexit/core'

/** One deadline and what to do then. */
export class LazyTimer {
  readonly #clock: Clock
  readonly #due: () => void
  #timer: Timer | undefined
  #deadline = Number.POSITIVE_INFINITY

  constructor(clock: Clock, due: () => void) {
    this.#clock = clock
    this.#due = due
  }

  /** Whether a deadline is set. */
  get pending(): boolean {
    return this.#deadline !== Number.POSITIVE_INFINITY
  }

  /** The tick it is due at; Infinity if none is set. */
  get deadline(): number {
    return this.#deadline
  }

  /** Sets or moves the deadline, in ticks of the clock. */
  set(deadline: number): void {
    this.#deadline = deadline
    const timer = this.#timer
    if (timer?.pending) {
      if (timer.time <= deadline) return
      timer[Symbol.dispose]()
    }
    this.#timer = this.#clock.at(deadline, this.#fire)
  }

  /** Sets the deadline if none is set. */
  setOnce(deadline: number): void {
    if (!this.pending) this.set(deadline)
  }

  /** Takes the deadline back. The clock's timer stays, for the next deadline. */
  clear(): void {
    this.#deadline = Number.POSITIVE_INFINITY
  }

  /** Takes the deadline back for good. */
  stop(): void {
    this.clear()
    this.#timer?.[Symbol.dispose]()
    this.#timer = undefined
  }

  readonly #fire = (now: number): void => {
    if (now < this.#deadline) {
      if (this.pending) this.#timer = this.#clock.at(this.#deadline, this.#fire)
      return
    }
    this.#deadline = Number.POSITIVE_INFINITY
    this.#due()
  }
}
