/** What is done with signals on the way back to user code (signal(7)). */
import { Flag, Gpr } from '@vmexit/x86'
import { Answer, Errno } from '../errno.ts'
import { stopAtHandler, stopsAtEnd, stopsAtSignal, stopsOwed, stopWithGroup } from '../ptrace/stops.ts'
import type { Kernel, Task } from '../system.ts'
import { endProcess } from '../tasks/exit.ts'
import { pushFrame } from './frame.ts'
import { ActionFlag, Code, SIG_DFL, SIG_IGN, type SignalInfo } from './queue.ts'
import { tellParent } from './send.ts'
import { defaultAction, Signal, type SignalSet, SYNCHRONOUS } from './set.ts'

/** INT 80h has two bytes. */
const CALL_BYTES = 2

/**
 * The current task is about to go on in user code: one signal with a handler is delivered, or those without have their effect. A
 * call that was interrupted is made again if nothing handles the signal, or its handler says so.
 */
export function deliverSignals(kernel: Kernel, task: Task): void {
  const { tracing } = task
  if (tracing !== undefined && stopsOwed(task, tracing)) return
  for (;;) {
    const passed = tracing?.passed
    if (passed !== undefined && isBlocked(task, passed)) {
      tracing!.passed = undefined
      task.pending.push(passed)
      continue
    }
    const info = passed ?? nextSignal(task)
    if (info === undefined) break
    if (passed === undefined && stopsAtSignal(task, info)) return
    if (passed !== undefined) tracing!.passed = undefined
    kernel.counts.signals++
    kernel.observer?.signal?.(task, info.signal)
    const action = task.actions.get(info.signal)
    if (action.handler === SIG_IGN) continue
    if (action.handler === SIG_DFL) {
      const what = defaultAction(info.signal)
      if (isSpared(task, info)) continue
      if (what === 'ignore' || what === 'continue') continue
      if (what === 'stop') {
        if (info.signal !== Signal.SIGSTOP && isOrphaned(kernel, task)) continue
        stop(kernel, task, info.signal)
        return
      }
      const status = info.signal | (what === 'core' && task.process.limits.soft[4]! > 0 ? 0x80 : 0)
      if (!stopsAtEnd(task, info, status)) endProcess(kernel, task.process, status)
      return
    }
    if (task.restart !== 0) {
      if (task.restart === Answer.RESTART && (action.flags & ActionFlag.RESTART) !== 0) again(kernel, task)
      else kernel.cpu.state.setReg32(Gpr.ax, -Errno.EINTR)
      task.restart = 0
    }
    const isStepping = tracing !== undefined && tracing.mode === 'step'
    if (isStepping) kernel.cpu.state.setFlag(Flag.TF, false)
    const mask = task.savedMask ?? task.blocked
    task.savedMask = undefined
    if (!pushFrame(kernel, task, info, action, mask)) {
      task.actions.set(Signal.SIGSEGV, { ...action, handler: SIG_DFL })
      endProcess(kernel, task.process, Signal.SIGSEGV)
      return
    }
    const blocked = task.blocked.copy()
    blocked.low |= action.mask.low
    blocked.high |= action.mask.high
    if ((action.flags & ActionFlag.NODEFER) === 0) blocked.add(info.signal)
    task.blocked.setMask(blocked.low, blocked.high)
    if ((action.flags & ActionFlag.RESETHAND) !== 0) task.actions.set(info.signal, { ...action, handler: SIG_DFL })
    if (isStepping) stopAtHandler(task, tracing)
    // More may wait: they are delivered on top, as the handler begins.
    if (task.hasSignal) task.hasWork = true
    return
  }
  finishRestart(kernel, task)
  if (task.savedMask !== undefined) {
    const mask: SignalSet = task.savedMask
    task.savedMask = undefined
    task.blocked.setMask(mask.low, mask.high)
    if (task.hasSignal) task.hasWork = true
  }
}

/** A signal of its own kind that the first process of a namespace does not handle, and has let wait. */
function isSpared({ ns, process: proc }: Task, { signal, isForced }: SignalInfo): boolean {
  return ns.pid.init === proc && isForced !== true && signal !== Signal.SIGKILL && signal !== Signal.SIGSTOP
}

/** No handler ran: an interrupted call is made again. */
function finishRestart(kernel: Kernel, task: Task): void {
  if (task.restart === 0) return
  if (task.restart === Answer.RESTART_NOHAND) task.keptDeadline = task.deadline
  task.restart = 0
  again(kernel, task)
}

function again(kernel: Kernel, task: Task): void {
  const { state } = kernel.cpu
  state.ip -= CALL_BYTES
  state.setReg32(Gpr.ax, task.call)
}

/** Faults first, then by number; a thread's own before its process's. */
function nextSignal(task: Task): SignalInfo | undefined {
  const { pending, blocked, process: proc } = task
  if (proc.pending.set.has(Signal.SIGKILL)) return proc.pending.take(Signal.SIGKILL)
  if (pending.set.has(Signal.SIGKILL)) return pending.take(Signal.SIGKILL)
  for (const signal of SYNCHRONOUS) if (pending.set.has(signal) && !blocked.has(signal)) return pending.take(signal)
  const own = pending.set.first(blocked)
  if (own !== 0) return pending.take(own)
  const shared = proc.pending.set.first(blocked)
  return shared === 0 ? undefined : proc.pending.take(shared)
}

function stop(kernel: Kernel, task: Task, signal: number): void {
  const { process: proc } = task
  proc.stopSignal = signal
  proc.stopTold = false
  for (const other of proc.tasks) {
    if (other.tracing !== undefined) {
      if (other === task) stopWithGroup(other, other.tracing)
      else {
        other.tracing.trap = true
        other.hasWork = true
        other.wake()
      }
      continue
    }
    if (other !== task && other.state === 'blocked') continue
    kernel.withdraw(other)
    other.state = 'stopped'
    other.hasWork = true
  }
  if (task.tracing?.tracer !== proc.parent) tellParent(proc, Code.CLD_STOPPED, signal)
}

function isBlocked(task: Task, { signal }: SignalInfo): boolean {
  return task.blocked.has(signal) && signal !== Signal.SIGKILL && signal !== Signal.SIGSTOP
}

/** A process group of which nobody's parent is in the same session and another group: nobody would make it go on. */
function isOrphaned(kernel: Kernel, task: Task): boolean {
  const { group, session } = task.process
  for (const proc of kernel.processes.values()) {
    const { parent } = proc
    if (proc.group !== group || parent === null || proc.isZombie) continue
    if (parent.session === session && parent.group !== group) return false
  }
  return true
}
