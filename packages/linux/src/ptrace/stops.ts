/**
 * Stops of traced tasks (ptrace(2), "Stopped states"): at signals, at calls, at events, with their group. A task that is stopped is in
 * no queue; its registers lie in `task.registers`. What is done with it is in `requests.ts`.
 */
import { Flag, Gpr } from '@vmexit/x86'
import { Answer, Errno } from '../errno.ts'
import { Code, type SignalInfo } from '../signals/queue.ts'
import { forceSignal, sendToProcess, tellTracer } from '../signals/send.ts'
import { Signal } from '../signals/set.ts'
import type { Kernel, Process, Task } from '../system.ts'
import { letGo } from './going-on.ts'
import { TraceEvent, TraceOption, type TraceStop, Tracing } from './tracing.ts'

/** `ERESTARTSYS`, `ERESTARTNOHAND`, and `ERESTART_RESTARTBLOCK` of what ends at a time, which only tracers see. */
function restartCode({ deadline }: Task, restart: number): number | undefined {
  if (restart === Answer.RESTART) return -512
  if (restart !== Answer.RESTART_NOHAND) return undefined
  return deadline === Number.POSITIVE_INFINITY ? -514 : -516
}

/** Somebody traces a task from now on. */
export function trace(task: Task, tracer: Process, isSeized: boolean, options: number): Tracing<Process> {
  const tracing = new Tracing(tracer, isSeized, options)
  task.tracing = tracing
  tracer.tracees.add(task)
  return tracing
}

/** The task leaves the CPU, and its tracer learns why. */
function stopTraced(task: Task, tracing: Tracing<Process>, stop: TraceStop, message = 0): void {
  const { kernel } = task
  if (task.state !== 'stopped') kernel.withdraw(task)
  if (tracing.hasTrapFlag) {
    task.registers.setFlag(Flag.TF, false)
    tracing.hasTrapFlag = false
  }
  task.state = 'traced'
  tracing.stop = stop
  tracing.isTold = false
  tracing.isListening = false
  tracing.message = message
  tellTracer(tracing.tracer, task, Code.CLD_TRAPPED, stop.code & 0xff)
}

function trapInfo(task: Task, code: number): SignalInfo {
  const { ids } = task
  return { signal: Signal.SIGTRAP, code, pid: task.tid, uid: ids.uid }
}

function stopForEvent(task: Task, tracing: Tracing<Process>, event: number, message: number): void {
  const code = (event << 8) | Signal.SIGTRAP
  stopTraced(task, tracing, { kind: 'event', code, info: trapInfo(task, code) }, message)
}

/** It stops with its group, or because it was asked to. */
export function stopWithGroup(task: Task, tracing: Tracing<Process>): void {
  const { stopSignal } = task.process
  tracing.trap = false
  if (!tracing.isSeized) {
    stopTraced(task, tracing, { kind: 'group', code: stopSignal, info: undefined })
    return
  }
  const signal = stopSignal === 0 ? Signal.SIGTRAP : stopSignal
  const code = (TraceEvent.STOP << 8) | signal
  const info = { ...trapInfo(task, code), signal }
  stopTraced(task, tracing, { kind: stopSignal === 0 ? 'event' : 'group', code, info })
}

/** What is owed before the task goes on to signals and to user code: it has stopped. */
export function stopsOwed(task: Task, tracing: Tracing<Process>): boolean {
  const { owed } = tracing
  if (owed !== undefined) {
    tracing.owed = undefined
    stopForEvent(task, tracing, owed.event, owed.message)
    return true
  }
  if (tracing.owesExit) {
    tracing.owesExit = false
    if (tracing.mode === 'calls' && !isDying(task)) {
      stopAtCall(task, tracing, 'exit')
      return true
    }
  }
  if (!tracing.trap || isDying(task)) return false
  if (tracing.isSeized || task.process.stopSignal !== 0) {
    stopWithGroup(task, tracing)
    return true
  }
  tracing.trap = false
  return false
}

/** SIGKILL waits: nothing else counts. */
function isDying({ process: proc, pending }: Task): boolean {
  return proc.pending.set.has(Signal.SIGKILL) || pending.set.has(Signal.SIGKILL)
}

function stopAtCall(task: Task, tracing: Tracing<Process>, kind: 'entry' | 'exit'): void {
  const isGood = (tracing.options & TraceOption.TRACESYSGOOD) !== 0
  const code = isGood ? Signal.SIGTRAP | 0x80 : Signal.SIGTRAP
  stopTraced(task, tracing, { kind, code, info: trapInfo(task, code) }, kind === 'entry' ? 1 : 2)
}

/** The current task is about to make a call: it has stopped, and makes it when it goes on. */
export function stopsAtEntry(task: Task, tracing: Tracing<Process>): boolean {
  if (tracing.mode !== 'calls' && tracing.mode !== 'emulate') return false
  task.kernel.cpu.state.setReg32(Gpr.ax, -Errno.ENOSYS)
  task.inCall = true
  task.entry = tracing.mode === 'emulate' ? 'skip' : 'ask'
  stopAtCall(task, tracing, 'entry')
  return true
}

