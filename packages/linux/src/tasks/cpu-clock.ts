/**
 * Clocks of CPU time: CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID, and those of others by number
 * (clock_getcpuclockid(3), pthread_getcpuclockid(3)). A number of these has the process or thread in its upper bits, inverted;
 * bit 2 says thread; bits 0 and 1 say which time, and 3 is none (include/linux/posix-timers_types.h).
 */
import type { Process, Task } from '../system.ts'
import { processOf, taskOf } from './numbers.ts'

/** CPU time of a process, or of one of its threads. */
export interface CpuClock {
  readonly proc: Process
  readonly thread: Task | undefined
}

const PROCESS = 2
const THREAD = 3

/** Undefined where the number is of no such clock: of another thread only those of the same process are known. */
export function cpuClockOf(task: Task, clock: number): CpuClock | undefined {
  const { process: proc } = task
  if (clock === PROCESS) return { proc, thread: undefined }
  if (clock === THREAD) return { proc, thread: task }
  if (clock >= 0 || (clock & 3) === 3) return undefined
  const id = ~(clock >> 3)
  if ((clock & 4) !== 0) {
    const thread = id === 0 ? task : taskOf(task, id)
    return thread?.process === proc ? { proc, thread } : undefined
  }
  const other = id === 0 ? proc : processOf(task, id)
  return other === undefined ? undefined : { proc: other, thread: undefined }
}

/** A clock by the descriptor of its device: there are no such devices. */
export function isDeviceClock(clock: number): boolean {
  return clock < 0 && (clock & 7) === 3
}

/** Nanoseconds until now. */
export function cpuTime({ proc, thread }: CpuClock): number {
  const { kernel } = proc.leader
  if (kernel.current !== undefined) kernel.ticksOf(kernel.current)
  return thread?.ticks ?? proc.times.user + proc.times.system
}

/** It goes on no more. */
export function hasEnded({ proc, thread }: CpuClock): boolean {
  return proc.status !== undefined || thread?.state === 'ended'
}
