/** fork(2), vfork(2), clone(2), clone3(2). */
import type { Group, Process as GroupMember } from '@vmexit/cgroup'
import { Open } from '@vmexit/vfs'
import { Gpr } from '@vmexit/x86'
import { Answer, Errno } from '../errno.ts'
import { store } from '../exec/load.ts'
import { install } from '../files/control.ts'
import { PidFd } from '../files/pidfd.ts'
import { Selector } from '../machine.ts'
import type { AddressSpace } from '../memory/address-space.ts'
import { NamespaceFlag } from '../namespaces/namespace.ts'
import type { PidNamespace } from '../namespaces/pid.ts'
import { type Separated, separate, separateMounts } from '../namespaces/unshare.ts'
import { traceChild } from '../ptrace/stops.ts'
import { TraceEvent } from '../ptrace/tracing.ts'
import { Signal } from '../signals/set.ts'
import { Process, Task } from '../system.ts'
import type { Account } from './account.ts'
import { Cap } from './capabilities.ts'
import { Clone, CloneHigh } from './clone-flags.ts'
import { CpuTimers } from './cpu-timers.ts'
import { KernelStack } from './kernel-stack.ts'
import { INFINITE, Limit } from './limits.ts'
import { enterNamespaces, type Namespaces } from './namespaces.ts'
import { tlsEntry, type UserDescriptor } from './segments.ts'
import type { TlsEntry } from './tls.ts'

/** What a child is to be. */
export interface CloneRequest {
  readonly flags: number
  /** Upper word of clone3(2)'s flags. */
  readonly high?: number
  /** Where CLONE_PIDFD's descriptor is told. */
  readonly pidfd?: number
  /** The group that CLONE_INTO_CGROUP names. */
  readonly group?: Group
  readonly exitSignal: number
  /** Its stack pointer; 0: the parent's. */
  readonly stack: number
  readonly parentTid: number
  readonly childTid: number
  readonly tls: UserDescriptor | undefined
}

/** Flags that exclude each other, or need each other (clone(2), "ERRORS"). */
function isWrong(task: Task, { flags }: CloneRequest): boolean {
  const has = (flag: number): boolean => (flags & flag) !== 0
  const { ns, process: proc } = task
  if ((has(Clone.SIGHAND) && !has(Clone.VM)) || (has(Clone.THREAD) && !has(Clone.SIGHAND))) return true
  if (has(Clone.FS) && has(NamespaceFlag.mnt | NamespaceFlag.user)) return true
  if (has(NamespaceFlag.ipc) && has(Clone.SYSVSEM)) return true
  if (has(Clone.PARENT) && ns.pid.init === proc) return true
  if (has(Clone.THREAD) && (has(NamespaceFlag.user | NamespaceFlag.pid) || ns.pidForChildren !== ns.pid)) return true
  return has(Clone.PIDFD) && has(Clone.DETACHED)
}

/** Makes a child of the current task. Its number, or an error. @throws BAD_ADDRESS. */
export function clone(task: Task, request: CloneRequest): number {
  const { kernel } = task
  const { flags } = request
  const has = (flag: number): boolean => (flags & flag) !== 0
  if (task.progress !== 0) return vforkDone(task)
  if (isWrong(task, request)) return -Errno.EINVAL
  if (request.parentTid !== 0 && has(Clone.PARENT_SETTID)) kernel.memory.writable(request.parentTid, 4)
  if (has(Clone.PIDFD)) kernel.memory.writable(request.pidfd!, 4)
  const separated = separate(task, flags)
  if (typeof separated === 'number') return separated
  if (!has(Clone.THREAD) && hasTooMany(task)) return -Errno.EAGAIN
  const { pidForChildren: pids } = separated.ns
  if (pids.hasEnded) return -Errno.ENOMEM
  const tid = pids.allocate()
  if (tid === 0) return -Errno.EAGAIN
  const child = childOf(task, tid, request, separated, pids)
  if (typeof child === 'number') {
    kernel.ns.pid.drop(tid)
    return child
  }
  const shown = task.ns.pid.local(tid)
  if (has(Clone.PARENT_SETTID)) kernel.memory.set32(request.parentTid, shown)
  if (has(Clone.PIDFD)) {
    const fd = install(task, new PidFd(kernel, child.process, 0), Open.O_CLOEXEC)
    kernel.memory.set32(request.pidfd!, fd)
  }
  if (has(Clone.CHILD_SETTID)) {
    const bytes = new Uint8Array(4)
    new DataView(bytes.buffer).setUint32(0, pids.local(tid), true)
    store(kernel, child.space, request.childTid, bytes)
  }
  kernel.makeReady(child)
  if (!has(Clone.UNTRACED)) {
    const event = has(Clone.VFORK)
      ? TraceEvent.VFORK
      : request.exitSignal === Signal.SIGCHLD
        ? TraceEvent.FORK
        : TraceEvent.CLONE
    traceChild(task, child, event, has(Clone.PTRACE))
  }
  if (!has(Clone.VFORK)) return shown
  child.vforkParent = task
  task.progress = shown
  task.scratch = child
  return vforkDone(task)
}

