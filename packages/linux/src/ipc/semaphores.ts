/** Sets of semaphores: semget(2), semop(2), semctl(2). */
import { Answer, Errno } from '../errno.ts'
import type { Process, Task } from '../system.ts'
import { shownPid } from '../tasks/numbers.ts'
import { WaitQueue } from '../tasks/wait-queue.ts'
import { KernelMemory } from './kernel-memory.ts'
import { columns, Ipc, IpcObject, PERM_BYTES, tables, writeWords } from './objects.ts'

// biome-ignore format: a table
const Sem = {
  GETPID: 11, GETVAL: 12, GETALL: 13, GETNCNT: 14, GETZCNT: 15, SETVAL: 16, SETALL: 17, STAT: 18, INFO: 19,
  STAT_ANY: 20, UNDO: 0x1000,
} as const
/** SEMMSL, SEMOPM, SEMVMX, SEMMNI and SEMMNS. */
const MOST = 32_000
const MOST_OPERATIONS = 500
const HIGHEST = 32_767
const MOST_SETS = 32_000
const MOST_OF_ALL = 1_024_000_000
/** Bytes of the kernel's memory: of a set, of each semaphore, and of what is to be taken back of one. */
const SET_BYTES = 128
const SEMAPHORE_BYTES = 64
const UNDO_BYTES = 64
const READ = 0o444
const WRITE = 0o222

/** A set. */
class SemaphoreSet extends IpcObject {
  readonly values: Int32Array
  readonly pids: Int32Array
  readonly queue: WaitQueue = new WaitQueue()
  readonly memory: KernelMemory
  /** What the end of a process takes back. */
  readonly undo: Map<Process, Undo> = new Map()
  /** Who waits for which semaphore to grow, or to be 0. */
  readonly waiting: Map<Task, { readonly semaphore: number; readonly forZero: boolean }> = new Map()
  operated = 0

  constructor(task: Task, key: number, count: number, mode: number, memory: KernelMemory) {
    super(task, key, mode)
    this.memory = memory
    this.values = new Int32Array(count)
    this.pids = new Int32Array(count)
  }

  /** It has been removed: who waits is told, and nothing is taken back any more. */
  end(): void {
    for (const proc of [...this.undo.keys()]) forget(proc, this)
    this.memory.free()
    this.queue.wake()
  }
}

/** What the end of a process takes back, by semaphore. */
interface Undo {
  readonly changes: Map<number, number>
  readonly memory: KernelMemory
}

const sets = tables<SemaphoreSet>(MOST_SETS, (set) => set.end())
/** Sets that take something back at the end of a process. */
const undoing = new WeakMap<Process, Set<SemaphoreSet>>()

export function semget(task: Task, key: number, count: number, flags: number): number {
  if (count < 0 || count > MOST) return -Errno.EINVAL
  return sets(task.ns.ipc).get(
    task,
    key,
    flags,
    (set) => count <= set.values.length,
    () => (count === 0 ? -Errno.EINVAL : make(task, key, count, flags)),
  )
}

function make(task: Task, key: number, count: number, flags: number): SemaphoreSet | number {
  const memory = new KernelMemory(task)
  if (!memory.take(SET_BYTES + count * SEMAPHORE_BYTES)) return -Errno.ENOMEM
  return new SemaphoreSet(task, key, count, flags, memory)
}

interface Operation {
  readonly semaphore: number
  readonly change: number
  readonly flags: number
}

