/** Timers by CPU time: ITIMER_VIRTUAL and ITIMER_PROF (setitimer(2)), RLIMIT_CPU (getrlimit(2)), and those that others arm. */
import { Code } from '../signals/queue.ts'
import { sendToProcess } from '../signals/send.ts'
import { Signal } from '../signals/set.ts'
import type { CpuTimerSet, Process, Task } from '../system.ts'
import { type CpuClock, cpuTime } from './cpu-clock.ts'
import { Limit } from './limits.ts'
import { nextEnd, Timer, Timers } from './timers.ts'

/** A timer by CPU time. Times are in nanoseconds of its clock. */
export class CpuTimer extends Timer {
  readonly clock: CpuClock
  readonly #owner: Process
  /** All that are armed and looked at when this one is. */
  #list: Timers | undefined

  /** `owner`: who has set it. */
  constructor(clock: CpuClock, owner: Process, fire: () => void) {
    super(fire)
    this.clock = clock
    this.#owner = owner
  }

  /** It fires at once where the time is past. */
  set(when: number): void {
    const { clock } = this
    this.cancel()
    this.when = when
    if (when <= cpuTime(clock)) {
      this.fire()
      return
    }
    this.#list ??= timersOf(clock.proc).listFor(clock, this.#owner)
    this.#list.set(this, when)
    clock.proc.leader.kernel.shortenTurn()
  }

  cancel(): void {
    this.#list?.cancel(this)
  }
}

/** ITIMER_VIRTUAL or ITIMER_PROF. */
class Interval {
  readonly timer: CpuTimer
  period = 0

  constructor(proc: Process, signal: number) {
    const clock = { proc, thread: undefined }
    this.timer = new CpuTimer(clock, proc, () => {
      if (this.period !== 0) this.timer.set(nextEnd(this.timer.when, this.period, cpuTime(clock)).next)
      sendToProcess(proc, { signal, code: Code.SI_KERNEL })
    })
  }
}

const SECOND = 1e9
/** Nanoseconds between two looks at timers of other processes. */
const TICK = 1e6

/**
 * The timers of a process and of its threads. A turn of the CPU ends when one of its own is due. Those of other processes do not slow
 * it down: they are looked at once in a while.
 */
export class CpuTimers implements CpuTimerSet {
  readonly #own = new Timers()
  readonly #others = new Timers()
  /** CPU time at which those of others were looked at last. */
  #looked = Number.NEGATIVE_INFINITY
  /** By the time of a thread: only the process itself has such. */
  readonly #threads = new WeakMap<Task, Timers>()
  /** By number of setitimer(2); 0 is none of CPU time. */
  readonly intervals: readonly [undefined, Interval, Interval]
  /** Seconds at which SIGXCPU comes again. */
  #nextWarning = 0

  constructor(proc: Process) {
    this.intervals = [undefined, new Interval(proc, Signal.SIGVTALRM), new Interval(proc, Signal.SIGPROF)]
  }

  /** Where a timer by a clock is kept that `owner` sets. */
  listFor({ proc, thread }: CpuClock, owner: Process): Timers {
    if (thread === undefined) return owner === proc ? this.#own : this.#others
    let list = this.#threads.get(thread)
    if (list === undefined) {
      list = new Timers()
      this.#threads.set(thread, list)
    }
    return list
  }

  dueIn(task: Task): number {
    const { process: proc } = task
    const used = proc.times.user + proc.times.system
    const byProcess = Math.min(
      Math.min(this.#warning(proc), proc.limits.hard[Limit.CPU]!) * SECOND,
      this.#own.next,
      Math.max(this.#others.next, this.#looked + TICK),
    )
    return Math.min(byProcess - used, (this.#threads.get(task)?.next ?? Number.POSITIVE_INFINITY) - task.ticks)
  }

  run(task: Task): void {
    const { process: proc } = task
    const used = proc.times.user + proc.times.system
    this.#own.run(used)
    this.#threads.get(task)?.run(task.ticks)
    if (this.#others.next <= used && this.#looked + TICK <= used) {
      this.#looked = used
      this.#others.run(used)
    }
    const seconds = used / SECOND
    if (seconds >= proc.limits.hard[Limit.CPU]!) sendToProcess(proc, { signal: Signal.SIGKILL, code: Code.SI_KERNEL })
    else if (seconds >= this.#warning(proc)) {
      this.#nextWarning = Math.floor(seconds) + 1
      sendToProcess(proc, { signal: Signal.SIGXCPU, code: Code.SI_KERNEL })
    }
  }

  /** Seconds of CPU time at which SIGXCPU comes. */
  #warning({ limits }: Process): number {
    return Math.max(1, limits.soft[Limit.CPU]!, this.#nextWarning)
  }
}

function timersOf(proc: Process): CpuTimers {
  proc.cpuTimers ??= new CpuTimers(proc)
  return proc.cpuTimers as CpuTimers
}

/** What is left of ITIMER_VIRTUAL (1) or ITIMER_PROF (2), in nanoseconds. */
export function cpuTimerLeft(task: Task, which: 1 | 2): { value: number; period: number } {
  const interval = (task.process.cpuTimers as CpuTimers | undefined)?.intervals[which]
  if (interval === undefined) return { value: 0, period: 0 }
  const { timer, period } = interval
  return { value: timer.isSet ? Math.max(1000, timer.when - cpuTime(timer.clock)) : 0, period }
}

/** Sets one, and answers what was left of it. */
export function setCpuTimer(
  task: Task,
  which: 1 | 2,
  value: number,
  period: number,
): { value: number; period: number } {
  const before = cpuTimerLeft(task, which)
  if (value === 0 && task.process.cpuTimers === undefined) return before
  const interval = timersOf(task.process).intervals[which]
  interval.period = period
  if (value === 0) interval.timer.cancel()
  else interval.timer.set(cpuTime(interval.timer.clock) + value)
  return before
}
