/** How many acknowledgements answer segments that are none of ours (RFC 5961, section 7): a few in a second. */
import type { Clock } from '@vmexit/core'

const perSecond = 10

/** The limit of one connection. */
export class Challenges {
  readonly #clock: Clock
  #second = -1
  #sent = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Whether another one may be sent now; it is counted. */
  mayAnswer(): boolean {
    const second = Math.floor(this.#clock.nanoseconds(this.#clock.now) / 1e9)
    if (second !== this.#second) {
      this.#second = second
      this.#sent = 0
    }
    return this.#sent++ < perSecond
  }
}
