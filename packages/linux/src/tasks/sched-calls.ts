/** Scheduling (sched(7)): policies are kept and told; there is one CPU, and one scheduler for all. */
import { writeTimespec } from '../abi/i386/structs.ts'
import { Errno } from '../errno.ts'
import type { Task } from '../system.ts'
import { mayBeNice } from './calls.ts'
import { Cap } from './capabilities.ts'
import { Limit } from './limits.ts'
import { givenPid, taskOf as numbered, visibleProcesses } from './numbers.ts'

/** Policies by number: the lowest and the highest priority of each. */
const policies: ReadonlyMap<number, readonly [least: number, most: number]> = new Map([
  [0, [0, 0]],
  [1, [1, 99]],
  [2, [1, 99]],
  [3, [0, 0]],
  [5, [0, 0]],
  [6, [0, 0]],
])
const [OTHER, FIFO, BATCH, IDLE] = [0, 1, 3, 5]
const DEADLINE = 6
/** SCHED_RESET_ON_FORK. */
const RESET_ON_FORK = 0x4000_0000
const QUANTUM = 1_000_000

function taskOf(task: Task, pid: number): Task | number {
  if (pid < 0) return -Errno.EINVAL
  return (pid === 0 ? task : numbered(task, pid)) ?? -Errno.ESRCH
}
function mayChange(task: Task, other: Task): boolean {
  return (
    task.capable(Cap.SYS_NICE, other.ids.user) || task.ids.euid === other.ids.uid || task.ids.euid === other.ids.euid
  )
}

export function schedGetscheduler(task: Task, pid: number): number {
  const target = taskOf(task, pid)
  return typeof target === 'number' ? target : target.policy | (target.resetsOnFork ? RESET_ON_FORK : 0)
}

export function schedGetparam(task: Task, pid: number, at: number): number {
  if (at === 0) return -Errno.EINVAL
  const target = taskOf(task, pid)
  if (typeof target === 'number') return target
  task.kernel.memory.set32(at, target.priority)
  return 0
}

/** How a task is to be scheduled. */
interface Scheduling {
  readonly policy: number
  readonly priority: number
  readonly nice: number
  readonly resetsOnFork: boolean
}

/** The others leave a task as nice as it was. */
function takesNice(policy: number): boolean {
  return policy === OTHER || policy === BATCH
}

/** Only who has CAP_SYS_NICE may do so. */
function isPrivileged(task: Task, target: Task, { policy, priority, nice, resetsOnFork }: Scheduling): boolean {
  const { nice: before, policy: policyBefore, process: proc } = target
  if (!mayChange(task, target) || (target.resetsOnFork && !resetsOnFork)) return true
  if (takesNice(policy) && nice < before && !mayBeNice(task, proc, nice)) return true
  // (SCHED_IDLE is nicer than all others.)
  if (policyBefore === IDLE && policy !== IDLE && !mayBeNice(task, proc, before)) return true
  if (policies.get(policy)![0] === 0) return false
  const most = target.process.limits.soft[Limit.RTPRIO]!
  return (policy !== target.policy && most === 0) || (priority > target.priority && priority > most)
}

function schedule(task: Task, target: Task, wanted: Scheduling): number {
  const { policy, priority } = wanted
  const range = policies.get(policy)
  if (range === undefined || policy === DEADLINE || priority < range[0] || priority > range[1]) return -Errno.EINVAL
  if (isPrivileged(task, target, wanted) && !task.capable(Cap.SYS_NICE, target.ids.user)) return -Errno.EPERM
  Object.assign(target, wanted, takesNice(policy) ? {} : { nice: target.nice })
  return 0
}

