/** Scheduling (sched(7)): policies are kept and told; there is one CPU, and one scheduler for all. */
import { writeTimespec } from '../abi/i386/structs.ts'
import { Errno } from '../errno.ts'
import type { Task } from '../system.ts'

/** Policies by number: the lowest and the highest priority of each. */
const policies: ReadonlyMap<number, readonly [least: number, most: number]> = new Map([
  [0, [0, 0]],
  [1, [1, 99]],
  [2, [1, 99]],
  [3, [0, 0]],
  [5, [0, 0]],
  [6, [0, 0]],
])
const FIFO = 1
const DEADLINE = 6
/** SCHED_RESET_ON_FORK. */
const RESET_ON_FORK = 0x4000_0000
const QUANTUM = 1_000_000

function taskOf(task: Task, pid: number): Task | number {
  if (pid < 0) return -Errno.EINVAL
  return (pid === 0 ? task : task.ns.pid.tasks.get(pid)) ?? -Errno.ESRCH
}
function mayChange(task: Task, other: Task): boolean {
  return task.isPrivileged || task.ids.euid === other.ids.uid || task.ids.euid === other.ids.euid
}

export function schedGetscheduler(task: Task, pid: number): number {
  const target = taskOf(task, pid)
  return typeof target === 'number' ? target : target.policy
}

export function schedGetparam(task: Task, pid: number, at: number): number {
  if (at === 0) return -Errno.EINVAL
  const target = taskOf(task, pid)
  if (typeof target === 'number') return target
  task.kernel.memory.set32(at, target.priority)
  return 0
}

/** sched_setscheduler(2); sched_setparam(2) leaves the policy: undefined. */
export function schedSetscheduler(task: Task, pid: number, policy: number | undefined, at: number): number {
  if (at === 0 || pid < 0 || (policy !== undefined && policy < 0)) return -Errno.EINVAL
  const priority = task.kernel.memory.get32(at) | 0
  const target = taskOf(task, pid)
  if (typeof target === 'number') return target
  const wanted = policy === undefined ? target.policy : policy & ~RESET_ON_FORK
  const range = policies.get(wanted)
  if (range === undefined || wanted === DEADLINE || priority < range[0] || priority > range[1]) return -Errno.EINVAL
  const isRealTime = priority >= FIFO
  if (!mayChange(task, target) || (isRealTime && !task.isPrivileged)) return -Errno.EPERM
  target.policy = wanted
  target.priority = priority
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
  const { kernel, process: proc, ids } = task
  if (which < Who.PROCESS || which > Who.USER) return -Errno.EINVAL
  const found =
    which === Who.PROCESS
      ? [who === 0 ? task : task.ns.pid.tasks.get(who)].filter((one) => one !== undefined)
      : [...kernel.processes.values()]
          .filter(({ group, leader }) =>
            which === Who.GROUP ? group === (who || proc.group) : leader.ids.uid === (who || ids.uid),
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
  if (kind === 1 && !task.isPrivileged) return -Errno.EPERM
  const found = tasksOf(task, which, who)
  if (typeof found === 'number') return found
  if (!found.every((one) => mayChange(task, one))) return -Errno.EPERM
  for (const one of found) one.ioPriority = wanted
  return 0
}
