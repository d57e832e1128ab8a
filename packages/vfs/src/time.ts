/**
 * Time, as file systems see it. It is handed in: no file system reads the host's clock.
 *
 * A time is two numbers, seconds and nanoseconds. One double cannot hold nanoseconds since 1970, and a bigint is an
 * object of the heap made anew at each call: reading two fields allocates nothing, and an inode keeps them as they are.
 */

/** A clock: the time since 1970-01-01. It stands still during a call. */
export interface TimeSource {
  /** Whole seconds; negative before 1970. */
  readonly seconds: number
  /** 0 to 999,999,999. */
  readonly nanoseconds: number
}

/** A clock that its owner sets. */
export class SettableTime implements TimeSource {
  seconds: number
  nanoseconds: number

  /** Starts at 1970-01-01 unless stated. */
  constructor(seconds = 0, nanoseconds = 0) {
    this.seconds = seconds
    this.nanoseconds = nanoseconds
  }

  /** Lets time pass; `nanoseconds` may be any number of them. */
  advance(seconds: number, nanoseconds = 0): void {
    const sum = this.nanoseconds + nanoseconds
    this.nanoseconds = sum % 1_000_000_000
    this.seconds += seconds + Math.floor(sum / 1_000_000_000)
  }
}
