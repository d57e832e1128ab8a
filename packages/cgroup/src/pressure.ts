/**
 * Pressure stall information: how much of the time some task, or all that could run, waited for a CPU, memory or I/O
 * (the kernel's "PSI - Pressure Stall Information"). Everything follows from virtual time and from what threads do.
 *
 * Averages are taken every two seconds of virtual time. Triggers are absent.
 */

/** What a thread does. `memory` is waiting for memory to be reclaimed or brought in, `io` for any other I/O. */
export const activities = ['idle', 'running', 'waiting', 'io', 'memory'] as const

/** One of {@link activities}. */
export type Activity = (typeof activities)[number]

/** What can be short. */
export const resources = ['cpu', 'memory', 'io'] as const

/** One of {@link resources}. */
export type Resource = (typeof resources)[number]

/** Averages in percent, and the whole time in nanoseconds. */
type Line = { avg10: number; avg60: number; avg300: number; total: number }
const line = (): Line => ({ avg10: 0, avg60: 0, avg300: 0, total: 0 })

/** Between two averages. */
const PERIOD = 2_000_000_000
/** What remains of an average after a period: e^(−2/10), e^(−2/60), e^(−2/300). */
const DECAY_10 = 0.8187307530779818
const DECAY_60 = 0.9672161004820059
const DECAY_300 = 0.9933555062550344
/** After so many periods without a change, averages are what the periods were, to more digits than are shown. */
const SETTLED = 4000

/** Pressure in a saved state; threads and what they do are saved with the threads. */
export type PressureState = {
  readonly on: boolean
  readonly lines: readonly { readonly [field: string]: number }[]
  readonly before: readonly number[]
  readonly since: number
  readonly end: number
}

/** Pressure in one group and all below it. */
export class Pressure {
  readonly parent: Pressure | null
  /** Whether time is counted: `cgroup.pressure`. */
  #on = true
  #running = 0
  #waiting = 0
  #io = 0
  #memory = 0
  /** For each resource `some` and `full`, and their totals at the start of the present period. */
  readonly #lines: readonly Line[] = resources.flatMap(() => [line(), line()])
  readonly #before: number[] = this.#lines.map(() => 0)
  #since = 0
  #end = PERIOD

  constructor(parent: Pressure | null, now: number) {
    this.parent = parent
    this.#since = now
    this.#end = now + PERIOD
  }

  get on(): boolean {
    return this.#on
  }

  /** Turns counting on or off. */
  turn(on: boolean, now: number): void {
    this.#advance(now)
    this.#on = on
  }

  /** So many threads go over from one activity to another, here and in all groups above. */
  shift(from: Activity, to: Activity, now: number, threads = 1): void {
    for (let pressure: Pressure | null = this; pressure !== null; pressure = pressure.parent) {
      pressure.#advance(now)
      pressure.#count(from, -threads)
      pressure.#count(to, threads)
    }
  }

  /** After a restore: a thread does what it did, here and above; no time passes. */
  resume(activity: Activity): void {
    for (let pressure: Pressure | null = this; pressure !== null; pressure = pressure.parent)
      pressure.#count(activity, 1)
  }

  /** The text of `cpu.pressure` and its like. Some of the root's CPU is always running something: it is never full. */
  format(resource: Resource, now: number): string {
    this.#advance(now)
    const at = 2 * resources.indexOf(resource)
    const full = resource === 'cpu' && this.parent === null ? line() : this.#lines[at + 1]!
    return `some ${formatLine(this.#lines[at]!)}\nfull ${formatLine(full)}\n`
  }

  save(): PressureState {
    const { on } = this
    return {
      ...{ on, lines: this.#lines.map((each) => ({ ...each })), before: [...this.#before] },
      ...{ since: this.#since, end: this.#end },
    }
  }

  restore(state: PressureState): void {
    this.#on = state.on
    state.lines.forEach((saved, at) => void Object.assign(this.#lines[at]!, saved))
    state.before.forEach((total, at) => void (this.#before[at] = total))
    this.#since = state.since
    this.#end = state.end
  }

  #count(activity: Activity, threads: number): void {
    if (activity === 'running') this.#running += threads
    else if (activity === 'waiting') this.#waiting += threads
    else if (activity === 'io') this.#io += threads
    else if (activity === 'memory') this.#memory += threads
  }

  /** Counts the time since the last change, period by period. */
  #advance(now: number): void {
    if (now < this.#end) {
      this.#accumulate(now)
      return
    }
    const periods = Math.floor((now - this.#end) / PERIOD) + 1
    this.#accumulate(this.#end)
    this.#average()
    for (let n = 1; n < Math.min(periods, SETTLED); n++) {
      this.#accumulate(this.#end + PERIOD)
      this.#end += PERIOD
      this.#average()
    }
    if (periods > SETTLED) {
      this.#end += (periods - SETTLED) * PERIOD
      this.#accumulate(this.#end)
      this.#lines.forEach(({ total }, at) => void (this.#before[at] = total))
    }
    this.#end += PERIOD
    this.#accumulate(now)
  }

  #accumulate(now: number): void {
    const time = now - this.#since
    this.#since = now
    if (time <= 0 || !this.#on) return
    const lines = this.#lines
    const busy = this.#running + this.#waiting
    if (this.#waiting > 0) {
      lines[0]!.total += time
      if (this.#running === 0) lines[1]!.total += time
    }
    if (this.#memory > 0) {
      lines[2]!.total += time
      if (busy === 0) lines[3]!.total += time
    }
    if (this.#io > 0) {
      lines[4]!.total += time
      if (busy === 0) lines[5]!.total += time
    }
  }

  #average(): void {
    this.#lines.forEach((each, at) => {
      const percent = (100 * (each.total - this.#before[at]!)) / PERIOD
      this.#before[at] = each.total
      each.avg10 = each.avg10 * DECAY_10 + percent * (1 - DECAY_10)
      each.avg60 = each.avg60 * DECAY_60 + percent * (1 - DECAY_60)
      each.avg300 = each.avg300 * DECAY_300 + percent * (1 - DECAY_300)
    })
  }
}

const formatLine = ({ avg10, avg60, avg300, total }: Line): string =>
  `avg10=${percent(avg10)} avg60=${percent(avg60)} avg300=${percent(avg300)} total=${Math.floor(total / 1000)}`

/** Rounded down: 99.999 is not yet all the time. */
const percent = (value: number): string => (Math.floor(value * 100 + 1e-6) / 100).toFixed(2)
