/** Clocks and sleeping: clock_gettime(2), nanosleep(2), setitimer(2), times(2). */
import { readTimespec, readTimeval, writeTimespec, writeTimeval } from '../abi/i386/structs.ts'
import { Answer, Errno } from '../errno.ts'
import type { Task } from '../system.ts'
import { type CpuClock, cpuClockOf, cpuTime, hasEnded, isDeviceClock } from './cpu-clock.ts'
import { CpuTimer, cpuTimerLeft, setCpuTimer } from './cpu-timers.ts'
import { type Sleeper, WaitQueue } from './wait-queue.ts'

/** Clocks by number; those of CPU time have numbers of their own besides. */
// biome-ignore format: a table
const Clock = {
  REALTIME: 0, MONOTONIC: 1, PROCESS: 2, THREAD: 3, MONOTONIC_RAW: 4, REALTIME_COARSE: 5, MONOTONIC_COARSE: 6,
  BOOTTIME: 7, REALTIME_ALARM: 8, BOOTTIME_ALARM: 9, TAI: 11,
} as const
const TIMER_ABSTIME = 1

/** What a clock is ahead in the task's time namespace: nanoseconds. */
function clockOffset(task: Task, clock: number): number {
  if (clock === Clock.BOOTTIME || clock === Clock.BOOTTIME_ALARM) return task.ns.time.boottime
  return clock === Clock.MONOTONIC || clock === Clock.MONOTONIC_RAW || clock === Clock.MONOTONIC_COARSE
    ? task.ns.time.monotonic
    : 0
}

/** Is it changed by clock_settime(2)? */
export function isWallClock(clock: number): boolean {
  return clock === Clock.REALTIME || clock === Clock.REALTIME_ALARM || clock === Clock.TAI
}

/** When a clock was at 0, as the kernel has time: its absolute times count from there. */
export function clockStart(task: Task, clock: number): number {
  return isWallClock(clock) ? -task.kernel.time.start : -clockOffset(task, clock)
}

/** The time of a clock in nanoseconds; undefined for one that there is not. */
function clockTime(task: Task, clock: number): number | undefined {
  const { kernel } = task
  switch (clock) {
    case Clock.REALTIME:
    case Clock.REALTIME_COARSE:
    case Clock.TAI:
      return kernel.time.start + kernel.now
    case Clock.MONOTONIC:
    case Clock.MONOTONIC_RAW:
    case Clock.MONOTONIC_COARSE:
    case Clock.BOOTTIME:
      return kernel.now + clockOffset(task, clock)
    default: {
      const ofCpu = cpuClockOf(task, clock)
      return ofCpu === undefined ? undefined : cpuTime(ofCpu)
    }
  }
}

/** Has a clock timers? Undefined where there is no such clock. */
export function hasTimers(task: Task, clock: number): boolean | undefined {
  if (isDeviceClock(clock)) return false
  if (clockTime(task, clock) === undefined) return undefined
  const { REALTIME, MONOTONIC, BOOTTIME, TAI } = Clock
  return cpuClockOf(task, clock) !== undefined || [REALTIME, MONOTONIC, BOOTTIME, TAI].includes(clock as 0)
}

export function clockGettime(task: Task, clock: number, at: number, wide: boolean): number {
  const { kernel } = task
  if (clock === Clock.REALTIME || clock === Clock.REALTIME_COARSE || clock === Clock.TAI) {
    // (Nanoseconds since 1970 are more than a double holds.)
    const { seconds, nanoseconds } = kernel.time
    if (wide) {
      kernel.memory.set64(at, seconds)
      kernel.memory.set64(at + 8, nanoseconds)
    } else {
      kernel.memory.set32(at, seconds)
      kernel.memory.set32(at + 4, nanoseconds)
    }
    return 0
  }
  const time = clockTime(task, clock)
  if (time === undefined) return -Errno.EINVAL
  writeTimespec(kernel.memory, at, time, wide)
  return 0
}

