/** Calls on signals: rt_sigaction(2), rt_sigprocmask(2), kill(2), sigsuspend(2), sigaltstack(2). */

import { Gpr } from '@vmexit/x86'
import { Answer, Errno } from '../errno.ts'
import type { Process, Task } from '../system.ts'
import { Cap } from '../tasks/capabilities.ts'
import { Limit } from '../tasks/limits.ts'
import { givenPid, processOf, shownPid, taskOf, visibleProcesses } from '../tasks/numbers.ts'
import { onAltStack, putInfo } from './frame.ts'
import { maySignal } from './permission.ts'
import { ActionFlag, Code, SIG_DFL, SIG_IGN, type SignalAction, type SignalInfo } from './queue.ts'
import { sendToProcess, sendToTask } from './send.ts'
import { defaultAction, LAST_SIGNAL, Signal, SignalSet } from './set.ts'

const SET_BYTES = 8
const MIN_STACK = 2048
const KNOWN_FLAGS = Object.values(ActionFlag).reduce((all, flag) => all | flag, 0)

/** rt_sigaction(2). The structure: handler, flags, restorer, mask. */
export function rtSigaction(task: Task, signal: number, at: number, old: number, bytes: number): number {
  const { memory } = task.kernel
  if (bytes !== SET_BYTES || signal < 1 || signal > LAST_SIGNAL) return -Errno.EINVAL
  const word = (n: number): number => memory.get32(at + n * 4)
  const mask = new SignalSet()
  if (at !== 0) mask.setMask(word(3) | 0, word(4) | 0)
  const wanted = at === 0 ? undefined : { handler: word(0), flags: word(1) & KNOWN_FLAGS, restorer: word(2), mask }
  if (wanted !== undefined && (signal === Signal.SIGKILL || signal === Signal.SIGSTOP)) return -Errno.EINVAL
  const before = task.actions.get(signal)
  if (wanted !== undefined) act(task, signal, wanted)
  if (old !== 0) {
    const words = Int32Array.of(before.handler, before.flags, before.restorer, before.mask.low, before.mask.high)
    memory.write(old, new Uint8Array(words.buffer))
  }
  return 0
}

/** sigaction(2) of old: handler, a mask of one word, flags, restorer. */
export function oldSigaction(task: Task, signal: number, at: number, old: number): number {
  const { memory } = task.kernel
  const word = (n: number): number => memory.get32(at + n * 4)
  const mask = new SignalSet()
  if (at !== 0) mask.setMask(word(1) | 0, 0)
  const wanted = at === 0 ? undefined : { handler: word(0), flags: word(2) & KNOWN_FLAGS, restorer: word(3), mask }
  if (signal < 1 || signal > LAST_SIGNAL) return -Errno.EINVAL
  if (wanted !== undefined && (signal === Signal.SIGKILL || signal === Signal.SIGSTOP)) return -Errno.EINVAL
  const before = task.actions.get(signal)
  if (wanted !== undefined) act(task, signal, wanted)
  if (old !== 0) {
    const words = Int32Array.of(before.handler, before.mask.low, before.flags, before.restorer)
    memory.write(old, new Uint8Array(words.buffer))
  }
  return 0
}

/** sigprocmask(2) of old: a word, the signals beyond 32 staying as they are. */
export function oldSigprocmask(task: Task, how: number, at: number, old: number): number {
  const { memory } = task.kernel
  const { blocked } = task
  const { low, high } = blocked
  if (at !== 0) {
    const set = memory.get32(at) | 0
    if (how === 0) blocked.setMask(low | set, high)
    else if (how === 1) blocked.setMask(low & ~set, high)
    else if (how === 2) blocked.setMask(set, high)
    else return -Errno.EINVAL
    if (task.hasSignal) task.hasWork = true
  }
  if (old !== 0) memory.set32(old, low)
  return 0
}

/** ssetmask(2) of old: the first 32 signals are blocked, or not; without `mask`, sgetmask(2). */
export function setMask(task: Task, mask?: number): number {
  const { blocked } = task
  const before = blocked.low >>> 0
  if (mask !== undefined) blocked.setMask(mask, 0)
  if (task.hasSignal) task.hasWork = true
  return before
}

/** sigsuspend(2) of old: the third argument is the mask. */
export function oldSigsuspend(task: Task, mask: number): number {
  if (task.savedMask === undefined) withMask(task, new SignalSet(mask, 0))
  return task.kernel.block(undefined, Answer.RESTART_NOHAND)
}

