/** Calls on signals: rt_sigaction(2), rt_sigprocmask(2), kill(2), sigsuspend(2), sigaltstack(2). */

import { Gpr } from '@vmexit/x86'
import { Answer, Errno } from '../errno.ts'
import type { Process, Task } from '../system.ts'
import { givenPid, processOf, shownPid, taskOf, visibleProcesses } from '../tasks/numbers.ts'
import { onAltStack, putInfo } from './frame.ts'
import { maySignal } from './permission.ts'
import { Code, SIG_DFL, SIG_IGN, type SignalInfo } from './queue.ts'
import { sendToProcess, sendToTask } from './send.ts'
import { defaultAction, Signal, SignalSet } from './set.ts'

const LAST = 64
const SET_BYTES = 8
const MIN_STACK = 2048

/** rt_sigaction(2). The structure: handler, flags, restorer, mask. */
export function rtSigaction(task: Task, signal: number, at: number, old: number, bytes: number): number {
  const { memory } = task.kernel
  if (bytes !== SET_BYTES || signal < 1 || signal > LAST) return -Errno.EINVAL
  const word = (n: number): number => memory.get32(at + n * 4)
  const wanted =
    at === 0
      ? undefined
      : { handler: word(0), flags: word(1) | 0, restorer: word(2), mask: new SignalSet(word(3) | 0, word(4) | 0) }
  if (wanted !== undefined && (signal === Signal.SIGKILL || signal === Signal.SIGSTOP)) return -Errno.EINVAL
  const before = task.actions.get(signal)
  if (old !== 0) {
    const words = Int32Array.of(before.handler, before.flags, before.restorer, before.mask.low, before.mask.high)
    memory.write(old, new Uint8Array(words.buffer))
  }
  if (wanted === undefined) return 0
  task.actions.set(signal, wanted)
  if (wanted.handler === SIG_IGN || (wanted.handler === SIG_DFL && defaultAction(signal) === 'ignore')) {
    task.process.pending.drop(signal)
    for (const other of task.process.tasks) other.pending.drop(signal)
  }
  return 0
}

/** signal(2): one-shot, without a mask. */
export function signal(task: Task, number: number, handler: number): number {
  if (number < 1 || number > LAST || number === Signal.SIGKILL || number === Signal.SIGSTOP) return -Errno.EINVAL
  const before = task.actions.get(number).handler
  const RESETHAND_NODEFER = 0xc000_0000 | 0
  task.actions.set(number, { handler, flags: RESETHAND_NODEFER, restorer: 0, mask: new SignalSet() })
  return before >>> 0
}

/** A mask at an address. @throws BAD_ADDRESS. */
export function readSet(task: Task, at: number): SignalSet {
  const { memory } = task.kernel
  return new SignalSet(memory.get32(at) | 0, memory.get32(at + 4) | 0)
}

export function rtSigprocmask(task: Task, how: number, at: number, old: number, bytes: number): number {
  if (bytes !== SET_BYTES) return -Errno.EINVAL
  const { blocked } = task
  const { low, high } = blocked
  if (at !== 0) {
    const set = readSet(task, at)
    if (how === 0) blocked.setMask(low | set.low, high | set.high)
    else if (how === 1) blocked.setMask(low & ~set.low, high & ~set.high)
    else if (how === 2) blocked.setMask(set.low, set.high)
    else return -Errno.EINVAL
    if (task.hasSignal) task.hasWork = true
  }
  if (old !== 0) {
    task.kernel.memory.set32(old, low)
    task.kernel.memory.set32(old + 4, high)
  }
  return 0
}

export function rtSigpending(task: Task, at: number): number {
  const { pending, process: proc, kernel } = task
  kernel.memory.set32(at, (pending.set.low | proc.pending.set.low) & task.blocked.low)
  kernel.memory.set32(at + 4, (pending.set.high | proc.pending.set.high) & task.blocked.high)
  return 0
}

/** For the time of a call, another mask; `deliverSignals` puts the old one back. */
export function withMask(task: Task, mask: SignalSet | undefined): void {
  if (mask === undefined || task.savedMask !== undefined) return
  task.savedMask = task.blocked.copy()
  task.blocked.setMask(mask.low, mask.high)
  // Whatever comes of the call, the mask goes back.
  task.hasWork = true
}