/** The current task's call is over. `restart` is how it was interrupted, or 0. */
export function callEnds(task: Task, tracing: Tracing<Process>, restart: number): void {
  if (task.state === 'ended') return
  const shown = restartCode(task, restart)
  if (shown !== undefined) task.kernel.cpu.state.setReg32(Gpr.ax, shown)
  if (tracing.mode === 'step') forceSignal(task, { signal: Signal.SIGTRAP, code: Code.TRAP_BRKPT })
  tracing.owesExit = true
  task.hasWork = true
}

/** An event in the middle of a call, which waits: the task has stopped, and the call is made again when it goes on. */
export function stopsInCall(task: Task, tracing: Tracing<Process>): boolean {
  const { owed } = tracing
  if (owed === undefined) return false
  tracing.owed = undefined
  task.inCall = true
  stopForEvent(task, tracing, owed.event, owed.message)
  return true
}

/** A signal is about to be delivered: the tracer is asked, and the task has stopped. */
export function stopsAtSignal(task: Task, info: SignalInfo): boolean {
  const { tracing } = task
  if (tracing === undefined || info.signal === Signal.SIGKILL) return false
  stopTraced(task, tracing, { kind: 'signal', code: info.signal, info })
  return true
}

/** A step that leads into a handler ends at its begin. */
export function stopAtHandler(task: Task, tracing: Tracing<Process>): void {
  stopTraced(task, tracing, { kind: 'exit', code: Signal.SIGTRAP, info: trapInfo(task, Signal.SIGTRAP) })
}

/** The task is to end by a signal, with this status: its tracer learns of it while there is a task to look at. */
export function stopsAtEnd(task: Task, info: SignalInfo, status: number): boolean {
  const { tracing } = task
  if (tracing === undefined || tracing.hasToldExit || !tracing.wants(TraceEvent.EXIT)) return false
  tracing.hasToldExit = true
  // Behind the stop it ends by the same signal, and nobody is asked again.
  tracing.passed = info
  stopForEvent(task, tracing, TraceEvent.EXIT, status)
  return true
}

/** The same of exit(2): the call waits for the tracer. False where it need not. */
export function owesEnd({ tracing }: Task, status: number): boolean {
  if (tracing === undefined || tracing.hasToldExit || !tracing.owe(TraceEvent.EXIT, status)) return false
  tracing.hasToldExit = true
  return true
}

/** A traced task has made another one, which its tracer traces too. */
export function traceChild(task: Task, child: Task, event: number, isWanted: boolean): void {
  const { tracing } = task
  if (tracing === undefined || !(isWanted || tracing.wants(event))) return
  const { tracer, isSeized, options } = tracing
  const theirs = trace(child, tracer, isSeized, options)
  if (isSeized) theirs.trap = true
  else child.pending.push({ signal: Signal.SIGSTOP, code: Code.SI_USER })
  child.hasWork = true
  tracing.owe(event, tracer.leader.ns.pid.local(child.tid))
}

/** A program has been executed: an event, or for tracers that do not know of it a signal. */
export function tellExec(task: Task): void {
  const { tracing } = task
  if (tracing === undefined) return
  const { tracer } = tracing
  if (tracing.owe(TraceEvent.EXEC, tracer.leader.ns.pid.local(task.tid)) || tracing.isSeized) return
  task.pending.push({ signal: Signal.SIGTRAP, code: Code.SI_USER, pid: task.tid, uid: task.ids.uid })
}

/** Nobody traces the task from now on; if it is stopped it goes on, or stays stopped with its group. */
export function untrace(task: Task): void {
  const { tracing } = task
  if (tracing === undefined) return
  task.tracing = undefined
  tracing.tracer.tracees.delete(task)
  if (tracing.hasTrapFlag && task.state !== 'ended') clearTrapFlag(task)
  letGo(task)
}

function clearTrapFlag(task: Task): void {
  if (task.kernel.current === task) task.kernel.cpu.state.setFlag(Flag.TF, false)
  else task.registers.setFlag(Flag.TF, false)
}

/** A task ends: its tracer gets to know. True where its process's parent is to be told later, by {@link tracerKnows}. */
export function traceeEnds(task: Task, status: number): void {
  const { tracing, process: proc } = task
  if (tracing === undefined) return
  const { tracer } = tracing
  tracer.tracees.delete(task)
  task.tracing = undefined
  const isProcess = proc.leader === task && proc.status !== undefined
  // A parent that traces its child waits for it as parents do.
  if (isProcess && proc.parent === tracer) return
  if (tracer.status !== undefined) return
  tracer.endedTracees.push({ tid: task.tid, process: proc, status, isProcess })
  if (isProcess) proc.isHeldByTracer = true
  const signal = status & 0x7f
  tellTracer(tracer, task, signal === 0 ? Code.CLD_EXITED : Code.CLD_KILLED, signal === 0 ? status >> 8 : signal)
}

/** A process ends that traces others: they go on, or end with it. */
export function tracerEnds(kernel: Kernel, proc: Process): readonly Process[] {
  for (const task of [...proc.tracees]) {
    const dies = ((task.tracing?.options ?? 0) & TraceOption.EXITKILL) !== 0
    untrace(task)
    if (dies) sendToProcess(task.process, { signal: Signal.SIGKILL, code: Code.SI_KERNEL })
  }
  const held = proc.endedTracees.filter(({ isProcess }) => isProcess).map(({ process: tracee }) => tracee)
  proc.endedTracees.length = 0
  return held.filter((tracee) => kernel.processes.has(tracee.pid))
}
