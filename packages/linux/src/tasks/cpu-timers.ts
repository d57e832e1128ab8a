/** Timers by the CPU time of a process: ITIMER_VIRTUAL and ITIMER_PROF (setitimer(2)), RLIMIT_CPU (getrlimit(2)). */
import { Code } from '../signals/queue.ts'
import { sendToProcess } from '../signals/send.ts'
import { Signal } from '../signals/set.ts'
import type { Process, Task } from '../system.ts'
import { Limit } from './limits.ts'

/** One timer: when it ends, in nanoseconds of CPU time, or 0; and its period. */
interface CpuTimer {
  when: number
  period: number
}
const SIGNALS = [0, Signal.SIGVTALRM, Signal.SIGPROF] as const
const SECOND = 1e9

/** The timers of a process. They are looked at when a quantum ends, so they are up to a millisecond late. */
export class CpuTimers {
  /** By number of `which`; the first one is none of CPU time. */
  readonly timers: readonly CpuTimer[] = SIGNALS.map(() => ({ when: 0, period: 0 }))
  /** Seconds at which SIGXCPU comes again. */
  #nextWarning = 0

  run(proc: Process): void {
    const used = proc.times.user + proc.times.system
    for (const [which, timer] of this.timers.entries()) {
      if (timer.when === 0 || timer.when > used) continue
      timer.when = timer.period === 0 ? 0 : Math.max(used + 1, timer.when + timer.period)
      sendToProcess(proc, { signal: SIGNALS[which]!, code: Code.SI_KERNEL })
    }
    const seconds = used / SECOND
    const { soft, hard } = proc.limits
    if (seconds >= hard[Limit.CPU]!) sendToProcess(proc, { signal: Signal.SIGKILL, code: Code.SI_KERNEL })
    else if (seconds >= Math.max(1, soft[Limit.CPU]!, this.#nextWarning)) {
      this.#nextWarning = Math.floor(seconds) + 1
      sendToProcess(proc, { signal: Signal.SIGXCPU, code: Code.SI_KERNEL })
    }
  }
}

/** What is left of ITIMER_VIRTUAL (1) or ITIMER_PROF (2), in nanoseconds. */
export function cpuTimerLeft(task: Task, which: number): { value: number; period: number } {
  const timer = task.process.cpuTimers?.timers[which]
  task.kernel.ticksOf(task)
  const left = timer === undefined || timer.when === 0 ? 0 : Math.max(1000, timer.when - task.process.times.user)
  return { value: left, period: timer?.period ?? 0 }
}

/** Sets one, and answers what was left of it. */
export function setCpuTimer(
  task: Task,
  which: number,
  value: number,
  period: number,
): { value: number; period: number } {
  const before = cpuTimerLeft(task, which)
  const proc = task.process
  if (value === 0 && proc.cpuTimers === undefined) return before
  proc.cpuTimers ??= new CpuTimers()
  Object.assign(proc.cpuTimers.timers[which]!, { when: value === 0 ? 0 : proc.times.user + value, period })
  return before
}
