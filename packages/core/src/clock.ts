/**
 * Virtual time: deterministic, counted in ticks, one per instruction that any CPU retires.
 *
 * Nothing here reads the host's clock. Idle time is skipped over: when every CPU waits, the run loop moves the clock to
 * the next deadline.
 */
import { VmexitError } from './errors.ts'
import { checkState, type Stateful } from './state.ts'
import { type ScheduledTimer, Timers } from './timers.ts'

/** Ticks in one virtual second unless a machine says otherwise: 10^9, so that a tick is one nanosecond. */
export const defaultFrequency: number = 1e9

/** A call set for a virtual time. Disposing it cancels the call; after the call, disposing does nothing. */
export interface Timer extends Disposable {
  /** The tick it is due at. */
  readonly time: number
  /** Whether the call is still to come. */
  readonly pending: boolean
  /** What {@link Clock.resume} needs to set the timer again in a restored machine. */
  save(): SavedTimer
}

/** A timer in a saved state. */
export type SavedTimer = { readonly time: number; readonly sequence: number }

/** A clock in a saved state. Timers are saved by who set them. */
export type ClockState = {
  readonly version: 1
  readonly frequency: number
  readonly now: number
  /** Timers set so far: orders timers of one time. */
  readonly sequence: number
}

/** What moves the time while a CPU runs: the instructions it has retired, up to date at each access to a device. */
export interface Progress {
  readonly retired: number
}

/** The clock of a machine or of a VM. Times are whole ticks as numbers, exact to 2^53 (104 days at 10^9 a second). */
export class Clock implements Stateful<ClockState> {
  /** Ticks in a virtual second. */
  readonly frequency: number
  readonly #timers = new Timers()
  readonly #listeners = new Set<(deadline: number) => void>()
  /** The time when no CPU runs; else the time at the start of its run. */
  #base = 0
  #progress: Progress | undefined
  #progressStart = 0
  #sequence = 0

  /** Throws a {@link VmexitError} `clock-frequency` if `frequency` is not a whole number from 1 to 10^12. */
  constructor({ frequency = defaultFrequency }: { frequency?: number } = {}) {
    if (!(Number.isInteger(frequency) && frequency >= 1 && frequency <= 1e12)) {
      throw new VmexitError('clock-frequency', {
        problem: `a clock cannot have ${frequency} ticks a second`,
        remedy: 'use a whole number from 1 to 1e12',
      })
    }
    this.frequency = frequency
  }

  /** The time in ticks, up to date also while a CPU runs. */
  get now(): number {
    return this.#progress === undefined ? this.#base : this.#base + (this.#progress.retired - this.#progressStart)
  }

  /** When the next timer is due; Infinity if none is set. */
  get deadline(): number {
    return this.#timers.first?.time ?? Number.POSITIVE_INFINITY
  }

  /**
   * Calls `wake` when the time is `time` (rounded up to a whole tick), or as soon as the running CPU can stop if that
   * is past. Timers of one time are called in the order they were set. Throws a {@link VmexitError} `clock-time` for
   * NaN.
   */
  at(time: number, wake: (now: number) => void): Timer {
    if (Number.isNaN(time)) {
      throw new VmexitError('clock-time', {
        problem: 'a timer is set for the time NaN',
        remedy: 'set it for a number of ticks (a frequency of 0 has no period)',
      })
    }
    return this.#set(new SetTimer(Math.ceil(time), this.#sequence++, wake, this.#timers))
  }

  /** Calls `wake` `delay` ticks from now; see {@link at}. */
  after(delay: number, wake: (now: number) => void): Timer {
    return this.at(this.now + delay, wake)
  }

  /** Sets a timer again as it was saved, with its place among timers of the same time: for `restore` of a device. */
  resume({ time, sequence }: SavedTimer, wake: (now: number) => void): Timer {
    return this.#set(new SetTimer(time, sequence, wake, this.#timers))
  }

  /**
   * Moves the time to `time` and calls what is due on the way, each at its own time. Throws a {@link VmexitError}
   * `clock-backwards` if `time` is past, or `clock-busy` while a CPU runs.
   */
  advanceTo(time: number): void {
    this.#mustBeIdle('advanced')
    if (!(time >= this.#base)) {
      throw new VmexitError('clock-backwards', {
        problem: `the clock is at ${this.#base} and cannot go to ${time}`,
        remedy: 'advance it to a later time, or restore a saved machine',
      })
    }
    for (let due = this.#timers.first; due !== undefined && due.time <= time; due = this.#timers.first) {
      this.#timers.remove(due)
      if (due.time > this.#base) this.#base = due.time
      due.wake(this.#base)
    }
    this.#base = time
  }

  /** While a CPU runs, time passes in which it retires nothing. Timers that are due wait for the next {@link advanceTo}. */
  pass(ticks: number): void {
    this.#base += ticks
  }

  /** For the run loop: from here on the time follows what a CPU retires, until {@link settle}. */
  follow(progress: Progress): void {
    this.#mustBeIdle('made to follow a second CPU')
    this.#progress = progress
    this.#progressStart = progress.retired
  }

  /** For the run loop: the CPU has stopped; what it retired is added. */
  settle(): void {
    this.#base = this.now
    this.#progress = undefined
  }

  /** Calls `listener` whenever a timer is set that is due before all others: a running CPU may have to stop sooner. */
  onSooner(listener: (deadline: number) => void): Disposable {
    this.#listeners.add(listener)
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) }
  }

  /** Nanoseconds in ticks, rounded up. */
  ticks(nanoseconds: number): number {
    return Math.ceil((nanoseconds * this.frequency) / 1e9)
  }

  /** Ticks in nanoseconds. */
  nanoseconds(ticks: number): number {
    return (ticks * 1e9) / this.frequency
  }

  save(): ClockState {
    return { version: 1, frequency: this.frequency, now: this.now, sequence: this.#sequence }
  }

  /** Sets the time and drops every timer: who set one sets it again when restored, with {@link resume}. */
  restore(state: ClockState): void {
    const { frequency, now, sequence } = checkState('the clock', state, this.save())
    if (frequency !== this.frequency) {
      throw new VmexitError('state-mismatch', {
        problem: `the saved clock has ${frequency} ticks a second, this one ${this.frequency}`,
        remedy: `compose the machine with { frequency: ${frequency} }`,
      })
    }
    this.#mustBeIdle('restored')
    this.#timers.clear()
    this.#base = now
    this.#sequence = sequence
  }

  #set(timer: SetTimer): Timer {
    const sooner = timer.time < this.deadline
    this.#timers.add(timer)
    if (sooner) for (const listener of this.#listeners) listener(timer.time)
    return timer
  }

  #mustBeIdle(done: string): void {
    if (this.#progress === undefined) return
    throw new VmexitError('clock-busy', {
      problem: `the clock is ${done} while a CPU runs`,
      remedy: 'do it between two runs: in a timer, in an input, or after runSlice',
    })
  }
}

class SetTimer implements Timer, ScheduledTimer {
  readonly time: number
  readonly sequence: number
  readonly wake: (now: number) => void
  index = -1
  readonly #timers: Timers

  constructor(time: number, sequence: number, wake: (now: number) => void, timers: Timers) {
    this.time = time
    this.sequence = sequence
    this.wake = wake
    this.#timers = timers
  }

  get pending(): boolean {
    return this.index >= 0
  }

  save(): SavedTimer {
    return { time: this.time, sequence: this.sequence }
  }

  [Symbol.dispose](): void {
    this.#timers.remove(this)
  }
}
