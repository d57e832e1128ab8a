/** The end of tasks and processes (exit(2), exit_group(2)), and what their parents are told. */

import { store } from '../exec/load.ts'
import { ActionFlag, Code, SIG_IGN } from '../signals/queue.ts'
import { sendToGroup, sendToProcess, tellParent } from '../signals/send.ts'
import { Signal } from '../signals/set.ts'
import type { Kernel, Process, Task } from '../system.ts'
import { releaseRobustList } from './futex.ts'
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
export function endTask(kernel: Kernel, task: Task): void {
  if (task.state === 'ended') return
  const { process: proc } = task
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
  if (task.tid !== proc.pid) task.ns.pid.tasks.delete(task.tid)
  task.process.account.uncharge('pids', 1)
}

/** exit(2) of one thread. */
export function exitThread(kernel: Kernel, task: Task, status: number): void {
  const { process: proc } = task
  if (proc.tasks.size === 1) {
    endProcess(kernel, proc, status)
    return
  }
  endTask(kernel, task)
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
  endTimers(proc)
  for (const task of [...proc.tasks]) endTask(kernel, task)
  // The number of the process stays taken until it has been waited for.
  leader.ns.pid.tasks.set(proc.pid, leader)
  kernel.observer?.exit?.(leader, status)
  for (const child of [...proc.children]) orphan(kernel, child)
  if (proc.session.id === proc.pid) leaveTerminal(kernel, proc)
  const { parent } = proc
  const action = parent?.leader.actions.get(Signal.SIGCHLD)
  const unwanted = action !== undefined && (action.handler === SIG_IGN || (action.flags & ActionFlag.NOCLDWAIT) !== 0)
  const killed = (status & 0x7f) !== 0
  if (parent !== null) {
    const code = killed ? ((status & 0x80) !== 0 ? Code.CLD_DUMPED : Code.CLD_KILLED) : Code.CLD_EXITED
    tellParent(proc, code, killed ? status & 0x7f : status >> 8)
  }
  if (parent === null || (unwanted && proc.exitSignal === Signal.SIGCHLD)) reap(kernel, proc)
  proc.onExit?.(status)
}

/** A child without a parent goes to nobody: the kernel waits for it itself. It may have asked for a signal: PR_SET_PDEATHSIG. */
function orphan(kernel: Kernel, child: Process): void {
  const { deathSignal } = child.settings
  if (deathSignal !== 0 && !child.isZombie)
    sendToProcess(child, { signal: deathSignal, code: Code.SI_USER, pid: child.parent?.pid ?? 0, uid: 0 })
  child.parent?.children.delete(child)
  child.parent = null
  if (child.isZombie) reap(kernel, child)
}

/** A process has been waited for: nothing of it is left. */
export function reap(kernel: Kernel, proc: Process): void {
  const { parent, times } = proc
  if (parent !== null) {
    parent.children.delete(proc)
    parent.times.childrenUser += times.user + times.childrenUser
    parent.times.childrenSystem += times.system + times.childrenSystem
  }
  proc.leader.ns.pid.tasks.delete(proc.pid)
  kernel.processes.delete(proc.pid)
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
