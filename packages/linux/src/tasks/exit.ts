/** The end of tasks and processes (exit(2), exit_group(2)), and what their parents are told. */

import { store } from '../exec/load.ts'
import { undoSemaphores } from '../ipc/semaphores.ts'
import { traceeEnds, tracerEnds } from '../ptrace/stops.ts'
import { ActionFlag, Code, SIG_IGN } from '../signals/queue.ts'
import { sendToGroup, sendToProcess, tellParent } from '../signals/send.ts'
import { Signal } from '../signals/set.ts'
import type { Kernel, Process, Task } from '../system.ts'
import { releaseRobustList } from './futex.ts'
import { leaveNamespaces } from './namespaces.ts'
import { endTimers } from './posix-timers.ts'

/** The task leaves its address space, which ends with the last one. */
export function leaveSpace(kernel: Kernel, task: Task): void {
  const { space } = task
  if (task.clearTid !== 0 && space.users > 1) clearTid(kernel, task)
  if (--space.users > 0) return
  if (space.loaded) {
    // The CPU must not stand on page tables that are given back: it gets others before it runs again.
    space.loaded = false
    kernel.spaceGone(space)
  }
  space.free()
}

/** CLONE_CHILD_CLEARTID: who joins the thread waits for this word. */
function clearTid(kernel: Kernel, task: Task): void {
  store(kernel, task.space, task.clearTid, new Uint8Array(4))
  const physical = task.space.physical(task.clearTid, false)
  if (physical >= 0) kernel.futexes.wake(kernel.futexes.keyOf(task.space, task.clearTid), 1, -1)
}

/** One thread ends. The process lives on, unless it was the last one. */
export function endTask(kernel: Kernel, task: Task, status: number = task.process.status ?? 0): void {
  if (task.state === 'ended') return
  const { process: proc } = task
  traceeEnds(task, status)
  releaseRobustList(kernel, task)
  kernel.withdraw(task)
  task.state = 'ended'
  leaveSpace(kernel, task)
  if (task.vforkParent !== undefined) {
    task.vforkParent.wake()
    task.vforkParent = undefined
  }
  if (--task.files.users === 0) task.files.closeAll(task.process)
  if (--task.contextUsers.count === 0) kernel.vfs.exit(task.context)
  proc.tasks.delete(task)
  const { members } = kernel.groups.tree
  members.exit(task.thread)
  task.stack.free()
  leaveNamespaces(task.ns)
  if (task.tid !== proc.pid) forgetNumber(kernel, task)
}

/** A thread that was no leader: nobody waits for it. */
function forgetNumber(kernel: Kernel, task: Task): void {
  kernel.groups.tree.members.release(task.thread)
  kernel.ns.pid.tasks.delete(task.tid)
  kernel.ns.pid.drop(task.tid)
}

/** exit(2) of one thread. */
export function exitThread(kernel: Kernel, task: Task, status: number): void {
  const { process: proc } = task
  if (proc.tasks.size === 1) {
    endProcess(kernel, proc, status)
    return
  }
  endTask(kernel, task, status)
  if (proc.leader === task) {
    const [next] = proc.tasks
    proc.leader = next!
  }
}

/** All threads end, and the process with them; `status` is wait(2)'s. */
export function endProcess(kernel: Kernel, proc: Process, status: number): void {
  if (proc.status !== undefined) return
  const { leader } = proc
  proc.status = status
  kernel.timers.cancel(proc.alarm)
  undoSemaphores(proc)
  endTimers(proc)
  for (const task of [...proc.tasks]) endTask(kernel, task)
  kernel.observer?.exit?.(leader, status)
  if (leader.ns.pid.init === proc) endNamespace(kernel, leader)
  for (const tracee of tracerEnds(kernel, proc)) tracerKnows(kernel, tracee)
  const reaper = reaperOf(proc)
  for (const child of [...proc.children]) orphan(kernel, child, reaper)
  if (proc.session.id === proc.pid) leaveTerminal(kernel, proc)
  const { parent } = proc
  proc.endQueue.wake()
  if (parent === null) reap(kernel, proc)
  else if (!proc.isHeldByTracer) told(kernel, proc, parent)
  proc.onExit?.(status)
}