/** sched_setscheduler(2); sched_setparam(2) leaves the policy: undefined. */
export function schedSetscheduler(task: Task, pid: number, policy: number | undefined, at: number): number {
  if (at === 0 || pid < 0 || (policy !== undefined && policy < 0)) return -Errno.EINVAL
  const priority = task.kernel.memory.get32(at) | 0
  const target = taskOf(task, pid)
  if (typeof target === 'number') return target
  const { nice } = target
  if (policy === undefined) return schedule(task, target, { ...schedulingOf(target), priority })
  const resetsOnFork = (policy & RESET_ON_FORK) !== 0
  return schedule(task, target, { policy: policy & ~RESET_ON_FORK, priority, nice, resetsOnFork })
}

function schedulingOf({ policy, priority, nice, resetsOnFork }: Task): Scheduling {
  return { policy, priority, nice, resetsOnFork }
}

/** `struct sched_attr`: its first version, and the second, which has clamps of utilization. */
const Attributes = { FIRST: 48, SECOND: 56, MOST: 4096 } as const
const Flag = { RESET_ON_FORK: 1, KEEP_POLICY: 8, KEEP_PARAMETERS: 0x10, CLAMPS: 0x60, ALL: 0x7f } as const

/** sched_setattr(2). Clamps of utilization are for clocks that change: there are none. */
export function schedSetattr(task: Task, pid: number, at: number, flags: number): number {
  if (at === 0 || pid < 0 || flags !== 0) return -Errno.EINVAL
  const { memory } = task.kernel
  const size = memory.get32(at) || Attributes.FIRST
  const isPossible = size >= Attributes.FIRST && size <= Attributes.MOST
  const bytes = new Uint8Array(isPossible ? size : 0)
  memory.read(at, bytes)
  if (!isPossible || bytes.subarray(Attributes.SECOND).some((byte) => byte !== 0)) {
    memory.set32(at, Attributes.SECOND)
    return -Errno.E2BIG
  }
  const view = new DataView(bytes.buffer)
  const wantedFlags = view.getUint32(8, true)
  if ((wantedFlags & Flag.CLAMPS) !== 0 && size < Attributes.SECOND) return -Errno.EINVAL
  const policy = view.getInt32(4, true)
  if (policy < 0) return -Errno.EINVAL
  const target = taskOf(task, pid)
  if (typeof target === 'number') return target
  if ((wantedFlags & ~Flag.ALL) !== 0) return -Errno.EINVAL
  if ((wantedFlags & Flag.CLAMPS) !== 0) return -Errno.EOPNOTSUPP
  const keepsParameters = (wantedFlags & Flag.KEEP_PARAMETERS) !== 0
  return schedule(task, target, {
    policy: (wantedFlags & Flag.KEEP_POLICY) !== 0 ? target.policy : policy,
    priority: keepsParameters ? target.priority : view.getUint32(20, true),
    nice: keepsParameters ? target.nice : Math.max(-20, Math.min(19, view.getInt32(16, true))),
    resetsOnFork:
      (wantedFlags & Flag.KEEP_POLICY) !== 0 ? target.resetsOnFork : (wantedFlags & Flag.RESET_ON_FORK) !== 0,
  })
}

/** sched_getattr(2). */
export function schedGetattr(task: Task, pid: number, at: number, size: number, flags: number): number {
  if (at === 0 || pid < 0 || flags !== 0 || size < Attributes.FIRST || size > Attributes.MOST) return -Errno.EINVAL
  const target = taskOf(task, pid)
  if (typeof target === 'number') return target
  const bytes = new Uint8Array(Math.min(size, Attributes.SECOND))
  const view = new DataView(bytes.buffer)
  const isRealTime = policies.get(target.policy)![0] > 0
  view.setUint32(0, bytes.length, true)
  view.setUint32(4, target.policy, true)
  view.setUint32(8, target.resetsOnFork ? Flag.RESET_ON_FORK : 0, true)
  view.setInt32(16, isRealTime ? 0 : target.nice, true)
  view.setUint32(20, target.priority, true)
  task.kernel.memory.write(at, bytes)
  return 0
}

export function priorityRange(which: 0 | 1, policy: number): number {
  return policies.get(policy)?.[which] ?? -Errno.EINVAL
}

