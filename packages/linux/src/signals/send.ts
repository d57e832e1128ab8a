/** Sending signals (kill(2), signal(7)). */
import { groupGoesOn } from '../ptrace/going-on.ts'
import type { Kernel, Process, Task } from '../system.ts'
import { Limit } from '../tasks/limits.ts'
import { ActionFlag, Code, SIG_DFL, SIG_IGN, type SignalActions, type SignalInfo, type SignalQueue } from './queue.ts'
import { defaultAction, Signal } from './set.ts'

/** Signals that wait at the most, whatever the limit is. */
const MOST_PENDING = 100_000
const STOPS: readonly number[] = [Signal.SIGSTOP, Signal.SIGTSTP, Signal.SIGTTIN, Signal.SIGTTOU]

/** Would the signal be thrown away, were it delivered now? */
export function isIgnored(actions: SignalActions, signal: number): boolean {
  const { handler } = actions.get(signal)
  return handler === SIG_IGN || (handler === SIG_DFL && defaultAction(signal) === 'ignore')
}

/** A signal that cannot wait: one that is blocked or ignored ends the process. */
export function forceSignal(task: Task, info: SignalInfo): void {
  const action = task.actions.get(info.signal)
  if (task.blocked.has(info.signal) || action.handler === SIG_IGN) {
    task.actions.set(info.signal, { ...action, handler: SIG_DFL })
    task.blocked.delete(info.signal)
  }
  task.pending.push({ ...info, isForced: true })
  task.hasWork = true
}

/** The same as the receiver is told it: numbers and users of its own namespaces. */
function toldTo(task: Task, info: SignalInfo): SignalInfo {
  const { ns, ids } = task
  if (info.pid === undefined || (ns.pid.parent === null && ids.user.parent === null)) return info
  const uid = info.uid === undefined ? {} : { uid: ids.user.uids.shown(info.uid) }
  const { sender } = info
  const pid = sender !== undefined && ns.pid.local(sender) !== 0 ? info.pid : ns.pid.local(sender ?? info.pid)
  return { ...info, pid, ...uid }
}

/**
 * The first process of a pid namespace gets only signals that it handles; from outside also those that nobody can handle
 * (pid_namespaces(7)).
 */
function isProtected(task: Task, info: SignalInfo): boolean {
  const { ns, process: proc, actions } = task
  if (ns.pid.init !== proc || actions.get(info.signal).handler !== SIG_DFL) return false
  const sender = info.sender ?? info.pid
  const isFromOutside = sender === undefined || ns.pid.local(sender) === 0
  return !isFromOutside || (info.signal !== Signal.SIGKILL && info.signal !== Signal.SIGSTOP)
}

