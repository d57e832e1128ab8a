/** Timers by CPU time: ITIMER_VIRTUAL and ITIMER_PROF (setitimer(2)), RLIMIT_CPU (getrlimit(2)), and those that others arm. */
import { Code } from '../signals/queue.ts'
import { sendToProcess } from '../signals/send.ts'
import { Signal } from '../signals/set.ts'
import type { CpuTimerSet, Process, Task } from '../system.ts'
import { type CpuClock, cpuTime } from './cpu-clock.ts'
import { Limit } from './limits.ts'
import { nextEnd } from './timers.ts'

/** A timer by CPU time. Times are in nanoseconds of its clock. */
export class CpuTimer {
  readonly clock: CpuClock
  readonly fire: () => void
  when = 0
  isSet = false

  constructor(clock: CpuClock, fire: () => void) {
    this.clock = clock
    this.fire = fire
  }

  /** It fires at once where the time is past. */
  set(when: number): void {
    const { proc } = this.clock
    this.when = when
    this.isSet = true
    if (when <= cpuTime(this.clock)) {
      this.cancel()
      this.fire()
      return
    }
    timersOf(proc).armed.add(this)
    proc.leader.kernel.shortenTurn()
  }

  cancel(): void {
    this.isSet = false
    this.clock.proc.cpuTimers?.armed.delete(this)
  }
}

/** ITIMER_VIRTUAL or ITIMER_PROF. */
class Interval {
  readonly timer: CpuTimer
  period = 0

  constructor(proc: Process, signal: number) {
    const clock = { proc, thread: undefined }
    this.timer = new CpuTimer(clock, () => {
      if (this.period !== 0) this.timer.set(nextEnd(this.timer.when, this.period, cpuTime(clock)).next)
      sendToProcess(proc, { signal, code: Code.SI_KERNEL })
    })
  }
}

const SECOND = 1e9

/** The timers of a process and of its threads. A turn of the CPU ends when one is due. */
export class CpuTimers implements CpuTimerSet {
  readonly armed: Set<CpuTimer> = new Set()
  /** By number of setitimer(2); 0 is none of CPU time. */
  readonly intervals: readonly [undefined, Interval, Interval]
  /** Seconds at which SIGXCPU comes again. */
  #nextWarning = 0

  constructor(proc: Process) {
    this.intervals = [undefined, new Interval(proc, Signal.SIGVTALRM), new Interval(proc, Signal.SIGPROF)]
  }

  dueIn(task: Task): number {
    const { process: proc } = task
    const used = proc.times.user + proc.times.system
    let due = Math.min(this.#warning(proc), proc.limits.hard[Limit.CPU]!) * SECOND - used
    for (const { when, clock } of this.armed) {
      if (clock.thread === undefined) due = Math.min(due, when - used)
      else if (clock.thread === task) due = Math.min(due, when - task.ticks)
    }
    return due
  }

  run(proc: Process): void {
    for (const timer of [...this.armed]) {
      if (!timer.isSet || timer.when > cpuTime(timer.clock)) continue
      timer.cancel()
      timer.fire()
    }
    const seconds = (proc.times.user + proc.times.system) / SECOND
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