/** From now on a signal is handled so. */
function act(task: Task, signal: number, wanted: SignalAction): void {
  task.actions.set(signal, wanted)
  if (wanted.handler === SIG_IGN || (wanted.handler === SIG_DFL && defaultAction(signal) === 'ignore')) {
    task.process.pending.drop(signal)
    for (const other of task.process.tasks) other.pending.drop(signal)
  }
}

/** signal(2): one-shot, without a mask. */
export function signal(task: Task, number: number, handler: number): number {
  if (number < 1 || number > LAST_SIGNAL || number === Signal.SIGKILL || number === Signal.SIGSTOP) return -Errno.EINVAL
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

export function rtSigpending(task: Task, at: number, bytes: number): number {
  if (bytes > SET_BYTES) return -Errno.EINVAL
  const { pending, process: proc, kernel } = task
  const words = Int32Array.of(
    (pending.set.low | proc.pending.set.low) & task.blocked.low,
    (pending.set.high | proc.pending.set.high) & task.blocked.high,
  )
  kernel.memory.write(at, new Uint8Array(words.buffer, 0, bytes))
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
  const { process: proc } = task
  if (pid === -0x8000_0000) return -Errno.ESRCH
  const info: SignalInfo = { signal: number, code: Code.SI_USER, pid: proc.pid, uid: task.ids.uid }
  const group = pid === 0 ? proc.group : givenPid(task, -pid)
  const isTarget = (target: Process): boolean =>
    pid === -1 ? target !== proc && shownPid(task, target.pid) !== 1 : target.group === group
  const targets =
    pid > 0
      ? [processOf(task, pid)].filter((target) => target !== undefined)
      : [...visibleProcesses(task)].filter(isTarget)
  if (targets.length === 0) return -Errno.ESRCH
  if (number < 0 || number > LAST_SIGNAL) return -Errno.EINVAL
  const allowed = targets.filter((target) => maySignal(task, target, number))
  if (allowed.length === 0) return -Errno.EPERM
  if (number !== 0) for (const target of allowed) sendToProcess(target, info)
  return 0
}

/** What the caller says at `at` of a signal that it sends. */
export function givenInfo(task: Task, signal: number, at: number): SignalInfo {
  const { memory } = task.kernel
  const [code, pid, uid, value] = [8, 12, 16, 20].map((offset) => memory.get32(at + offset) | 0)
  // (Ids that are none stay what they are.)
  const user = uid === -1 ? -1 : task.ids.user.uids.toKernel(uid! >>> 0)
  return { signal, code: code!, pid: pid!, uid: user, value: value!, sender: task.process.pid }
}
/** Only the kernel, and who sends to itself, may say that the kernel or kill(2) has sent it. */
export function isPretended({ code }: SignalInfo): boolean {
  return code >= 0 || code === Code.SI_TKILL
}

/** rt_sigqueueinfo(2), and with a thread rt_tgsigqueueinfo(2): the caller says what comes with the signal. */
export function queueInfo(task: Task, tgid: number, tid: number | undefined, number: number, at: number): number {
  const info = givenInfo(task, number, at)
  if (tid !== undefined && (tid <= 0 || tgid <= 0)) return -Errno.EINVAL
  const isToItself = (tid ?? tgid) === shownPid(task, tid === undefined ? task.process.pid : task.tid)
  if (isPretended(info) && !isToItself) return -Errno.EPERM
  const thread = tid === undefined ? undefined : taskOf(task, tid)
  const target = tid === undefined ? processOf(task, tgid) : thread?.process
  if (target === undefined || (tid !== undefined && target.pid !== givenPid(task, tgid))) return -Errno.ESRCH
  if (number < 0 || number > LAST_SIGNAL) return -Errno.EINVAL
  if (!maySignal(task, target, number)) return -Errno.EPERM
  if (number === 0) return 0
  const limit = task.process.limits.soft[Limit.SIGPENDING]!
  if (number >= 32 && target.pending.size >= limit && !task.capable(Cap.SYS_RESOURCE)) return -Errno.EAGAIN
  if (thread === undefined) sendToProcess(target, info)
  else sendToTask(thread, info)
  return 0
}

/** tkill(2). */
export function tkill(task: Task, tid: number, number: number): number {
  return tgkill(task, -1, tid, number)
}

/** tgkill(2); −1 is any group. */
export function tgkill(task: Task, tgid: number, tid: number, number: number): number {
  if (tid <= 0 || tgid === 0) return -Errno.EINVAL
  const target = taskOf(task, tid)
  if (target === undefined || (tgid > 0 && target.process.pid !== givenPid(task, tgid))) return -Errno.ESRCH
  if (number < 0 || number > LAST_SIGNAL) return -Errno.EINVAL
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
