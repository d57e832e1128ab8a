/** ptrace(2): who traces whom, and how a stopped task goes on. What is read of it and set in it is in `inspect.ts`. */
import { Errno } from '../errno.ts'
import { mayInspect } from '../namespaces/unshare.ts'
import { Code } from '../signals/queue.ts'
import { sendToProcess, sendToTask } from '../signals/send.ts'
import { LAST_SIGNAL, Signal } from '../signals/set.ts'
import type { Process, Task } from '../system.ts'
import { taskOf } from '../tasks/numbers.ts'
import { letGo } from './going-on.ts'
import { inspect } from './inspect.ts'
import { setTrapFlag } from './registers.ts'
import { stopWithGroup, trace, untrace } from './stops.ts'
import { TraceOption, type Tracing } from './tracing.ts'

// biome-ignore format: a table
const Request = {
  TRACEME: 0, CONT: 7, KILL: 8, SINGLESTEP: 9, ATTACH: 16, DETACH: 17, SYSCALL: 24, SYSEMU: 31,
  SETOPTIONS: 0x4200, SEIZE: 0x4206, INTERRUPT: 0x4207, LISTEN: 0x4208,
} as const

const MODES: ReadonlyMap<number, Tracing<Process>['mode']> = new Map([
  [Request.CONT, 'free'],
  [Request.SYSCALL, 'calls'],
  [Request.SINGLESTEP, 'step'],
  [Request.SYSEMU, 'emulate'],
])

export function ptrace(task: Task, request: number, pid: number, address: number, data: number): number {
  if (request === Request.TRACEME) return traceMe(task)
  const target = taskOf(task, pid)
  if (target === undefined || target.state === 'ended') return -Errno.ESRCH
  if (request === Request.ATTACH) return attach(task, target, false, 0)
  if (request === Request.SEIZE)
    return address === 0 && (data & ~TraceOption.ALL) === 0 ? attach(task, target, true, data) : -Errno.EIO
  const { tracing } = target
  if (tracing === undefined || tracing.tracer !== task.process) return -Errno.ESRCH
  if (request === Request.KILL) {
    if (tracing.stop !== undefined) sendToProcess(target.process, { signal: Signal.SIGKILL, code: Code.SI_KERNEL })
    return 0
  }
  if (request === Request.INTERRUPT) return interrupt(target, tracing)
  if (tracing.stop === undefined || tracing.isListening) return -Errno.ESRCH
  const mode = MODES.get(request)
  if (mode !== undefined) return resume(target, tracing, mode, data)
  if (request === Request.DETACH) return detach(target, tracing, data)
  if (request === Request.LISTEN) {
    if (!tracing.isSeized || tracing.stop.code >> 8 === 0) return -Errno.EIO
    tracing.isListening = true
    // What has come since is told at once.
    if (tracing.trap) interrupt(target, tracing)
    return 0
  }
  if (request === Request.SETOPTIONS) {
    if ((data & ~TraceOption.ALL) !== 0) return -Errno.EINVAL
    tracing.options = data
    return 0
  }
  return inspect(task, target, tracing, request, address, data)
}

function traceMe(task: Task): number {
  const { parent } = task.process
  if (task.tracing !== undefined) return -Errno.EPERM
  if (parent === null || task.ns.pid.init === task.process) return -Errno.EPERM
  trace(task, parent, false, 0)
  return 0
}

function attach(task: Task, target: Task, isSeized: boolean, options: number): number {
  if (target.process === task.process || !mayInspect(task, target) || target.tracing !== undefined) return -Errno.EPERM
  const wasStopped = target.state === 'stopped' && target.process.stopSignal !== 0
  const tracing = trace(target, task.process, isSeized, options)
  if (!isSeized) {
    const { ids } = task
    const info = { signal: Signal.SIGSTOP, code: Code.SI_USER, pid: task.process.pid, uid: ids.uid }
    // (One that is stopped with its group tells that once more.)
    if (!wasStopped) sendToTask(target, info)
  }
  if (wasStopped) stopWithGroup(target, tracing)
  return 0
}

/** PTRACE_INTERRUPT: the task stops as soon as it can; one that listens tells its group's stop again. */
function interrupt(target: Task, tracing: Tracing<Process>): number {
  if (!tracing.isSeized) return -Errno.EIO
  if (tracing.isListening) {
    stopWithGroup(target, tracing)
    return 0
  }
  tracing.trap = true
  target.hasWork = true
  if (target.state === 'blocked' && !target.isUninterruptible) target.wake()
  return 0
}

function resume(target: Task, tracing: Tracing<Process>, mode: Tracing<Process>['mode'], signal: number): number {
  if (!isSignal(signal)) return -Errno.EIO
  inject(target, tracing, signal)
  tracing.mode = mode
  if (mode === 'step') tracing.hasTrapFlag = setTrapFlag(target)
  tracing.goOn()
  letGo(target)
  return 0
}

function detach(target: Task, tracing: Tracing<Process>, signal: number): number {
  if (!isSignal(signal)) return -Errno.EIO
  inject(target, tracing, signal)
  if (tracing.passed !== undefined) target.pending.push(tracing.passed)
  tracing.goOn()
  untrace(target)
  return 0
}

function isSignal(signal: number): boolean {
  return signal >= 0 && signal <= LAST_SIGNAL
}

/** The signal that the task goes on with: the one that it stopped at, another one, or none. */
function inject(target: Task, tracing: Tracing<Process>, signal: number): void {
  const { stop, tracer } = tracing
  if (signal === 0 || stop === undefined) return
  const info =
    stop.info?.signal === signal && stop.kind === 'signal'
      ? stop.info
      : { signal, code: Code.SI_USER, pid: tracer.pid, uid: tracer.leader.ids.uid }
  if (stop.kind === 'signal') tracing.passed = info
  else if (stop.kind !== 'event' && stop.kind !== 'group') sendToTask(target, info)
}
