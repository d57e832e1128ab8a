/** Frames under way in one direction: in order, each as long as all others, and not more than so many. */
import type { Clock } from '@vmexit/core'

/** Bytes under way in one direction: what the largest window of a TCP connection needs, and no more. */
const limitBytes = 16 * 1024 * 1024

const nothing = new Uint8Array(0)

/** A bounded queue whose frames come out after a fixed time. One timer of the clock serves a whole burst. */
export class FrameLine {
  /** Takes what comes out. */
  deliver: ((frame: Uint8Array) => void) | undefined
  readonly #clock: Clock
  readonly #ticks: number
  readonly #limit: number
  #frames: Uint8Array[] = []
  #due: number[] = []
  /** How many at the start of the arrays have come out. */
  #gone = 0
  #bytes = 0

  constructor(clock: Clock, ticks: number, limit: number) {
    this.#clock = clock
    this.#ticks = ticks
    this.#limit = limit
  }

  /** False where the queue is full and the frame is dropped. */
  put(frame: Uint8Array): boolean {
    if (this.#frames.length - this.#gone >= this.#limit || this.#bytes + frame.length > limitBytes) return false
    const due = this.#clock.now + this.#ticks
    if (this.#frames.length === 0) this.#clock.at(due, this.#arrive)
    this.#bytes += frame.length
    this.#frames.push(frame)
    this.#due.push(due)
    return true
  }

  readonly #arrive = (now: number): void => {
    const first = this.#gone
    let end = first
    while (end < this.#frames.length && this.#due[end] <= now) this.#bytes -= this.#frames[end++].length
    const arrived = this.#frames
    this.#gone = end
    if (end === arrived.length || end >= 1024) {
      this.#frames = arrived.slice(end)
      this.#due = this.#due.slice(end)
      this.#gone = 0
    }
    if (this.#frames.length > 0) this.#clock.at(this.#due[this.#gone], this.#arrive)
    for (let index = first; index < end; index++) {
      const frame = arrived[index]
      arrived[index] = nothing // not kept alive by what is behind it
      this.deliver?.(frame)
    }
  }
}
