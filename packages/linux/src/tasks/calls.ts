/** Calls on tasks: identity, groups and sessions, waiting, limits, scheduling, and small ones (the manual's section 2). */
import { Errno } from '../errno.ts'
import { writeInfo } from '../signals/calls.ts'
import { Signal } from '../signals/set.ts'
import { Session, type Task } from '../system.ts'
import { Clone, clone, setTls } from './clone.ts'
import { CpuTimers } from './cpu-timers.ts'
import type { Ids } from './credentials.ts'
import { INFINITE, LIMITS, Limit } from './limits.ts'
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
  return clone(task, { flags: flags & ~0xff, exitSignal: flags & 0xff, stack, parentTid, childTid, tls: descriptor })
}

/** clone3(2). */
export function clone3(task: Task, at: number, bytes: number): number {
  const { memory } = task.kernel
  if (bytes > 4096) return -Errno.E2BIG
  if (bytes < 64) return -Errno.EINVAL
  for (let n = 88; n < bytes; n++) if (memory.get8(at + n) !== 0) return -Errno.E2BIG
  const word = (n: number): number => memory.get32(at + n * 8)
  const high = memory.get32(at + 4)
  // What of the structure is not there is 0: the numbers of processes of namespaces, and the cgroup.
  const [set, count] = [8, 9].map((n) => (bytes >= (n + 1) * 8 ? word(n) : 0))
  if ((high & ~CLEAR_SIGHAND_HIGH) !== 0 || (word(0) & (0xff | Clone.DETACHED)) !== 0) return -Errno.EINVAL
  if ((high & CLEAR_SIGHAND_HIGH) !== 0 && (word(0) & Clone.SIGHAND) !== 0) return -Errno.EINVAL
  if ((word(0) & (Clone.THREAD | Clone.PARENT)) !== 0 && word(4) !== 0) return -Errno.EINVAL
  if ((set === 0) !== (count === 0) || count! > 32) return -Errno.EINVAL
  const [stack, stackBytes] = [word(5), word(6)]
  const flags = word(0)
  const tls = word(7)
  if ((stack === 0) !== (stackBytes === 0) || word(4) > 64) return -Errno.EINVAL
  const descriptor = (flags & Clone.SETTLS) !== 0 ? readDescriptor(task, tls) : undefined
  return clone(task, {
    flags: flags | 0,
    exitSignal: word(4),
    stack: stack + stackBytes,
    parentTid: word(3),
    childTid: word(2),
    tls: descriptor,
    withoutHandlers: (high & CLEAR_SIGHAND_HIGH) !== 0,
  })
}
/** CLONE_CLEAR_SIGHAND, in the upper word of the flags. */
const CLEAR_SIGHAND_HIGH = 1

/** wait4(2). */
export function wait4(task: Task, pid: number, status: number, options: number, rusage: number): number {
  if ((options & ~(Wait.NOHANG | Wait.UNTRACED | Wait.CONTINUED | Wait.ALL | Wait.CLONE | Wait.NOTHREAD)) !== 0)
    return -Errno.EINVAL
  if (pid === -0x8000_0000) return -Errno.ESRCH
  const group = pid === 0 ? task.process.group : pid < -1 ? -pid : 0
  const waited = waitFor(
    task,
    (child) => (pid > 0 ? child.pid === pid : group === 0 || child.group === group),
    options | Wait.EXITED,
  )
  if (typeof waited === 'number') return waited
  const { process: proc } = waited
  if (status !== 0) task.kernel.memory.set32(status, waited.status)
  if (rusage !== 0) writeRusage(task, rusage, proc.times.user + proc.times.childrenUser, proc.times.system)
  return proc.pid
}

