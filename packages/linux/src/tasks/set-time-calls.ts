/** Setting clocks: clock_settime(2), settimeofday(2), stime(2). */
import { Errno } from '../errno.ts'
import type { Task } from '../system.ts'
import { Cap } from './capabilities.ts'
import { cpuClockOf } from './cpu-clock.ts'

const SECOND = 1e9
/** The clock cannot be set to later seconds: some time is to be left until it ends (include/linux/time64.h). */
const LATEST = 9_223_372_036 - 30 * 365 * 24 * 3600

function mayBe(seconds: number, nanoseconds: number): boolean {
  return seconds >= 0 && seconds <= LATEST && nanoseconds >= 0 && nanoseconds < SECOND
}

function setWallClock(task: Task, seconds: number, nanoseconds: number): number {
  if (!mayBe(seconds, nanoseconds)) return -Errno.EINVAL
  if (!task.capable(Cap.SYS_TIME)) return -Errno.EPERM
  return task.kernel.time.set(seconds, nanoseconds) ? 0 : -Errno.EINVAL
}

/** clock_settime(2). */
export function clockSettime(task: Task, clock: number, at: number, wide: boolean): number {
  const { memory } = task.kernel
  if (clock > 0) return -Errno.EINVAL
  const seconds = wide ? memory.get64(at) : memory.get32(at) | 0
  const nanoseconds = memory.get32(at + (wide ? 8 : 4))
  if (clock === 0) return setWallClock(task, seconds, nanoseconds)
  return cpuClockOf(task, clock) === undefined ? -Errno.EINVAL : -Errno.EPERM
}

/** settimeofday(2): a time, a zone, or both. */
export function settimeofday(task: Task, at: number, zone: number): number {
  const { memory, time } = task.kernel
  const value = at === 0 ? undefined : ([memory.get32(at) | 0, memory.get32(at + 4) | 0] as const)
  if (value !== undefined && (value[1] < 0 || value[1] > 1e6)) return -Errno.EINVAL
  const wanted = zone === 0 ? undefined : ([memory.get32(zone) | 0, memory.get32(zone + 4) | 0] as const)
  if (value !== undefined && !mayBe(value[0], value[1] * 1000)) return -Errno.EINVAL
  if (!task.capable(Cap.SYS_TIME)) return -Errno.EPERM
  if (wanted !== undefined) {
    if (Math.abs(wanted[0]) > 15 * 60) return -Errno.EINVAL
    time.zone = wanted
  }
  return value === undefined ? 0 : setWallClock(task, value[0], value[1] * 1000)
}

/** stime(2). */
export function stime(task: Task, at: number): number {
  const seconds = task.kernel.memory.get32(at) | 0
  // (Whether it is a time is asked last here.)
  return task.capable(Cap.SYS_TIME) ? setWallClock(task, seconds, 0) : -Errno.EPERM
}