/** A process that has ended was waited for by its tracer: now its parent may. */
export function tracerKnows(kernel: Kernel, proc: Process): void {
  if (!proc.isHeldByTracer) return
  proc.isHeldByTracer = false
  if (proc.parent !== null) told(kernel, proc, proc.parent)
}

/** The first process of a pid namespace ends, and with it all that are in it, as by SIGKILL. */
function endNamespace(kernel: Kernel, init: Task): void {
  const { pid } = init.ns
  pid.hasEnded = true
  for (const proc of [...kernel.processes.values()]) {
    if (proc === init.process || pid.local(proc.pid) === 0) continue
    endProcess(kernel, proc, Signal.SIGKILL)
    if (kernel.processes.has(proc.pid)) reap(kernel, proc)
  }
}

/** Who gets the children of a process: the nearest above that takes orphans, or the first one of its namespace. */
function reaperOf(proc: Process): Process | null {
  const { pid } = proc.leader.ns
  for (let above = proc.parent; above !== null; above = above.parent) {
    if (pid.local(above.pid) === 0) break
    if (above.settings.isSubreaper !== 0 && above.status === undefined) return above
  }
  const init = pid.init as Process | undefined
  return init === undefined || init === proc || init.status !== undefined ? null : init
}

/**
 * A child without a parent goes to another one, or to nobody: then the kernel waits for it itself. It may have asked for a
 * signal: PR_SET_PDEATHSIG.
 */
function orphan(kernel: Kernel, child: Process, reaper: Process | null): void {
  const { parent, settings } = child
  if (settings.deathSignal !== 0 && parent !== null && !child.isZombie) {
    const sender = { pid: parent.pid, uid: parent.leader.ids.uid }
    sendToProcess(child, { signal: settings.deathSignal, code: Code.SI_USER, ...sender })
  }
  parent?.children.delete(child)
  child.parent = reaper
  if (reaper === null) {
    if (child.isZombie) reap(kernel, child)
    return
  }
  reaper.children.add(child)
  child.exitSignal = Signal.SIGCHLD
  if (child.isZombie && !child.isHeldByTracer) told(kernel, child, reaper)
}

/** A parent learns that its child has ended; one that does not want to know has it taken away. */
function told(kernel: Kernel, proc: Process, parent: Process): void {
  const status = proc.status!
  const action = parent.leader.actions.get(Signal.SIGCHLD)
  const isUnwanted = action.handler === SIG_IGN || (action.flags & ActionFlag.NOCLDWAIT) !== 0
  const killed = (status & 0x7f) !== 0
  const code = killed ? ((status & 0x80) !== 0 ? Code.CLD_DUMPED : Code.CLD_KILLED) : Code.CLD_EXITED
  tellParent(proc, code, killed ? status & 0x7f : status >> 8)
  if (isUnwanted && proc.exitSignal === Signal.SIGCHLD) reap(kernel, proc)
}

/** A process has been waited for: nothing of it is left. */
export function reap(kernel: Kernel, proc: Process): void {
  const { parent, times } = proc
  if (parent !== null) {
    parent.children.delete(proc)
    parent.times.childrenUser += times.user + times.childrenUser
    parent.times.childrenSystem += times.system + times.childrenSystem
  }
  kernel.processes.delete(proc.pid)
  kernel.ns.pid.tasks.delete(proc.pid)
  const first = proc.member.threads.get(proc.pid)
  if (first !== undefined) kernel.groups.tree.members.release(first)
  proc.giveNumbersBack()
}

/** The leader of a session ends: its terminal hangs up. */
function leaveTerminal(kernel: Kernel, proc: Process): void {
  const { tty } = proc.session
  if (tty === null) return
  proc.session.tty = null
  const group = tty.foreground
  tty.session = 0
  tty.foreground = 0
  if (group !== 0) {
    sendToGroup(kernel, group, { signal: Signal.SIGHUP, code: Code.SI_KERNEL })
    sendToGroup(kernel, group, { signal: Signal.SIGCONT, code: Code.SI_KERNEL })
  }
}
