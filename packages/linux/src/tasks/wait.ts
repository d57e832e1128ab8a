/** wait4(2) and waitid(2). */
import { Answer, Errno } from '../errno.ts'
import { Code } from '../signals/queue.ts'
import { Signal } from '../signals/set.ts'
import type { Process, Task } from '../system.ts'
import { reap, tracerKnows } from './exit.ts'
import { shownPid } from './numbers.ts'

/** Bits of `options`. */
// biome-ignore format: a table
export const Wait = {
  NOHANG: 1, UNTRACED: 2, STOPPED: 2, EXITED: 4, CONTINUED: 8, NOWAIT: 0x100_0000, NOTHREAD: 0x2000_0000,
  ALL: 0x4000_0000, CLONE: -0x8000_0000,
} as const

/** What has become of a child. */
export interface Waited {
  readonly process: Process
  /** As wait4 stores it. */
  readonly status: number
  /** `si_code` and `si_status` of waitid. */
  readonly code: number
  readonly value: number
  /** The child's number as the waiter knows it, which may be another's by now. */
  readonly number: number
}

/** What `wanted` looks at: of a process, or of a traced thread. */
export interface Numbered {
  readonly pid: number
  readonly group: number
}

/** Waits for a child that `wanted` names. A child; 0 where none has anything to tell and the caller does not wait; or an answer. */
export function waitFor(task: Task, wanted: (child: Numbered) => boolean, options: number): Waited | number {
  const { kernel, process: proc } = task
  const traced = waitForTracee(task, wanted, options)
  if (typeof traced === 'object') return traced
  let any = traced
  for (const child of proc.children) {
    if (!wanted(child) || !ofKind(child, options)) continue
    // Of one that has ended nothing comes but its end.
    if (child.isZombie && (options & Wait.EXITED) === 0) continue
    any = true
    if (child.isHeldByTracer) continue
    const state = stateOf(child, child.leader.tracing?.tracer === proc ? options & ~Wait.STOPPED : options)
    if (state === undefined) continue
    const found = { ...state, number: shownPid(task, child.pid) }
    if ((options & Wait.NOWAIT) === 0) take(task, found)
    return found
  }
  if (!any) return -Errno.ECHILD
  if ((options & Wait.NOHANG) !== 0) return 0
  return kernel.block(proc.childrenQueue, Answer.RESTART)
}

/** Waits for a task that the caller's process traces. One; or whether any is there that is wanted. */
function waitForTracee(task: Task, wanted: (child: Numbered) => boolean, options: number): Waited | boolean {
  const { kernel, process: proc } = task
  let any = false
  for (const tracee of proc.tracees) {
    const { process: theirs, tracing } = tracee
    if (!wanted({ pid: tracee.tid, group: theirs.group })) continue
    any = true
    if (tracing?.stop === undefined || tracing.isTold || tracing.isListening) continue
    if ((options & Wait.NOWAIT) === 0) tracing.isTold = true
    const { code } = tracing.stop
    const status = (code << 8) | 0x7f
    return { process: theirs, status, code: Code.CLD_TRAPPED, value: code, number: shownPid(task, tracee.tid) }
  }
  for (const [n, ended] of proc.endedTracees.entries()) {
    const { tid, status, process: theirs } = ended
    if (!wanted({ pid: tid, group: theirs.group })) continue
    any = true
    if ((options & Wait.EXITED) === 0) continue
    const number = shownPid(task, tid) || tid
    if ((options & Wait.NOWAIT) === 0) {
      proc.endedTracees.splice(n, 1)
      if (ended.isProcess) tracerKnows(kernel, theirs)
    }
    return { process: theirs, status, number, ...reasonOf(status) }
  }
  return any
}

/** `si_code` and `si_status` of an end. */
function reasonOf(status: number): Pick<Waited, 'code' | 'value'> {
  const signal = status & 0x7f
  if (signal === 0) return { code: Code.CLD_EXITED, value: (status >> 8) & 0xff }
  return { code: (status & 0x80) !== 0 ? Code.CLD_DUMPED : Code.CLD_KILLED, value: signal }
}

function ofKind(child: Process, options: number): boolean {
  if ((options & Wait.ALL) !== 0) return true
  return ((options & Wait.CLONE) !== 0) === (child.exitSignal !== Signal.SIGCHLD)
}

function stateOf(proc: Process, options: number): Omit<Waited, 'number'> | undefined {
  const { status } = proc
  if (proc.isZombie && status !== undefined) {
    if ((options & Wait.EXITED) === 0) return undefined
    return { process: proc, status, ...reasonOf(status) }
  }
  if ((options & Wait.STOPPED) !== 0 && proc.stopSignal !== 0 && !proc.stopTold) {
    return { process: proc, status: (proc.stopSignal << 8) | 0x7f, code: Code.CLD_STOPPED, value: proc.stopSignal }
  }
  if ((options & Wait.CONTINUED) !== 0 && !proc.continueTold) {
    return { process: proc, status: 0xffff, code: Code.CLD_CONTINUED, value: Signal.SIGCONT }
  }
  return undefined
}

function take(task: Task, { process: proc, code }: Waited): void {
  if (code === Code.CLD_STOPPED) proc.stopTold = true
  else if (code === Code.CLD_CONTINUED) proc.continueTold = true
  else reap(task.kernel, proc)
}
