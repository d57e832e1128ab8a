/** Sending signals (kill(2), signal(7)). */
import type { Kernel } from '../kernel.ts'
import type { Process } from '../tasks/process.ts'
import type { Task } from '../tasks/task.ts'
import { Code, type SignalActions, type SignalInfo, SIG_DFL, SIG_IGN } from './queue.ts'
import { defaultAction, Signal } from './set.ts'

const STOPS: readonly number[] = [Signal.SIGSTOP, Signal.SIGTSTP, Signal.SIGTTIN, Signal.SIGTTOU]

/** Would the signal be thrown away, were it delivered now? */
export function isIgnored(actions: SignalActions, signal: number): boolean {
  const { handler } = actions.get(signal)
  return handler === SIG_IGN || (handler === SIG_DFL && defaultAction(signal) === 'ignore')
}

/** A signal for a process: whichever thread does not block it takes it. */
export function sendToProcess(process: Process, info: SignalInfo): void {
  if (process.status !== undefined || process.tasks.size === 0) return
  prepare(process, info.signal)
  const { leader } = process
  if (dropped(leader, info.signal)) return
  process.pending.push(info)
  for (const task of process.tasks) {
    if (task.waitedSignals?.has(info.signal)) {
      task.waitedSignals = undefined
      task.wake()
      return
    }
    if (info.signal !== Signal.SIGKILL && task.blocked.has(info.signal)) continue
    notify(task, info.signal)
    if (info.signal !== Signal.SIGKILL) return
  }
}

/** A signal for one thread. */
export function sendToTask(task: Task, info: SignalInfo): void {
  if (task.state === 'ended' || task.process.status !== undefined) return
  prepare(task.process, info.signal)
  if (dropped(task, info.signal)) return
  task.pending.push(info)
  if (task.waitedSignals?.has(info.signal)) task.wake()
  else if (!task.blocked.has(info.signal)) notify(task, info.signal)
}

/** Ignored signals are not kept, unless they are blocked: they may be handled when they no longer are. */
function dropped(task: Task, signal: number): boolean {
  return isIgnored(task.actions, signal) && !task.blocked.has(signal)
}

/** Stops and SIGCONT take each other away; SIGCONT and SIGKILL make a stopped process go on. */
function prepare(process: Process, signal: number): void {
  if (signal === Signal.SIGCONT) {
    for (const stop of STOPS) drop(process, stop)
    resume(process)
  } else if (STOPS.includes(signal)) drop(process, Signal.SIGCONT)
  else if (signal === Signal.SIGKILL) resume(process)
}

function drop(process: Process, signal: number): void {
  process.pending.drop(signal)
  for (const task of process.tasks) task.pending.drop(signal)
}

function resume(process: Process): void {
  if (process.stopSignal === 0) return
  process.stopSignal = 0
  process.continueTold = false
  for (const task of process.tasks) {
    if (task.state !== 'stopped') continue
    task.hasWork = true
    process.leader.kernel.makeReady(task)
  }
  tellParent(process, Code.CLD_CONTINUED, Signal.SIGCONT)
}

function notify(task: Task, signal: number): void {
  task.hasWork = true
  if (task.state === 'blocked' && (!task.isUninterruptible || signal === Signal.SIGKILL)) task.wake()
}

/** SIGCHLD, and whoever waits for a child. */
export function tellParent(process: Process, code: number, status: number): void {
  const { parent } = process
  if (parent === null) return
  if (process.exitSignal !== 0) {
    sendToProcess(parent, { signal: process.exitSignal || Signal.SIGCHLD, code, pid: process.pid, uid: process.leader.ids.uid, status })
  }
  parent.childrenQueue.wake()
}

/** A signal for all processes of a group. Answers how many there are. */
export function sendToGroup(kernel: Kernel, group: number, info: SignalInfo): number {
  let count = 0
  for (const process of kernel.processes.values()) {
    if (process.group !== group || process.isZombie) continue
    sendToProcess(process, info)
    count++
  }
  return count
}

/** ITIMER_REAL has run out. */
export function alarmFired(kernel: Kernel, process: Process): void {
  sendToProcess(process, { signal: Signal.SIGALRM, code: Code.SI_KERNEL })
  if (process.alarmPeriod > 0 && process.status === undefined) {
    kernel.timers.set(process.alarm, process.alarm.when + process.alarmPeriod)
  }
}
