/** Numbers of tasks, groups and sessions as a program gives and gets them: those of its pid namespace (pid_namespaces(7)). */
import type { Process, Task } from '../system.ts'

/** A number of the kernel's, as `task` is told it; 0 where it has none in the task's namespace. */
export function shownPid(task: Task, pid: number): number {
  return task.ns.pid.local(pid)
}

/** A number that a program gives, as the kernel has it; 0 where nobody has it. */
export function givenPid(task: Task, pid: number): number {
  return pid > 0 ? task.ns.pid.global(pid) : 0
}

/** The process of a number that a program gives. */
export function processOf(task: Task, pid: number): Process | undefined {
  const { kernel, ns } = task
  const number = ns.pid.global(pid)
  return kernel.processes.get(number) ?? kernel.ns.pid.tasks.get(number)?.process
}

/** The task of a number that a program gives. */
export function taskOf(task: Task, tid: number): Task | undefined {
  return task.kernel.ns.pid.tasks.get(task.ns.pid.global(tid))
}

/** Processes that a task can see: those of its namespace and of those below. */
export function* visibleProcesses(task: Task): Generator<Process> {
  const { kernel, ns } = task
  for (const proc of kernel.processes.values()) if (ns.pid.local(proc.pid) !== 0) yield proc
}
