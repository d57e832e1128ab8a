/** Calls on tasks: identity, groups and sessions, waiting, limits, scheduling, and small ones (the manual's section 2). */
import type { Group } from '@vmexit/cgroup'
import { groupOfDescriptor } from '../cgroups/cgroup-fs.ts'
import { Errno } from '../errno.ts'
import { PidFd } from '../files/pidfd.ts'
import { writeInfo } from '../signals/calls.ts'
import { Signal } from '../signals/set.ts'
import { type Process, Session, type Task } from '../system.ts'
import { applyLimit } from './apply-limit.ts'
import { Cap } from './capabilities.ts'
import { clone, setTls } from './clone.ts'
import { Clone, CloneHigh } from './clone-flags.ts'
import { INFINITE, LIMITS, Limit } from './limits.ts'
import { givenPid, processOf, shownPid, visibleProcesses } from './numbers.ts'
import { descriptorOf, reloadTls, type UserDescriptor } from './segments.ts'
import { writeRusage } from './time-calls.ts'
import { Wait, waitFor } from './wait.ts'

// ── Children ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** `struct user_desc` at an address. @throws BAD_ADDRESS. */
function readDescriptor(task: Task, at: number): UserDescriptor {
  const { memory } = task.kernel
  return {
    entry: memory.get32(at) | 0,
    base: memory.get32(at + 4),
    limit: memory.get32(at + 8),
    flags: memory.get32(at + 12),
  }
}

/** clone(2), as i386 has its arguments. */
export function cloneCall(
  task: Task,
  flags: number,
  stack: number,
  parentTid: number,
  tls: number,
  childTid: number,
): number {
  const descriptor = (flags & Clone.SETTLS) !== 0 ? readDescriptor(task, tls) : undefined
  // CLONE_PIDFD's descriptor comes where CLONE_PARENT_SETTID's number would.
  if ((flags & Clone.PIDFD) !== 0 && (flags & Clone.PARENT_SETTID) !== 0) return -Errno.EINVAL
  const request = { flags: flags & ~0xff, exitSignal: flags & 0xff, stack, parentTid, childTid, tls: descriptor }
  return clone(task, { ...request, pidfd: parentTid })
}

/** Bytes of `struct clone_args` that are known. */
const CLONE_ARGS = 88

/** clone3(2). */
export function clone3(task: Task, at: number, bytes: number): number {
  const { memory } = task.kernel
  if (bytes > 4096) return -Errno.E2BIG
  if (bytes < 64) return -Errno.EINVAL
  for (let n = CLONE_ARGS; n < bytes; n++) if (memory.get8(at + n) !== 0) return -Errno.E2BIG
  // What of the structure is not there is 0.
  const word = (n: number): number => (n * 8 < bytes ? memory.get32(at + n * 8) : 0)
  const high = memory.get32(at + 4)
  if ((high & ~(CloneHigh.CLEAR_SIGHAND | CloneHigh.INTO_CGROUP)) !== 0) return -Errno.EINVAL
  // CLONE_DETACHED and a signal among the flags are another call's; CLONE_NEWTIME is one of those bits here.
  if ((word(0) & ((0xff & ~Clone.NEWTIME) | Clone.DETACHED)) !== 0) return -Errno.EINVAL
  const clears = (high & CloneHigh.CLEAR_SIGHAND) !== 0
  if (clears && (word(0) & Clone.SIGHAND) !== 0) return -Errno.EINVAL
  if ((word(0) & (Clone.THREAD | Clone.PARENT)) !== 0 && word(4) !== 0) return -Errno.EINVAL
  // Numbers of its own are the checkpoint's, which there is not.
  if (word(8) !== 0 || word(9) !== 0) return -Errno.EINVAL
  let group: Group | undefined
  if ((high & CloneHigh.INTO_CGROUP) !== 0) {
    const named = groupOfDescriptor(task, word(10))
    if (typeof named === 'number') return named
    group = named
  }
  const [stack, stackBytes] = [word(5), word(6)]
  const flags = word(0)
  const tls = word(7)
  if ((stack === 0) !== (stackBytes === 0) || word(4) > 64) return -Errno.EINVAL
  const descriptor = (flags & Clone.SETTLS) !== 0 ? readDescriptor(task, tls) : undefined
  return clone(task, {
    ...{ high, pidfd: word(1) },
    ...(group !== undefined && { group }),
    flags: flags | 0,
    exitSignal: word(4),
    stack: stack + stackBytes,
    parentTid: word(3),
    childTid: word(2),
    tls: descriptor,
  })
}

/** wait4(2). */
export function wait4(task: Task, pid: number, status: number, options: number, rusage: number): number {
  if ((options & ~(Wait.NOHANG | Wait.UNTRACED | Wait.CONTINUED | Wait.ALL | Wait.CLONE | Wait.NOTHREAD)) !== 0)
    return -Errno.EINVAL
  if (pid === -0x8000_0000) return -Errno.ESRCH
  const wanted = givenPid(task, Math.abs(pid))
  const waited = waitFor(
    task,
    (child) => pid === -1 || (pid > 0 ? child.pid : child.group) === (pid === 0 ? task.process.group : wanted),
    options | Wait.EXITED,
  )
  if (typeof waited === 'number') return waited
  const { process: proc, number } = waited
  if (status !== 0) task.kernel.memory.set32(status, waited.status)
  if (rusage !== 0) writeRusage(task, rusage, proc.times.user + proc.times.childrenUser, proc.times.system)
  return number
}