/** A signal for a process: whichever thread does not block it takes it. */
export function sendToProcess(proc: Process, info: SignalInfo): void {
  if (proc.status !== undefined || proc.tasks.size === 0) return
  const { leader } = proc
  if (isProtected(leader, info) && !leader.blocked.has(info.signal)) return
  prepare(proc, info.signal)
  if (dropped(leader, info.signal)) return
  if (!hasRoom(proc, proc.pending, info)) return
  proc.pending.push(toldTo(leader, info))
  proc.signalQueue.wake()
  for (const task of proc.tasks) {
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
  if (info.signal === Signal.SIGKILL) {
    sendToProcess(task.process, info)
    return
  }
  if (isProtected(task, info) && !task.blocked.has(info.signal)) return
  prepare(task.process, info.signal)
  if (dropped(task, info.signal)) return
  if (!hasRoom(task.process, task.pending, info)) return
  task.pending.push(toldTo(task, info))
  task.process.signalQueue.wake()
  if (task.waitedSignals?.has(info.signal)) task.wake()
  else if (!task.blocked.has(info.signal)) notify(task, info.signal)
}

/** Ignored signals are not kept, unless they are blocked: they may be handled when they no longer are. A tracer sees them all. */
function dropped(task: Task, signal: number): boolean {
  return isIgnored(task.actions, signal) && !task.blocked.has(signal) && task.tracing === undefined
}

/**
 * Real-time signals wait as often as they are sent, up to a limit; with more, each of them only once. (Those of timers do
 * so anyway.)
 */
function hasRoom({ limits }: Process, pending: SignalQueue, { signal, timer }: SignalInfo): boolean {
  if (signal < 32 || timer !== undefined || !pending.set.has(signal)) return true
  return pending.size < Math.min(limits.soft[Limit.SIGPENDING]!, MOST_PENDING)
}

/** Stops and SIGCONT take each other away; SIGCONT and SIGKILL make a stopped process go on. */
function prepare(proc: Process, signal: number): void {
  if (signal === Signal.SIGCONT) {
    for (const stop of STOPS) drop(proc, stop)
    resume(proc)
  } else if (STOPS.includes(signal)) drop(proc, Signal.SIGCONT)
  else if (signal === Signal.SIGKILL) resume(proc)
}

function drop(proc: Process, signal: number): void {
  proc.pending.drop(signal)
  for (const task of proc.tasks) task.pending.drop(signal)
}

function resume(proc: Process): void {
  if (proc.stopSignal === 0) return
  proc.stopSignal = 0
  proc.continueTold = false
  for (const task of proc.tasks) {
    if (task.tracing !== undefined) groupGoesOn(task, task.tracing)
    if (task.state !== 'stopped') continue
    task.hasWork = true
    proc.leader.kernel.makeReady(task)
  }
  tellParent(proc, Code.CLD_CONTINUED, Signal.SIGCONT)
}

function notify(task: Task, signal: number): void {
  task.hasWork = true
  if (task.state === 'blocked' && (!task.isUninterruptible || signal === Signal.SIGKILL)) task.wake()
  else if (signal !== Signal.SIGKILL) return
  // (Its group may be frozen.)
  else if (task.state === 'stopped') task.kernel.makeReady(task)
  else if (task.state === 'traced') {
    task.tracing?.goOn()
    task.kernel.makeReady(task)
  }
}

/** SIGCHLD for the tracer of a task, and whoever waits there. */
export function tellTracer(tracer: Process, task: Task, code: number, status: number): void {
  const isStop = code === Code.CLD_TRAPPED
  const wanted = !isStop || (tracer.leader.actions.get(Signal.SIGCHLD).flags & ActionFlag.NOCLDSTOP) === 0
  const info = { signal: Signal.SIGCHLD, code, pid: task.tid, uid: task.ids.uid, status }
  if (wanted) sendToProcess(tracer, info)
  tracer.childrenQueue.wake()
}

/** SIGCHLD, and whoever waits for a child. */
export function tellParent(proc: Process, code: number, status: number): void {
  const { parent } = proc
  if (parent === null) return
  const isStop = code === Code.CLD_STOPPED || code === Code.CLD_CONTINUED
  const wanted = !isStop || (parent.leader.actions.get(Signal.SIGCHLD).flags & ActionFlag.NOCLDSTOP) === 0
  if (proc.exitSignal !== 0 && wanted) {
    sendToProcess(parent, {
      signal: proc.exitSignal || Signal.SIGCHLD,
      code,
      pid: proc.pid,
      uid: proc.leader.ids.uid,
      status,
    })
  }
  parent.childrenQueue.wake()
}

/** A signal for all processes of a group. Answers how many there are. */
export function sendToGroup(kernel: Kernel, group: number, info: SignalInfo): number {
  let count = 0
  for (const proc of kernel.processes.values()) {
    if (proc.group !== group || proc.isZombie) continue
    sendToProcess(proc, info)
    count++
  }
  return count
}

/** ITIMER_REAL has run out. */
export function alarmFired(kernel: Kernel, proc: Process): void {
  sendToProcess(proc, { signal: Signal.SIGALRM, code: Code.SI_KERNEL })
  if (proc.alarmPeriod > 0 && proc.status === undefined) {
    kernel.timers.set(proc.alarm, proc.alarm.when + proc.alarmPeriod)
  }
}