/** semtimedop(2): all operations, or none and the task waits. */
export function semop(task: Task, id: number, at: number, count: number, deadline: number | undefined): number {
  const { kernel } = task
  const table = sets(task.ns.ipc)
  const set = (task.scratch as SemaphoreSet | undefined) ?? table.find(id)
  if (deadline === undefined || set === undefined || count === 0) return -Errno.EINVAL
  set.waiting.delete(task)
  if (set.isRemoved) return -Errno.EIDRM
  if (count > MOST_OPERATIONS) return -Errno.E2BIG
  const { memory } = kernel
  const operations = Array.from({ length: count }, (_, n): Operation => {
    const word = (field: number): number => memory.get16(at + n * 6 + field * 2)
    return { semaphore: word(0), change: (word(1) << 16) >> 16, flags: word(2) }
  })
  if (operations.some(({ semaphore }) => semaphore >= set.values.length)) return -Errno.EFBIG
  const writes = operations.some(({ change }) => change !== 0)
  if (!set.permits(task, writes ? WRITE : READ)) return -Errno.EACCES
  const answer = attempt(task, set, operations)
  if (typeof answer === 'number') return answer
  if ((answer.flags & Ipc.NOWAIT) !== 0 || kernel.now >= deadline) return -Errno.EAGAIN
  const waits = kernel.blockUntil(deadline, set.queue, -Errno.EINTR)
  if (waits !== Answer.BLOCK) return waits
  task.scratch = set
  for (const other of set.waiting.keys()) if (other.state === 'ended') set.waiting.delete(other)
  set.waiting.set(task, { semaphore: answer.semaphore, forZero: answer.change === 0 })
  return waits
}

/** Does all of it; or answers an error, or the operation that must wait, and nothing is done. */
function attempt(task: Task, set: SemaphoreSet, operations: readonly Operation[]): number | Operation {
  const values = new Map<number, number>()
  const back = new Map<number, number>()
  for (const operation of operations) {
    const { semaphore, change, flags } = operation
    const now = values.get(semaphore) ?? set.values[semaphore]!
    if (change === 0 ? now !== 0 : now + change < 0) return operation
    if (now + change > HIGHEST) return -Errno.ERANGE
    values.set(semaphore, now + change)
    if ((flags & Sem.UNDO) !== 0) back.set(semaphore, (back.get(semaphore) ?? 0) - change)
  }
  const { process: proc, kernel } = task
  if (!remember(task, set, back)) return -Errno.ENOMEM
  for (const [semaphore, value] of values) {
    set.values[semaphore] = value
    set.pids[semaphore] = proc.pid
  }
  set.operated = kernel.time.seconds
  set.queue.wake()
  return 0
}

/** Keeps what the end of the task's process is to take back. False where there is no memory for it. */
function remember(task: Task, set: SemaphoreSet, back: ReadonlyMap<number, number>): boolean {
  if (back.size === 0) return true
  const { process: proc } = task
  const undo = set.undo.get(proc) ?? { changes: new Map<number, number>(), memory: new KernelMemory(task) }
  const { changes, memory } = undo
  let count = 0
  for (const semaphore of back.keys()) if (!changes.has(semaphore)) count++
  if (!memory.take(count * UNDO_BYTES)) return false
  for (const [semaphore, change] of back) changes.set(semaphore, (changes.get(semaphore) ?? 0) + change)
  set.undo.set(proc, undo)
  const all = undoing.get(proc) ?? new Set()
  all.add(set)
  undoing.set(proc, all)
  return true
}

/** Nothing of what a process did with a set is to be taken back any more. */
function forget(proc: Process, set: SemaphoreSet): void {
  set.undo.get(proc)?.memory.free()
  set.undo.delete(proc)
  undoing.get(proc)?.delete(set)
}

/** A process ends: what it did with SEM_UNDO is taken back. */
export function undoSemaphores(proc: Process): void {
  for (const set of [...(undoing.get(proc) ?? [])]) {
    for (const [n, change] of set.undo.get(proc)!.changes)
      set.values[n] = Math.max(0, Math.min(HIGHEST, set.values[n]! + change))
    forget(proc, set)
    set.queue.wake()
  }
  undoing.delete(proc)
}

/** `struct seminfo`: of IPC_INFO limits alone, of SEM_INFO how many sets and semaphores there are. */
function writeInfo(task: Task, at: number, isUsage: boolean): number {
  const table = sets(task.ns.ipc)
  const all = table.all()
  const count = all.reduce((sum, { values }) => sum + values.length, 0)
  const limits = [MOST_OF_ALL, MOST_SETS, MOST_OF_ALL, MOST_OF_ALL, MOST, MOST_OPERATIONS, MOST_OPERATIONS]
  const usage = isUsage ? [all.length, HIGHEST, count] : [20, HIGHEST, HIGHEST]
  writeWords(task, at, [...limits, ...usage])
  return table.highest
}

