/**
 * Times to the nanosecond beside memfs's `Date`s of milliseconds.
 *
 * A time that is set through the file system is put into the node as a `Date`, and kept. As long as the node has that very
 * object, the time that is kept is the truth; memfs itself puts in a new object each time, which is how its changes are
 * noticed.
 */
import type { TimeSource } from '../time.ts'

/** A time, and the `Date` that stands for it in a node. */
export class KeptTime {
  readonly date: Date
  readonly seconds: number
  readonly nanoseconds: number

  constructor(seconds: number, nanoseconds: number) {
    this.date = new Date(Math.min(Math.max(seconds, -lastSecond), lastSecond) * 1000 + Math.floor(nanoseconds / 1e6))
    this.seconds = seconds
    this.nanoseconds = nanoseconds
  }
}

/** The last second that a `Date` can have. */
const lastSecond = 8_640_000_000_000 - 1

/** Whole seconds of a `Date`. */
export function secondsOf(date: Date): number {
  return Math.floor(date.getTime() / 1000)
}

/** What a `Date` has beyond whole seconds, in nanoseconds. */
export function nanosecondsOf(date: Date): number {
  return (date.getTime() - secondsOf(date) * 1000) * 1_000_000
}

/** The time of a clock, as an object that is shared as long as the clock stands still. */
export class Now {
  readonly #time: TimeSource
  #last: KeptTime

  constructor(time: TimeSource) {
    this.#time = time
    this.#last = new KeptTime(time.seconds, time.nanoseconds)
  }

  read(): KeptTime {
    const { seconds, nanoseconds } = this.#time
    if (seconds !== this.#last.seconds || nanoseconds !== this.#last.nanoseconds) {
      this.#last = new KeptTime(seconds, nanoseconds)
    }
    return this.#last
  }
}