/** The child, which is still to run; or an error. */
function childOf(
  task: Task,
  tid: number,
  request: CloneRequest,
  separated: Separated,
  pids: PidNamespace<Task>,
): Task | number {
  const { kernel, process: proc } = task
  const { members } = kernel.groups.tree
  const { flags } = request
  const has = (flag: number): boolean => (flags & flag) !== 0
  const isThread = has(Clone.THREAD)
  const member = isThread ? members.clone(proc.member, tid) : members.fork(tid, request.group ?? proc.member.group)
  if (typeof member === 'number') return member
  const thread = 'threads' in member ? member.threads.get(tid)! : member
  const account = kernel.groups.accountOf(thread.process)
  const space = spaceFor(task, has(Clone.VM), account)
  if (space === undefined) {
    members.release(thread)
    return -Errno.ENOMEM
  }
  const stack = KernelStack.of(account)
  if (stack === undefined) {
    members.release(thread)
    if (--space.users === 0) space.free()
    return -Errno.ENOMEM
  }
  kernel.counts.forks++
  // (Threads of one CLONE_FS share what chdir changes.)
  const context = has(Clone.FS) ? task.context : kernel.vfs.fork(task.context)
  let ns: Namespaces<Task> = has(NamespaceFlag.mnt) ? separateMounts(task, context, separated) : separated.ns
  if (ns.pid !== pids || (ns.time !== ns.timeForChildren && !has(Clone.VM))) {
    const time = has(Clone.VM) ? ns.time : ns.timeForChildren
    time.isFrozen = true
    ns = { ...ns, pid: pids, time }
  }
  const parts = {
    ...{ ns, space, thread, stack, context, ids: separated.ids },
    files: has(Clone.FILES) ? task.files : task.files.fork(),
    actions: has(Clone.SIGHAND) ? task.actions : task.actions.fork(),
  }
  const child = new Task(kernel, tid, isThread ? proc : processFor(task, tid, request, thread.process, pids), parts)
  enterNamespaces(ns)
  if (has(Clone.FILES)) task.files.users++
  if (has(Clone.FS)) {
    child.contextUsers = task.contextUsers
    child.contextUsers.count++
  }
  if (((request.high ?? 0) & CloneHigh.CLEAR_SIGHAND) !== 0) child.actions.reset()
  child.process.tasks.add(child)
  if (!isThread) child.process.leader = child
  if (pids.init === undefined && pids.parent !== null) pids.init = child.process
  kernel.ns.pid.tasks.set(tid, child)
  if (child.process.isFrozen) child.state = 'stopped'
  inherit(task, child, request)
  return child
}

