/** A resource limit, with what else of a process it changes (setrlimit(2)). */
import { PAGE } from '../memory/frames.ts'
import type { Process } from '../system.ts'
import { CpuTimers } from './cpu-timers.ts'
import { INFINITE, Limit } from './limits.ts'

/** A stack is never larger. */
const LARGEST_STACK = 64 << 20

/** Sets a limit of a process, for all its threads. Whether it may be set has been asked; `Infinity` is none. */
export function applyLimit(target: Process, resource: number, soft: number, hard: number): void {
  const { space } = target.leader
  target.limits.set(resource, soft, hard)
  if (resource === Limit.CPU && soft !== INFINITE) target.cpuTimers ??= new CpuTimers()
  if (resource === Limit.DATA) space.dataLimit = soft / PAGE
  if (resource === Limit.FSIZE) for (const task of target.tasks) task.context.fileSizeLimit = soft
  if (resource === Limit.STACK) space.stackLimit = Math.min(soft, LARGEST_STACK) / PAGE
  if (resource === Limit.AS) space.sizeLimit = soft / PAGE
}