/** waitid(2). */
export function waitid(task: Task, kind: number, id: number, info: number, options: number): number {
  const known =
    Wait.NOHANG | Wait.EXITED | Wait.STOPPED | Wait.CONTINUED | Wait.NOWAIT | Wait.ALL | Wait.CLONE | Wait.NOTHREAD
  if ((options & ~known) !== 0 || (options & (Wait.EXITED | Wait.STOPPED | Wait.CONTINUED)) === 0) return -Errno.EINVAL
  if (kind < 0 || kind > 3 || (kind === 1 && id <= 0) || (kind >= 2 && id < 0)) return -Errno.EINVAL
  const file = kind === 3 ? task.files.get(id) : undefined
  if (kind === 3 && !(file instanceof PidFd)) return -Errno.EBADF
  const pid = file instanceof PidFd ? file.process.pid : givenPid(task, id)
  const group = kind === 2 && id === 0 ? task.process.group : pid
  const waited = waitFor(
    task,
    (child) => kind === 0 || (kind === 2 ? child.group === group : child.pid === pid),
    options,
  )
  if (typeof waited === 'number') {
    if (waited === 0 && info !== 0) task.kernel.memory.fill(info, 0, 24)
    return waited
  }
  const { process: proc, code, value, number } = waited
  const uid = task.ids.user.uids.shown(proc.leader.ids.uid)
  if (info !== 0) writeInfo(task, info, { signal: Signal.SIGCHLD, code, pid: number, uid, status: value })
  return 0
}

// ── Groups and sessions ───────────────────────────────────────────────────────────────────────────────────────────

export function setpgid(task: Task, pid: number, wanted: number): number {
  const { kernel, process: proc } = task
  if ((wanted || pid) < 0) return -Errno.EINVAL
  const target = pid === 0 ? proc : processOf(task, pid)
  if (target === undefined || (target !== proc && target.parent !== proc)) return -Errno.ESRCH
  const group = wanted === 0 ? target.pid : givenPid(task, wanted)
  if (target.session.id === target.pid || target.session !== proc.session) return -Errno.EPERM
  if (target !== proc && target.hasExecuted) return -Errno.EACCES
  if (group !== target.pid) {
    const there = [...kernel.processes.values()].some(
      (other) => other.group === group && other.session === proc.session,
    )
    if (!there) return -Errno.EPERM
  }
  target.group = group
  return 0
}

export function getpgid(task: Task, pid: number): number {
  const target = pid === 0 ? task.process : processOf(task, pid)
  return target === undefined ? -Errno.ESRCH : shownPid(task, target.group)
}

export function getsid(task: Task, pid: number): number {
  const target = pid === 0 ? task.process : processOf(task, pid)
  return target === undefined ? -Errno.ESRCH : shownPid(task, target.session.id)
}

export function setsid(task: Task): number {
  const { kernel, process: proc } = task
  if ([...kernel.processes.values()].some(({ group }) => group === proc.pid)) return -Errno.EPERM
  proc.session = new Session(proc.pid)
  proc.group = proc.pid
  return shownPid(task, proc.pid)
}

// ── Limits ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The largest limit below infinity that a double holds. */
const LARGEST = 2 ** 64 - 2 ** 11

export function prlimit64(task: Task, pid: number, resource: number, at: number, old: number): number {
  const { memory } = task.kernel
  const target = pid === 0 ? task.process : processOf(task, pid)
  if (resource < 0 || resource >= LIMITS) return -Errno.EINVAL
  if (target === undefined) return -Errno.ESRCH
  if (target !== task.process && !mayLimit(task, target)) return -Errno.EPERM
  const { soft, hard } = target.limits
  const before = [soft[resource]!, hard[resource]!]
  const read = (address: number): number =>
    memory.get32(address) === 0xffff_ffff && memory.get32(address + 4) === 0xffff_ffff
      ? INFINITE
      : Math.min(memory.get32(address) + memory.get32(address + 4) * 2 ** 32, LARGEST)
  if (at !== 0) {
    const answer = setLimit(task, target, resource, read(at), read(at + 8))
    if (answer < 0) return answer
  }
  if (old !== 0) {
    for (const [n, value] of before.entries()) {
      const isInfinite = value === INFINITE
      memory.set32(old + n * 8, isInfinite ? -1 : value % 2 ** 32)
      memory.set32(old + n * 8 + 4, isInfinite ? -1 : Math.floor(value / 2 ** 32))
    }
  }
  return 0
}

