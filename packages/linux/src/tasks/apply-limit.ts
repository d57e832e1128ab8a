/** A resource limit, with what else in a task it changes (setrlimit(2)). */
import { PAGE } from '../memory/frames.ts'
import type { Process, Task } from '../system.ts'
import { CpuTimers } from './cpu-timers.ts'
import { INFINITE, Limit } from './limits.ts'

/** A stack is never larger. */
const LARGEST_STACK = 64 << 20

/** Sets a limit of a process, which `task` is of. Whether it may has been asked; `Infinity` is none. */
export function applyLimit(task: Task, limits: Process['limits'], resource: number, soft: number, hard: number): void {
  limits.set(resource, soft, hard)
  if (resource === Limit.CPU && soft !== INFINITE) task.process.cpuTimers ??= new CpuTimers()
  if (resource === Limit.DATA) task.space.dataLimit = soft / PAGE
  if (resource === Limit.FSIZE) task.context.fileSizeLimit = soft
  if (resource === Limit.STACK) task.space.stackLimit = Math.min(soft, LARGEST_STACK) / PAGE
  if (resource === Limit.AS) task.space.sizeLimit = soft / PAGE
}
