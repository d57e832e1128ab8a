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
  target.limits.set(resource, soft, hard)
  if (resource === Limit.CPU && soft !== INFINITE) target.cpuTimers ??= new CpuTimers(target)
  if (resource === Limit.CPU) target.leader.kernel.shortenTurn()
  if (resource === Limit.FSIZE) for (const task of target.tasks) task.context.fileSizeLimit = soft
  limitSpace(target.leader.space, target.limits)
}

/** An address space has the limits of its process. */
export function limitSpace(space: Task['space'], { soft }: Process['limits']): void {
  space.stackLimit = Math.min(soft[Limit.STACK]!, LARGEST_STACK) / PAGE
  space.sizeLimit = soft[Limit.AS]! / PAGE
  space.dataLimit = soft[Limit.DATA]! / PAGE
}

/** A call has answered EFBIG: where that was for RLIMIT_FSIZE, its task is told by SIGXFSZ (setrlimit(2)). */
export function tellOfFileSize(task: Task): void {
  if (!task.context.fileSizeExceeded) return
  task.context.fileSizeExceeded = false
  sendToTask(task, { signal: Signal.SIGXFSZ, code: Code.SI_USER, pid: task.process.pid, uid: task.ids.uid })
}