/** What a child has of the task that made it. */
function inherit(task: Task, child: Task, { flags, stack, tls, childTid }: CloneRequest): void {
  const has = (flag: number): boolean => (flags & flag) !== 0
  child.name = task.name
  const isRealTime = task.priority > 0
  const niceAgain = isRealTime ? 0 : Math.max(0, task.nice)
  child.nice = task.resetsOnFork ? niceAgain : task.nice
  child.policy = task.resetsOnFork && isRealTime ? 0 : task.policy
  child.priority = task.resetsOnFork ? 0 : task.priority
  child.ioPriority = task.ioPriority
  takePlace(task, child)
  child.ioPrivilege = task.ioPrivilege
  child.noNewPrivileges = task.noNewPrivileges
  child.seccomp = task.seccomp
  child.blocked.setMask(task.blocked.low, task.blocked.high)
  if (!has(Clone.VM) || has(Clone.VFORK)) Object.assign(child.altStack, task.altStack)
  child.tls = [...task.tls]
  child.registers.save(task.kernel.cpu.state)
  child.registers.set(Gpr.ax, 0)
  if (stack !== 0) child.registers.set(Gpr.sp, stack | 0)
  if (has(Clone.SETTLS) && tls !== undefined) setTls(child.tls, tls)
  child.hasStaleTls = has(Clone.SETTLS)
  if (has(Clone.CHILD_CLEARTID)) child.clearTid = childTid
}

/**
 * A child runs behind what its parent has run until now: else parents that end at once would make children for ever before others run.
 * In another group it is one that comes, and what its parent has run among others says nothing.
 */
function takePlace(task: Task, { thread }: Task): void {
  task.kernel.ticksOf(task)
  const isAmongTheSame = thread.account === task.thread.account
  thread.vruntime = isAmongTheSame ? Math.max(thread.vruntime, task.thread.vruntime) : thread.account.queue.floor
}

/** The parent of a vfork waits until its child has another space. */
function vforkDone(task: Task): number {
  const child = task.scratch as Task
  if (child.vforkParent !== task) {
    task.isUninterruptible = false
    task.tracing?.owe(TraceEvent.VFORK_DONE, child.tid)
    return task.progress
  }
  task.isUninterruptible = true
  return task.kernel.block(undefined, Answer.BLOCK)
}

/** RLIMIT_NPROC: processes of the caller's user, unless it may have more. */
function hasTooMany(task: Task): boolean {
  const { kernel, ids, process: proc } = task
  if (task.capable(Cap.SYS_RESOURCE) || task.capable(Cap.SYS_ADMIN)) return false
  let count = 0
  for (const { leader } of kernel.processes.values()) if (leader.ids.uid === ids.uid) count++
  return count >= proc.limits.soft[Limit.NPROC]!
}

function spaceFor(task: Task, shared: boolean, account: Account): AddressSpace | undefined {
  if (!shared) return task.space.fork(account)
  task.space.users++
  return task.space
}

function processFor(
  task: Task,
  pid: number,
  { flags, exitSignal }: CloneRequest,
  member: GroupMember,
  pids: PidNamespace<Task>,
): Process {
  const { kernel, process: proc } = task
  const parent = (flags & Clone.PARENT) !== 0 ? proc.parent : proc
  const account = kernel.groups.accountOf(member)
  const child = new Process(pid, parent, proc.session, proc.group, member, account, kernel)
  child.exitSignal = (flags & Clone.PARENT) !== 0 ? proc.exitSignal : exitSignal
  child.limits = proc.limits.fork()
  child.settings = { ...proc.settings, deathSignal: 0, isSubreaper: 0 }
  child.personality = proc.personality
  if (proc.limits.soft[Limit.CPU] !== INFINITE) child.cpuTimers = new CpuTimers(child)
  child.executable = proc.executable
  child.executablePath = proc.executablePath
  child.oomAdjustment = proc.oomAdjustment
  child.isFrozen = member.group.frozen
  // The first process of a namespace is the last resort of its orphans.
  if (pids.init === undefined && pids.parent !== null) child.settings.isSubreaper = 1
  parent?.children.add(child)
  kernel.processes.set(pid, child)
  return child
}

/** The first words of TLS: an entry of the three. False for another number. */
export function setTls(entries: TlsEntry[], descriptor: UserDescriptor): boolean {
  const index = descriptor.entry - Selector.firstTls
  if (index < 0 || index > 2) return false
  entries[index] = tlsEntry(descriptor)
  return true
}