export function clockGetres(task: Task, clock: number, at: number, wide: boolean): number {
  if (clockTime(task, clock) === undefined) return -Errno.EINVAL
  if (at !== 0) writeTimespec(task.kernel.memory, at, 1, wide)
  return 0
}

/** The queue of a task that sleeps by CPU time: it wakes at a time, which is looked at as long as the task is in here. */
class CpuSleep extends WaitQueue {
  readonly #timer: CpuTimer
  readonly #end: number

  constructor(task: Task, clock: CpuClock, end: number) {
    super()
    this.#timer = new CpuTimer(clock, task.process, () => this.wake())
    this.#end = end
  }
  override add(task: Sleeper): void {
    super.add(task)
    this.#timer.set(this.#end)
  }
  override remove(task: Sleeper): void {
    super.remove(task)
    this.#timer.cancel()
  }
}

/** clock_nanosleep(2) by the CPU time of a process, or of another thread. */
function sleepByCpuTime(task: Task, clock: number, flags: number, at: number, left: number, wide: boolean): number {
  const { kernel } = task
  const ofCpu = cpuClockOf(task, clock)
  if (ofCpu === undefined) return isDeviceClock(clock) ? -Errno.EOPNOTSUPP : -Errno.EINVAL
  // (By number, it is the clock that cannot be slept by: its time would stand.)
  if (ofCpu.thread === task) return clock === Clock.THREAD ? -Errno.EOPNOTSUPP : -Errno.EINVAL
  if (task.scratch === undefined) {
    if (task.deadline === Number.POSITIVE_INFINITY) {
      const time = readTimespec(kernel.memory, at, wide)
      if (time === undefined) return -Errno.EINVAL
      task.deadline = (flags & TIMER_ABSTIME) === 0 ? cpuTime(ofCpu) + time : time
    }
    if (hasEnded(ofCpu)) return -Errno.ESRCH
    task.scratch = new CpuSleep(task, ofCpu, task.deadline)
  }
  const remaining = task.deadline - cpuTime(ofCpu)
  if (remaining <= 0) return 0
  const answer = kernel.block(task.scratch as CpuSleep, Answer.RESTART_NOHAND)
  if (answer === Answer.RESTART_NOHAND && (flags & TIMER_ABSTIME) === 0 && left !== 0)
    writeTimespec(kernel.memory, left, remaining, wide)
  return answer
}

/** nanosleep(2), clock_nanosleep(2). */
export function sleep(task: Task, clock: number, flags: number, at: number, left: number, wide: boolean): number {
  const { kernel } = task
  if (clock < 0 || clock === Clock.PROCESS || clock === Clock.THREAD)
    return sleepByCpuTime(task, clock, flags, at, left, wide)
  if (![Clock.REALTIME, Clock.MONOTONIC, Clock.BOOTTIME, Clock.TAI].includes(clock as 0))
    return clockTime(task, clock) === undefined ? -Errno.EINVAL : -Errno.EOPNOTSUPP
  const isAbsolute = (flags & TIMER_ABSTIME) !== 0
  const isFirst = isAbsolute ? task.scratch === undefined : task.deadline === Number.POSITIVE_INFINITY
  if (isFirst) {
    const time = readTimespec(kernel.memory, at, wide)
    if (time === undefined) return -Errno.EINVAL
    if (isAbsolute) task.scratch = time
    else task.deadline = kernel.now + time
  }
  // (Where a clock stands to virtual time may have changed.)
  if (isAbsolute) task.deadline = Math.max(0, clockStart(task, clock) + (task.scratch as number))
  if (kernel.now >= task.deadline) return 0
  const queue = isAbsolute && isWallClock(clock) ? kernel.time.sleepers : undefined
  const answer = kernel.blockUntil(task.deadline, queue, Answer.RESTART_NOHAND)
  if (answer === Answer.RESTART_NOHAND && !isAbsolute && left !== 0)
    writeTimespec(kernel.memory, left, Math.max(0, task.deadline - kernel.now), wide)
  return answer
}