export function rtSigsuspend(task: Task, at: number, bytes: number): number {
  if (bytes !== SET_BYTES) return -Errno.EINVAL
  if (task.savedMask === undefined) withMask(task, readSet(task, at))
  return task.kernel.block(undefined, Answer.RESTART_NOHAND)
}

export function pause(task: Task): number {
  return task.kernel.block(undefined, Answer.RESTART_NOHAND)
}

/** rt_sigtimedwait(2). */
export function rtSigtimedwait(
  task: Task,
  at: number,
  info: number,
  deadline: number | undefined,
  bytes: number,
): number {
  const { kernel } = task
  if (bytes !== SET_BYTES || deadline === undefined) return -Errno.EINVAL
  const set = readSet(task, at)
  const others = new SignalSet(~set.low, ~set.high)
  for (const queue of [task.pending, task.process.pending]) {
    const found = queue.set.first(others)
    if (found === 0) continue
    const taken = queue.take(found)
    if (info !== 0) writeInfo(task, info, taken)
    return found
  }
  if (kernel.now >= deadline) return -Errno.EAGAIN
  task.waitedSignals = set
  const answer = kernel.blockUntil(deadline, undefined, -Errno.EINTR)
  if (answer !== Answer.BLOCK) task.waitedSignals = undefined
  return answer
}

/** `siginfo_t` to an address. */
export function writeInfo(task: Task, at: number, info: SignalInfo): void {
  const bytes = new Uint8Array(128)
  putInfo(new DataView(bytes.buffer), 0, info)
  task.kernel.memory.write(at, bytes)
}

/** kill(2). */
export function kill(task: Task, pid: number, number: number): number {
  if (number < 0 || number > LAST) return -Errno.EINVAL
  const { process: proc } = task
  const info: SignalInfo = { signal: number, code: Code.SI_USER, pid: proc.pid, uid: task.ids.uid }
  const group = pid === 0 ? proc.group : givenPid(task, -pid)
  const isTarget = (target: Process): boolean =>
    pid === -1 ? target !== proc && shownPid(task, target.pid) !== 1 : target.group === group
  const targets =
    pid > 0
      ? [processOf(task, pid)].filter((target) => target !== undefined)
      : [...visibleProcesses(task)].filter(isTarget)
  if (targets.length === 0) return -Errno.ESRCH
  const allowed = targets.filter((target) => maySignal(task, target, number))
  if (allowed.length === 0) return -Errno.EPERM
  if (number !== 0) for (const target of allowed) sendToProcess(target, info)
  return 0
}

/** tgkill(2), tkill(2) with −1 as group. */
export function tgkill(task: Task, tgid: number, tid: number, number: number): number {
  if (number < 0 || number > LAST || tid <= 0 || tgid === 0) return -Errno.EINVAL
  const target = taskOf(task, tid)
  if (target === undefined || target.state === 'ended') return -Errno.ESRCH
  if (tgid > 0 && target.process.pid !== givenPid(task, tgid)) return -Errno.ESRCH
  if (!maySignal(task, target.process, number)) return -Errno.EPERM
  if (number !== 0)
    sendToTask(target, { signal: number, code: Code.SI_TKILL, pid: task.process.pid, uid: task.ids.uid })
  return 0
}

export function sigaltstack(task: Task, at: number, old: number): number {
  const { memory, cpu } = task.kernel
  const { altStack } = task
  const sp = cpu.state.reg32(Gpr.sp) >>> 0
  const wanted =
    at === 0 ? undefined : { at: memory.get32(at), flags: memory.get32(at + 4) | 0, size: memory.get32(at + 8) }
  if (old !== 0) {
    memory.set32(old, altStack.at)
    memory.set32(old + 4, altStack.size === 0 ? 2 : onAltStack(task, sp) ? 1 : altStack.flags)
    memory.set32(old + 8, altStack.size)
  }
  if (wanted === undefined) return 0
  if (onAltStack(task, sp)) return -Errno.EPERM
  const AUTODISARM = 0x8000_0000 | 0
  const kind = wanted.flags & ~AUTODISARM
  if (kind !== 0 && kind !== 1 && kind !== 2) return -Errno.EINVAL
  if (kind === 2) Object.assign(altStack, { at: 0, size: 0, flags: 2 })
  else if (wanted.size < MIN_STACK) return -Errno.ENOMEM
  else Object.assign(altStack, { at: wanted.at, size: wanted.size, flags: wanted.flags & AUTODISARM })
  return 0
}
