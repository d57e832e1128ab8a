/** How stopped tasks go on (ptrace(2)): by their tracer, or with their group. */
import type { Process, Task } from '../system.ts'
import type { Tracing } from './tracing.ts'

/** A group that was stopped goes on: those that are seized stop for a moment, to tell it. */
export function groupGoesOn(task: Task, tracing: Tracing<Process>): void {
  if (!tracing.isSeized) return
  tracing.trap = true
  task.hasWork = true
  if (tracing.isListening) {
    tracing.goOn()
    letGo(task)
  }
}

/** A task that is stopped for its tracer goes on. */
export function letGo(task: Task): void {
  task.hasWork = true
  if (task.state !== 'traced') return
  task.kernel.makeReady(task)
}