/** Another process's limits are for its user, or for who may. */
function mayLimit(task: Task, { leader: { ids: theirs } }: Process): boolean {
  const { ids } = task
  const isSame =
    [theirs.uid, theirs.euid, theirs.suid].every((uid) => uid === ids.uid) &&
    [theirs.gid, theirs.egid, theirs.sgid].every((gid) => gid === ids.gid)
  return isSame || task.capable(Cap.SYS_RESOURCE, theirs.user)
}

function setLimit(task: Task, target: Process, resource: number, soft: number, hard: number): number {
  if (soft > hard) return -Errno.EINVAL
  if (hard > target.limits.hard[resource]! && !task.capable(Cap.SYS_RESOURCE)) return -Errno.EPERM
  applyLimit(target, resource, soft, hard)
  return 0
}

/** ugetrlimit(2), setrlimit(2): of 32 bits, all ones being infinite; to the first getrlimit(2) 0x7fffffff is. */
export function getrlimit(task: Task, resource: number, at: number, most = 0xffff_ffff): number {
  if (resource < 0 || resource >= LIMITS) return -Errno.EINVAL
  const { soft, hard } = task.process.limits
  for (const [n, value] of [soft[resource]!, hard[resource]!].entries())
    task.kernel.memory.set32(at + n * 4, Math.min(value, most))
  return 0
}

export function setrlimit(task: Task, resource: number, at: number): number {
  if (resource < 0 || resource >= LIMITS) return -Errno.EINVAL
  const [soft, hard] = [0, 4]
    .map((offset) => task.kernel.memory.get32(at + offset))
    .map((value) => (value === 0xffff_ffff ? INFINITE : value))
  return setLimit(task, task.process, resource, soft!, hard!)
}

// ── Scheduling and threads ────────────────────────────────────────────────────────────────────────────────────────

export function schedYield(task: Task): number {
  task.kernel.yieldsAfter = true
  return 0
}

export function setThreadArea(task: Task, at: number): number {
  const { kernel } = task
  const descriptor = readDescriptor(task, at)
  if (!isSound(descriptor)) return -Errno.EINVAL
  let { entry } = descriptor
  if (entry === -1) {
    entry = 6 + task.tls.findIndex(([low, high]) => low === 0 && high === 0)
    if (entry === 5) return -Errno.ESRCH
  }
  if (!setTls(task.tls, { ...descriptor, entry })) return -Errno.EINVAL
  kernel.memory.set32(at, entry)
  reloadTls(kernel, task)
  return 0
}

/** Data of 32 bits that is present, or nothing. */
function isSound({ base, limit, flags }: UserDescriptor): boolean {
  if (base === 0 && limit === 0 && ((flags & 0x7f) === 0x28 || flags === 0)) return true
  const [is32, contents, isAbsent] = [flags & 1, (flags >> 1) & 3, flags & 0x20]
  return is32 !== 0 && contents <= 1 && isAbsent === 0
}

export function getThreadArea(task: Task, at: number): number {
  const { memory } = task.kernel
  const entry = memory.get32(at) | 0
  const tls = task.tls[entry - 6]
  if (tls === undefined) return -Errno.EINVAL
  const { base, limit, flags } = descriptorOf(entry, tls)
  for (const [n, word] of [entry, base, limit, flags].entries()) memory.set32(at + n * 4, word)
  return 0
}

export function priority(task: Task, which: number, who: number, nice: number | undefined): number {
  const { process: proc } = task
  if (which < 0 || which > 2) return -Errno.EINVAL
  const number = givenPid(task, who)
  const uid = task.ids.user.uids.toKernel(who >>> 0)
  const found = [...visibleProcesses(task)].filter((other) => {
    if (which === 0) return other.pid === (who === 0 ? proc.pid : number)
    return which === 1
      ? other.group === (who === 0 ? proc.group : number)
      : other.leader.ids.uid === (who === 0 ? task.ids.uid : uid)
  })
  if (found.length === 0) return -Errno.ESRCH
  if (nice === undefined) return 20 - Math.min(...found.map(({ leader }) => leader.nice))
  const wanted = Math.max(-20, Math.min(19, nice))
  const { ids } = task
  for (const { leader, tasks } of found) {
    const isOwn = [leader.ids.uid, leader.ids.euid].includes(ids.euid) || task.capable(Cap.SYS_NICE, leader.ids.user)
    if (!isOwn) return -Errno.EPERM
    if (wanted < leader.nice && !mayBeNice(task, leader.process, wanted)) return -Errno.EACCES
    for (const other of tasks) other.nice = wanted
  }
  return 0
}

/** A nicer turn than before: by RLIMIT_NICE, or who may. */
export function mayBeNice(task: Task, proc: Process, nice: number): boolean {
  return 20 - nice <= proc.limits.soft[Limit.NICE]! || task.capable(Cap.SYS_NICE)
}

/** iopl(2). Nobody answers at any port. */
export function iopl(task: Task, level: number): number {
  const { state } = task.kernel.cpu
  if (level < 0 || level > 3) return -Errno.EINVAL
  if (level > state.iopl && !task.capable(Cap.SYS_RAWIO)) return -Errno.EPERM
  state.setFlag(0x3000, false)
  state.setFlag(level << 12, true)
  task.kernel.cpu.events.modeChanged()
  return 0
}