/** `struct semid64_ds`. */
function writeSet(task: Task, at: number, set: SemaphoreSet): void {
  set.writePermissions(task, at)
  writeWords(task, at + PERM_BYTES, [set.operated, 0, set.changed, 0, set.values.length, 0, 0])
}

/** `argument` is a number or an address. */
export function semctl(task: Task, id: number, number: number, known: number, argument: number): number {
  const { memory } = task.kernel
  const table = sets(task.ns.ipc)
  const address = argument >>> 0
  if (id < 0) return -Errno.EINVAL
  if (known === Ipc.INFO || known === Sem.INFO) return writeInfo(task, address, known === Sem.INFO)
  const isByIndex = known === Sem.STAT || known === Sem.STAT_ANY
  const set = isByIndex ? table.at(id) : table.find(id)
  if (set === undefined) return -Errno.EINVAL
  const { values, pids } = set
  const isOfOne = known === Sem.SETVAL || (known >= Sem.GETPID && known !== Sem.GETALL && known <= Sem.GETZCNT)
  if (isOfOne && (number < 0 || number >= values.length)) return -Errno.EINVAL
  const isOwners = known === Ipc.RMID || known === Ipc.SET
  if (isOwners && !set.belongsTo(task)) return -Errno.EPERM
  if (
    !isOwners &&
    known !== Sem.STAT_ANY &&
    !set.permits(task, known === Sem.SETVAL || known === Sem.SETALL ? WRITE : READ)
  )
    return -Errno.EACCES
  const waiting = (forZero: boolean): number =>
    [...set.waiting].filter(
      ([waiter, each]) => waiter.state === 'blocked' && each.semaphore === number && each.forZero === forZero,
    ).length
  switch (known) {
    case Ipc.RMID:
      table.remove(set)
      set.end()
      return 0
    case Ipc.SET:
      return set.readPermissions(task, address)
    case Ipc.STAT:
    case Sem.STAT:
    case Sem.STAT_ANY:
      writeSet(task, address, set)
      return isByIndex ? set.id : 0
    case Sem.GETVAL:
      return values[number]!
    case Sem.GETPID:
      return shownPid(task, pids[number]!)
    case Sem.GETNCNT:
    case Sem.GETZCNT:
      return waiting(known === Sem.GETZCNT)
    case Sem.GETALL:
      for (const [n, value] of values.entries()) memory.set16(address + n * 2, value)
      return 0
    case Sem.SETVAL:
      return setValues(task, set, number, [argument])
    case Sem.SETALL:
      return setValues(
        task,
        set,
        0,
        Array.from(values, (_, n) => memory.get16(address + n * 2)),
      )
    default:
      return -Errno.EINVAL
  }
}

const WIDTHS: readonly number[] = [10, 10, 5, 10, 5, 5, 5, 5, 10, 10]

/** /proc/sysvipc/sem, of the reader's namespace. */
export function semaphoresText(task: Task): string {
  const { uids, gids } = task.ids.user
  const rows = sets(task.ns.ipc)
    .all()
    .map((each) =>
      columns(WIDTHS, [
        ...[each.key, each.id, each.mode.toString(8), each.values.length, uids.shown(each.uid), gids.shown(each.gid)],
        ...[uids.shown(each.cuid), gids.shown(each.cgid), each.operated, each.changed],
      ]),
    )
  const head = ['key', 'semid', 'perms', 'nsems', 'uid', 'gid', 'cuid', 'cgid', 'otime', 'ctime']
  return columns(WIDTHS, head) + rows.join('')
}

function setValues(task: Task, set: SemaphoreSet, first: number, values: readonly number[]): number {
  if (values.some((value) => value < 0 || value > HIGHEST)) return -Errno.ERANGE
  for (const [n, value] of values.entries()) {
    set.values[first + n] = value
    set.pids[first + n] = task.process.pid
  }
  for (const { changes } of set.undo.values())
    for (const semaphore of changes.keys())
      if (semaphore >= first && semaphore < first + values.length) changes.set(semaphore, 0)
  set.changed = task.kernel.time.seconds
  set.queue.wake()
  return 0
}
