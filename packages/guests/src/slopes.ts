/**
 * What a repetition costs. A program does its work N times and then 2N times: the difference of the two is that of N
 * repetitions, and holds nothing of what is done once, such as the markers themselves.
 */
import type { Counts } from '@vmexit/core'
import { type Marker, MarkerReader } from './markers.ts'

/** What a program cost. */
export interface Slope {
  readonly program: string
  /** N: it did its work three times as often. */
  readonly count: number
  readonly checksum: string
  /** Events in one repetition, by the names of the counters. */
  readonly costs: Counts
}

/** How a program ended. */
export interface Exit {
  readonly program: string
  /** See the marker `exit`. */
  readonly status: number
}

/** Events in one of `count` repetitions, from what was counted at the three markers. A counter that `begin` lacks is left out. */
export function slopeOf(begin: Counts, middle: Counts, end: Counts, count: number): Counts {
  const cost = (name: string) => (end[name]! - middle[name]! - (middle[name]! - begin[name]!)) / count
  return Object.fromEntries(Object.keys(begin).map((name) => [name, cost(name)]))
}

/** A program between its first and its last marker. */
interface Running {
  readonly program: string
  readonly count: number
  readonly begin: Counts
  readonly middle?: Counts
}

/**
 * Reads a console, takes what was counted at each marker, and tells the costs. Feed it at the very moment when the guest
 * sends each byte: what is counted until it hears of a marker is taken for work of the program.
 */
export class SlopeMeter {
  readonly #counts: () => Counts
  readonly #markers: MarkerReader = new MarkerReader((marker) => this.#take(marker))
  readonly #slopes: Slope[] = []
  readonly #exits: Exit[] = []
  #running: Running | undefined
  #done = false

  /** `counts` says what has been counted so far. */
  constructor(counts: () => Counts) {
    this.#counts = counts
  }

  /** Takes what the console printed next. */
  feed(bytes: Uint8Array): void {
    this.#markers.feed(bytes)
  }

  /** What programs cost that came to their last marker, in that order. */
  get slopes(): readonly Slope[] {
    return this.#slopes
  }

  /** How programs ended, in that order, where init runs them. */
  get exits(): readonly Exit[] {
    return this.#exits
  }

  /** Whether init has run all that it was to run. */
  get done(): boolean {
    return this.#done
  }

  #take(marker: Marker): void {
    const running = this.#running
    if (marker.kind === 'begin') {
      const { program, count } = marker
      this.#running = count > 0 ? { program, count, begin: this.#counts() } : undefined
    } else if (marker.kind === 'done') this.#done = true
    else if (marker.kind === 'exit') this.#exits.push({ program: marker.program, status: marker.status })
    else if (running === undefined || running.program !== marker.program) return
    else if (marker.kind === 'middle') this.#running = { ...running, middle: this.#counts() }
    else if (running.middle !== undefined) {
      const { program, count, begin, middle } = running
      const costs = slopeOf(begin, middle, this.#counts(), count)
      this.#slopes.push({ program, count, checksum: marker.checksum, costs })
      this.#running = undefined
    }
  }
}
