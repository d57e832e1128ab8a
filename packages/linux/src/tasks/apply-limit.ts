/** A resource limit, with what else of a process it changes (setrlimit(2)). */
import { PAGE } from '../memory/frames.ts'
import { Code } from '../signals/queue.ts'
import { sendToTask } from '../signals/send.ts'
import { Signal } from '../signals/set.ts'
import type { Process, Task } from '../system.ts'
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

/** A call has answered EFBIG: where that was for RLIMIT_FSIZE, its task is told by SIGXFSZ (setrlimit(2)). */
export function tellOfFileSize(task: Task): void {
  if (!task.context.fileSizeExceeded) return
  task.context.fileSizeExceeded = false
  sendToTask(task, { signal: Signal.SIGXFSZ, code: Code.SI_USER, pid: task.process.pid, uid: task.ids.uid })
}