export function schedRrGetInterval(task: Task, pid: number, at: number, wide: boolean): number {
  const target = taskOf(task, pid)
  if (typeof target === 'number') return target
  writeTimespec(task.kernel.memory, at, target.policy === FIFO ? 0 : QUANTUM, wide)
  return 0
}

export function schedGetaffinity(task: Task, pid: number, bytes: number, at: number): number {
  if (bytes < 4 || bytes % 4 !== 0) return -Errno.EINVAL
  const target = taskOf(task, pid)
  if (typeof target === 'number') return -Errno.ESRCH
  task.kernel.memory.set32(at, 1)
  return 4
}

export function schedSetaffinity(task: Task, pid: number, bytes: number, at: number): number {
  const first = bytes === 0 ? 0 : bytes < 4 ? task.kernel.memory.get8(at) : task.kernel.memory.get32(at)
  const target = taskOf(task, pid)
  if (typeof target === 'number') return -Errno.ESRCH
  if (!mayChange(task, target)) return -Errno.EPERM
  return (first & 1) === 0 ? -Errno.EINVAL : 0
}

export function getcpu(task: Task, cpu: number, node: number): number {
  if (cpu !== 0) task.kernel.memory.set32(cpu, 0)
  if (node !== 0) task.kernel.memory.set32(node, 0)
  return 0
}

/** Commands of membarrier(2) that there are: on one CPU all are done at once. */
const Barrier = { QUERY: 0, GLOBAL: 1, PRIVATE: 8, REGISTER_PRIVATE: 0x10, ALL: 0x1f } as const
const registered = new WeakSet<Task['space']>()

export function membarrier(task: Task, command: number, flags: number): number {
  if (flags !== 0) return -Errno.EINVAL
  if (command === Barrier.QUERY) return Barrier.ALL
  if (command < 0 || (command & ~Barrier.ALL) !== 0 || (command & (command - 1)) !== 0) return -Errno.EINVAL
  if (command === Barrier.REGISTER_PRIVATE) registered.add(task.space)
  return command === Barrier.PRIVATE && !registered.has(task.space) ? -Errno.EPERM : 0
}

const Who = { PROCESS: 1, GROUP: 2, USER: 3 } as const

/** The tasks that ioprio_get(2) and ioprio_set(2) are about; an error where there are none. */
function tasksOf(task: Task, which: number, who: number): Task[] | number {
  const { process: proc, ids } = task
  if (which < Who.PROCESS || which > Who.USER) return -Errno.EINVAL
  const found =
    which === Who.PROCESS
      ? [who === 0 ? task : numbered(task, who)].filter((one) => one !== undefined)
      : [...visibleProcesses(task)]
          .filter(({ group, leader }) =>
            which === Who.GROUP
              ? group === (who === 0 ? proc.group : givenPid(task, who))
              : leader.ids.uid === (who === 0 ? ids.uid : ids.user.uids.toKernel(who)),
          )
          .flatMap(({ tasks }) => [...tasks])
  return found.length === 0 ? -Errno.ESRCH : found
}

export function ioprioGet(task: Task, which: number, who: number): number {
  const found = tasksOf(task, which, who)
  if (typeof found === 'number') return found
  return Math.min(...found.map(({ ioPriority }) => ioPriority))
}

export function ioprioSet(task: Task, which: number, who: number, wanted: number): number {
  const kind = (wanted >> 13) & 7
  if (kind > 3 || (kind === 0 && (wanted & 7) !== 0)) return -Errno.EINVAL
  if (kind === 1 && !task.capable(Cap.SYS_ADMIN) && !task.capable(Cap.SYS_NICE)) return -Errno.EPERM
  const found = tasksOf(task, which, who)
  if (typeof found === 'number') return found
  if (!found.every((one) => mayChange(task, one))) return -Errno.EPERM
  for (const one of found) one.ioPriority = wanted
  return 0
}
