/**
 * Whether to translate code of a page, or to execute it step by step: code that is written again before it has run a few
 * times is not worth translating. (An instruction's immediate rewritten before each call: 8.7 µs translated each time, about 2
 * step by step.)
 */

/** Instructions executed since the code was translated, up to which it was in vain. */
const SOON = 256
/** Times in a row that it was, after which it is not translated. */
const TIMES = 32
/** Instructions executed step by step until it is tried again. */
const STEPS = 1000

export class Patience {
  /** Instructions retired when code was translated last; none since the page was written: −1. */
  #translated = -1
  #inVain = 0
  #steps = 0

  /** Code is translated. `now`: instructions retired. */
  translated(now: number): void {
    this.#translated = now
  }
  /** The page is written, by code that runs if there is a `now`. */
  written(now: number | undefined): void {
    if (this.#translated < 0) return
    if (now !== undefined) this.#inVain = now - this.#translated < SOON ? this.#inVain + 1 : 0
    this.#translated = -1
  }
  /** Code is to be translated: true if it should be executed step by step instead, this instruction and then the next. */
  isLost(): boolean {
    if (this.#inVain < TIMES) return false
    if (++this.#steps < STEPS) return true
    this.#steps = 0
    this.#inVain = TIMES - 1
    return false
  }
}
