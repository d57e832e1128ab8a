/** Who may send whom a signal (kill(2)). */
import type { Process, Task } from '../system.ts'
import { Cap } from '../tasks/capabilities.ts'
import { Signal } from './set.ts'

export function maySignal(task: Task, target: Process, signalNumber: number): boolean {
  const { ids } = task
  const theirs = target.leader.ids
  if (target === task.process || task.capable(Cap.KILL, theirs.user)) return true
  if (signalNumber === Signal.SIGCONT && target.session === task.process.session) return true
  return [ids.uid, ids.euid].some((uid) => uid === theirs.uid || uid === theirs.suid)
}