/** waitid(2). */
export function waitid(task: Task, kind: number, id: number, info: number, options: number): number {
  const known =
    Wait.NOHANG | Wait.EXITED | Wait.STOPPED | Wait.CONTINUED | Wait.NOWAIT | Wait.ALL | Wait.CLONE | Wait.NOTHREAD
  if ((options & ~known) !== 0 || (options & (Wait.EXITED | Wait.STOPPED | Wait.CONTINUED)) === 0) return -Errno.EINVAL
  if (kind === 3) return id < 0 ? -Errno.EINVAL : -Errno.EBADF
  if (kind < 0 || kind > 3 || (kind === 1 && id <= 0) || (kind === 2 && id < 0)) return -Errno.EINVAL
  const group = kind === 2 ? id || task.process.group : 0
  const waited = waitFor(
    task,
    (child) => kind === 0 || (kind === 1 ? child.pid === id : child.group === group),
    options,
  )
  if (typeof waited === 'number') {
    if (waited === 0 && info !== 0) task.kernel.memory.fill(info, 0, 24)
    return waited
  }
  const { process: proc, code, value } = waited
  if (info !== 0)
    writeInfo(task, info, { signal: Signal.SIGCHLD, code, pid: proc.pid, uid: proc.leader.ids.uid, status: value })
  return 0
}

// ── Groups and sessions ───────────────────────────────────────────────────────────────────────────────────────────

export function setpgid(task: Task, pid: number, wanted: number): number {
  const { kernel, process: proc } = task
  if ((wanted || pid) < 0) return -Errno.EINVAL
  const target = pid === 0 ? proc : kernel.processes.get(pid)
  if (target === undefined || (target !== proc && target.parent !== proc)) return -Errno.ESRCH
  const group = wanted === 0 ? target.pid : wanted
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
  return (pid === 0 ? task.process : task.kernel.processes.get(pid))?.group ?? -Errno.ESRCH
}

export function getsid(task: Task, pid: number): number {
  return (pid === 0 ? task.process : task.kernel.processes.get(pid))?.session.id ?? -Errno.ESRCH
}

export function setsid(task: Task): number {
  const { kernel, process: proc } = task
  if ([...kernel.processes.values()].some(({ group }) => group === proc.pid)) return -Errno.EPERM
  proc.session = new Session(proc.pid)
  proc.group = proc.pid
  return proc.pid
}

// ── Users ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** setresuid(2) and what is made of it: −1 leaves an id as it is. `which` are users or groups. */
export function setIds(task: Task, which: 'u' | 'g', real: number, effective: number, saved: number): number {
  const { ids } = task
  const now = which === 'u' ? [ids.uid, ids.euid, ids.suid] : [ids.gid, ids.egid, ids.sgid]
  const wanted = [real, effective, saved]
  if (!task.isPrivileged && wanted.some((id) => id !== -1 && !now.includes(id))) return -Errno.EPERM
  const [r, e, s] = wanted.map((id, n) => (id === -1 ? now[n]! : id >>> 0)) as [number, number, number]
  task.ids =
    which === 'u' ? { ...ids, uid: r, euid: e, suid: s, fsuid: e } : { ...ids, gid: r, egid: e, sgid: s, fsgid: e }
  return 0
}

/** setuid(2), setgid(2). */
export function setId(task: Task, which: 'u' | 'g', id: number): number {
  if (id === -1) return -Errno.EINVAL
  return task.isPrivileged ? setIds(task, which, id, id, id) : setIds(task, which, -1, id, -1)
}

/** setreuid(2), setregid(2). */
export function setReal(task: Task, which: 'u' | 'g', real: number, effective: number): number {
  const before = which === 'u' ? task.ids.uid : task.ids.gid
  const saves = real !== -1 || (effective !== -1 && effective !== before)
  return setIds(
    task,
    which,
    real,
    effective,
    saves ? (effective === -1 ? (which === 'u' ? task.ids.euid : task.ids.egid) : effective) : -1,
  )
}

export function getIds(
  task: Task,
  at: readonly [number, number, number],
  values: readonly [number, number, number],
): number {
  for (const [n, address] of at.entries()) task.kernel.memory.set32(address, values[n]!)
  return 0
}

export function getgroups(task: Task, count: number, at: number): number {
  const { groups } = task.ids
  if (count === 0) return groups.length
  if (count < groups.length) return -Errno.EINVAL
  for (const [n, group] of groups.entries()) task.kernel.memory.set32(at + n * 4, group)
  return groups.length
}

