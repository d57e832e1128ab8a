/** CLOCK_REALTIME: virtual time since a moment of 1970 or later, which programs may set. */
import type { TimeSource } from '@vmexit/vfs'
import { WaitQueue } from './wait-queue.ts'

const SECOND = 1e9

/** Where virtual time lies in that of the world. */
export class WallClock implements TimeSource {
  readonly #now: () => number
  /** The time at the start: seconds since 1970, and nanoseconds. */
  #seconds: number
  #nanoseconds = 0
  /** Told when the clock is set, with the nanoseconds that it is ahead of what it was. */
  readonly listeners: Set<(ahead: number) => void> = new Set()
  /** Tasks that wait until a time of this clock: woken when it is set, for they may have waited enough. */
  readonly sleepers: WaitQueue = new WaitQueue()
  /** What settimeofday(2) has kept: `tz_minuteswest` and `tz_dsttime`, without effect. */
  zone: readonly [number, number] = [0, 0]

  /** `now` is virtual time in nanoseconds, `epoch` the time when that was 0, in seconds since 1970. */
  constructor(now: () => number, epoch: number) {
    this.#now = now
    this.#seconds = epoch
  }

  get seconds(): number {
    return this.#seconds + Math.floor((this.#now() + this.#nanoseconds) / SECOND)
  }
  get nanoseconds(): number {
    return (this.#now() + this.#nanoseconds) % SECOND
  }
  /** The time at the start, in nanoseconds: as near as a number comes. */
  get start(): number {
    return this.#seconds * SECOND + this.#nanoseconds
  }
  /** The same in whole seconds. */
  get startSeconds(): number {
    return this.#seconds
  }

  /** Sets it. False where the start would be before 1970. */
  set(seconds: number, nanoseconds: number): boolean {
    const now = this.#now()
    let second = seconds - Math.floor(now / SECOND)
    let rest = nanoseconds - (now % SECOND)
    if (rest < 0) {
      second--
      rest += SECOND
    }
    if (second < 0) return false
    const ahead = (second - this.#seconds) * SECOND + rest - this.#nanoseconds
    this.#seconds = second
    this.#nanoseconds = rest
    for (const listener of [...this.listeners]) listener(ahead)
    this.sleepers.wake()
    return true
  }
}
