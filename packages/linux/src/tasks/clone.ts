/** fork(2), vfork(2), clone(2), clone3(2). */
import { Gpr } from '@vmexit/x86'
import { Answer, Errno } from '../errno.ts'
import { store } from '../exec/load.ts'
import { Selector } from '../machine.ts'
import type { AddressSpace } from '../memory/address-space.ts'
import { Process, Task } from '../system.ts'
import { CpuTimers } from './cpu-timers.ts'
import { INFINITE, Limit } from './limits.ts'
import { tlsEntry, type UserDescriptor } from './segments.ts'
import type { TlsEntry } from './tls.ts'

/** Bits of `flags`; the low byte is the signal at the end. */
// biome-ignore format: a table
export const Clone = {
  VM: 0x100, FS: 0x200, FILES: 0x400, SIGHAND: 0x800, PIDFD: 0x1000, PTRACE: 0x2000, VFORK: 0x4000, PARENT: 0x8000,
  THREAD: 0x1_0000, NEWNS: 0x2_0000, SYSVSEM: 0x4_0000, SETTLS: 0x8_0000, PARENT_SETTID: 0x10_0000,
  CHILD_CLEARTID: 0x20_0000, DETACHED: 0x40_0000, UNTRACED: 0x80_0000, CHILD_SETTID: 0x100_0000,
  NEWCGROUP: 0x200_0000, NEWUTS: 0x400_0000, NEWIPC: 0x800_0000, NEWUSER: 0x1000_0000, NEWPID: 0x2000_0000,
  NEWNET: 0x4000_0000,
} as const
const NAMESPACES =
  Clone.NEWNS | Clone.NEWCGROUP | Clone.NEWUTS | Clone.NEWIPC | Clone.NEWUSER | Clone.NEWPID | Clone.NEWNET

/** What a child is to be. */
export interface CloneRequest {
  readonly flags: number
  readonly exitSignal: number
  /** Its stack pointer; 0: the parent's. */
  readonly stack: number
  readonly parentTid: number
  readonly childTid: number
  readonly tls: UserDescriptor | undefined
  /** CLONE_CLEAR_SIGHAND: what is handled is at its default again. */
  readonly withoutHandlers?: boolean
}

/** Makes a child of the current task. Its number, or an error. @throws BAD_ADDRESS. */
export function clone(task: Task, request: CloneRequest): number {
  const { kernel, process: proc } = task
  const { flags } = request
  const has = (flag: number): boolean => (flags & flag) !== 0
  if (task.progress !== 0) return vforkDone(task)
  if ((has(Clone.SIGHAND) && !has(Clone.VM)) || (has(Clone.THREAD) && !has(Clone.SIGHAND))) return -Errno.EINVAL
  // Namespaces come with containers.
  if ((flags & NAMESPACES) !== 0 || has(Clone.PIDFD)) return task.isPrivileged ? -Errno.EINVAL : -Errno.EPERM
  if (request.parentTid !== 0 && has(Clone.PARENT_SETTID)) kernel.memory.writable(request.parentTid, 4)
  const { account } = proc
  if (!has(Clone.THREAD) && !task.isPrivileged && countOf(task) >= proc.limits.soft[Limit.NPROC]!) return -Errno.EAGAIN
  if (!account.charge('pids', 1)) return -Errno.EAGAIN
  const tid = task.ns.pid.allocate()
  if (tid === 0) {
    account.uncharge('pids', 1)
    return -Errno.EAGAIN
  }
  const space = spaceFor(task, has(Clone.VM))
  if (space === undefined) {
    account.uncharge('pids', 1)
    return -Errno.ENOMEM
  }
  kernel.counts.forks++
  const child = new Task(kernel, tid, has(Clone.THREAD) ? proc : processFor(task, tid, request), {
    ns: task.ns,
    space,
    files: has(Clone.FILES) ? task.files : task.files.fork(),
    // (Threads of one CLONE_FS share what chdir changes.)
    context: has(Clone.FS) ? task.context : kernel.vfs.fork(task.context),
    actions: has(Clone.SIGHAND) ? task.actions : task.actions.fork(),
    ids: task.ids,
  })
  if (has(Clone.FILES)) task.files.users++
  if (has(Clone.FS)) {
    child.contextUsers = task.contextUsers
    child.contextUsers.count++
  }
  child.process.tasks.add(child)
  if (!has(Clone.THREAD)) child.process.leader = child
  task.ns.pid.tasks.set(tid, child)
  child.name = task.name
  child.nice = task.nice
  child.policy = task.policy
  child.priority = task.priority
  child.ioPriority = task.ioPriority
  if (request.withoutHandlers === true) child.actions.reset()
  child.runtime = task.runtime
  child.ioPrivilege = task.ioPrivilege
  child.blocked.setMask(task.blocked.low, task.blocked.high)
  if (!has(Clone.VM) || has(Clone.VFORK)) Object.assign(child.altStack, task.altStack)
  child.tls = [...task.tls]
  child.registers.save(kernel.cpu.state)
  child.registers.set(Gpr.ax, 0)
  if (request.stack !== 0) child.registers.set(Gpr.sp, request.stack | 0)
  if (has(Clone.SETTLS) && request.tls !== undefined) setTls(child.tls, request.tls)
  child.hasStaleTls = has(Clone.SETTLS)
  if (has(Clone.CHILD_CLEARTID)) child.clearTid = request.childTid
  if (has(Clone.PARENT_SETTID)) kernel.memory.set32(request.parentTid, tid)
  if (has(Clone.CHILD_SETTID)) {
    const bytes = new Uint8Array(4)
    new DataView(bytes.buffer).setUint32(0, tid, true)
    store(kernel, space, request.childTid, bytes)
  }
  kernel.makeReady(child)
  if (!has(Clone.VFORK)) return tid
  child.vforkParent = task
  task.progress = tid
  task.scratch = child
  return vforkDone(task)
}

/** The parent of a vfork waits until its child has another space. */
function vforkDone(task: Task): number {
  const child = task.scratch as Task
  if (child.vforkParent !== task) {
    task.isUninterruptible = false
    return task.progress
  }
  task.isUninterruptible = true
  return task.kernel.block(undefined, Answer.BLOCK)
}

/** Processes of the caller's user. */
function countOf({ kernel, ids }: Task): number {
  let count = 0
  for (const { leader } of kernel.processes.values()) if (leader.ids.uid === ids.uid) count++
  return count
}

function spaceFor(task: Task, shared: boolean): AddressSpace | undefined {
  if (!shared) return task.space.fork(task.process.account)
  task.space.users++
  return task.space
}

function processFor(task: Task, pid: number, request: CloneRequest): Process {
  const { kernel, process: proc } = task
  const parent = (request.flags & Clone.PARENT) !== 0 ? proc.parent : proc
  const child = new Process(pid, parent, proc.session, proc.group, proc.account, kernel.now, (ended) =>
    kernel.onAlarm(ended),
  )
  child.exitSignal = request.exitSignal
  child.limits = proc.limits.fork()
  child.settings = { ...proc.settings, deathSignal: 0, isSubreaper: 0 }
  child.personality = proc.personality
  if (proc.limits.soft[Limit.CPU] !== INFINITE) child.cpuTimers = new CpuTimers()
  child.executable = proc.executable
  child.executablePath = proc.executablePath
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