export function setgroups(task: Task, count: number, at: number): number {
  if (!task.isPrivileged) return -Errno.EPERM
  if (count < 0 || count > 65_536) return -Errno.EINVAL
  const groups = Array.from({ length: count }, (_, n) => task.kernel.memory.get32(at + n * 4))
  if (groups.includes(0xffff_ffff)) return -Errno.EINVAL
  task.ids = { ...task.ids, groups } satisfies Ids
  return 0
}

// ── Limits ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The largest limit below infinity that a double holds. */
const LARGEST = 2 ** 64 - 2 ** 11

export function prlimit64(task: Task, pid: number, resource: number, at: number, old: number): number {
  const { memory, processes } = task.kernel
  const target = pid === 0 ? task.process : processes.get(pid)
  if (resource < 0 || resource >= LIMITS) return -Errno.EINVAL
  if (target === undefined) return -Errno.ESRCH
  if (!mayLimit(task, target.leader.ids)) return -Errno.EPERM
  const { soft, hard } = target.limits
  const before = [soft[resource]!, hard[resource]!]
  const read = (address: number): number =>
    memory.get32(address) === 0xffff_ffff && memory.get32(address + 4) === 0xffff_ffff
      ? INFINITE
      : Math.min(memory.get32(address) + memory.get32(address + 4) * 2 ** 32, LARGEST)
  if (at !== 0) {
    const answer = setLimit(task, target.limits, resource, read(at), read(at + 8))
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

/** The limits of others are for root, and for who has the same ids in every respect. */
function mayLimit(task: Task, theirs: Ids): boolean {
  const { uid, gid } = task.ids
  const same = [theirs.uid, theirs.euid, theirs.suid].every((id) => id === uid)
  return task.isPrivileged || (same && [theirs.gid, theirs.egid, theirs.sgid].every((id) => id === gid))
}

function setLimit(task: Task, limits: Task['process']['limits'], resource: number, soft: number, hard: number): number {
  if (soft > hard) return -Errno.EINVAL
  if (hard > limits.hard[resource]! && !task.isPrivileged) return -Errno.EPERM
  limits.set(resource, soft, hard)
  if (resource === Limit.CPU && soft !== INFINITE) task.process.cpuTimers ??= new CpuTimers()
  if (resource === Limit.DATA) task.space.dataLimit = soft / 4096
  if (resource === 1) task.context.fileSizeLimit = soft
  if (resource === 3) task.space.stackLimit = Math.min(soft, 64 << 20) / 4096
  if (resource === 9) task.space.sizeLimit = soft / 4096
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
  return setLimit(task, task.process.limits, resource, soft!, hard!)
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
  const { kernel, process: proc } = task
  if (which < 0 || which > 2) return -Errno.EINVAL
  const found = [...kernel.processes.values()].filter((other) => {
    if (which === 0) return other.pid === (who === 0 ? proc.pid : who)
    return which === 1
      ? other.group === (who === 0 ? proc.group : who)
      : other.leader.ids.uid === (who === 0 ? task.ids.uid : who)
  })
  if (found.length === 0) return -Errno.ESRCH
  if (nice === undefined) return 20 - Math.min(...found.map(({ leader }) => leader.nice))
  const wanted = Math.max(-20, Math.min(19, nice))
  for (const { leader, tasks } of found) {
    const { uid, euid } = leader.ids
    if (!task.isPrivileged && task.ids.euid !== uid && task.ids.euid !== euid) return -Errno.EPERM
    if (wanted < leader.nice && !task.isPrivileged) return -Errno.EACCES
    for (const other of tasks) other.nice = wanted
  }
  return 0
}

/** iopl(2). Nobody answers at any port. */
export function iopl(task: Task, level: number): number {
  const { state } = task.kernel.cpu
  if (level < 0 || level > 3) return -Errno.EINVAL
  if (level > state.iopl && !task.isPrivileged) return -Errno.EPERM
  state.setFlag(0x3000, false)
  state.setFlag(level << 12, true)
  task.kernel.cpu.events.modeChanged()
  return 0
}
