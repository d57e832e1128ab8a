/** personality(2). */
import type { Task } from '../system.ts'

/** personality(2): kept and told, as Linux does with all but a few of its bits. */
export function personality(task: Task, wanted: number): number {
  const before = task.process.personality
  if (wanted !== 0xffff_ffff) task.process.personality = wanted
  return before
}