/** When a call with a timeout ends: from now on, once. `at` 0 is never; undefined for a time that is none. */
export function deadlineOf(task: Task, at: number, wide: boolean): number | undefined {
  if (at === 0) return Number.POSITIVE_INFINITY
  if (task.deadline === Number.POSITIVE_INFINITY) {
    const time = readTimespec(task.kernel.memory, at, wide)
    if (time === undefined) return undefined
    task.deadline = task.kernel.now + time
  }
  return task.deadline
}

/** setitimer(2) of ITIMER_REAL; the times are in nanoseconds. Answers what was left. */
function setAlarm(task: Task, value: number, period: number): { value: number; period: number } {
  const { kernel, process: proc } = task
  const { alarm } = proc
  const before = { value: alarm.isSet ? Math.max(1000, alarm.when - kernel.now) : 0, period: proc.alarmPeriod }
  proc.alarmPeriod = period
  if (value > 0) kernel.timers.set(alarm, kernel.now + value)
  else kernel.timers.cancel(alarm)
  return before
}

/** alarm(2). */
export function alarm(task: Task, seconds: number): number {
  return Math.ceil(setAlarm(task, seconds * 1e9, 0).value / 1e9)
}

export function setitimer(task: Task, which: number, at: number, old: number): number {
  const { memory } = task.kernel
  if (which < 0 || which > 2) return -Errno.EINVAL
  const period = at === 0 ? 0 : readTimeval(memory, at)
  const value = at === 0 ? 0 : readTimeval(memory, at + 8)
  if (period === undefined || value === undefined) return -Errno.EINVAL
  const before = which === 0 ? setAlarm(task, value, period) : setCpuTimer(task, which as 1 | 2, value, period)
  if (old === 0) return 0
  writeTimeval(memory, old, before.period)
  writeTimeval(memory, old + 8, before.value)
  return 0
}

export function getitimer(task: Task, which: number, at: number): number {
  const { memory, now } = task.kernel
  if (which < 0 || which > 2) return -Errno.EINVAL
  const { alarm: timer, alarmPeriod } = task.process
  const { value, period } =
    which === 0
      ? { value: timer.isSet ? Math.max(1000, timer.when - now) : 0, period: alarmPeriod }
      : cpuTimerLeft(task, which as 1 | 2)
  writeTimeval(memory, at, period)
  writeTimeval(memory, at + 8, value)
  return 0
}

/** times(2): in hundredths of a second. */
export function times(task: Task, at: number): number {
  const { kernel, process: proc } = task
  kernel.ticksOf(task)
  const hundredths = (ticks: number): number => Math.floor(ticks / 1e7)
  const { user, system, childrenUser, childrenSystem } = proc.times
  if (at !== 0)
    for (const [n, ticks] of [user, system, childrenUser, childrenSystem].entries())
      kernel.memory.set32(at + n * 4, hundredths(ticks))
  return hundredths(kernel.now) % 2 ** 31
}

/** getrusage(2): times and the rest as zeros. */
export function getrusage(task: Task, who: number, at: number): number {
  const { kernel, process: proc } = task
  kernel.ticksOf(task)
  if (who !== 0 && who !== -1 && who !== 1) return -Errno.EINVAL
  const { times: t } = proc
  writeRusage(
    task,
    at,
    who === -1 ? t.childrenUser : who === 1 ? task.ticks : t.user,
    who === -1 ? t.childrenSystem : t.system,
  )
  return 0
}

/** `struct rusage`. */
export function writeRusage(task: Task, at: number, user: number, system: number): void {
  const { memory } = task.kernel
  memory.fill(at, 0, 72)
  writeTimeval(memory, at, user)
  writeTimeval(memory, at + 8, system)
}
