/** Segments of shared memory: shmget(2), shmat(2), shmdt(2), shmctl(2). */
import { Errno } from '../errno.ts'
import { FilePages } from '../memory/file-pages.ts'
import { PAGE } from '../memory/frames.ts'
import { KERNEL_PAGE } from '../memory/page-table.ts'
import { Prot } from '../memory/vma.ts'
import type { Kernel, Task } from '../system.ts'
import { shownPid } from '../tasks/numbers.ts'
import { columns, Ipc, IpcObject, type IpcTable, PERM_BYTES, tables, writeWords } from './objects.ts'

const Shm = {
  RDONLY: 0o10000,
  RND: 0o20000,
  REMAP: 0o40000,
  EXEC: 0o100000,
  LOCK: 11,
  UNLOCK: 12,
  STAT: 13,
  INFO: 14,
  STAT_ANY: 15,
} as const
/** SHMMNI; SHMMAX in bytes, and SHMALL, which is as many pages. */
const MOST_SEGMENTS = 4096
const LARGEST = 0xfeff_ffff
/** In a mode: it goes with its last attachment. */
const DEST = 0o1000
const READ = 0o444
const WRITE = 0o222

/** Pages of segments that live, by kernel: for checks. */
const living = new WeakMap<Kernel, Set<FilePages>>()

export function segmentsOf(kernel: Kernel): ReadonlySet<FilePages> {
  return living.get(kernel) ?? new Set()
}

/** A segment. It holds on to its pages, until it is removed; then its attachments do. */
class Segment extends IpcObject {
  readonly bytes: number
  readonly pages: FilePages
  readonly kernel: Kernel
  readonly creator: number
  last = 0
  attached = 0
  detached = 0

  constructor(task: Task, key: number, bytes: number, mode: number) {
    super(task, key, mode)
    const { kernel } = task
    this.kernel = kernel
    this.bytes = bytes
    this.creator = task.process.pid
    this.pages = new FilePages(kernel.frames, null, `/SYSV${(key >>> 0).toString(16).padStart(8, '0')} (deleted)`)
    this.pages.mapped()
    let all = living.get(kernel)
    if (all === undefined) {
      all = new Set()
      living.set(kernel, all)
    }
    all.add(this.pages)
  }

  get isReleased(): boolean {
    return (this.mode & DEST) !== 0
  }
  get attachments(): number {
    return this.pages.mappings - (this.isReleased ? 0 : 1)
  }
  /** Removed: its pages are its attachments' from now on. */
  release(): void {
    if (this.isReleased) return
    this.mode |= DEST
    living.get(this.kernel)!.delete(this.pages)
    this.pages.unmapped()
  }
}

const tablesOf = tables<Segment>(MOST_SEGMENTS, (segment) => segment.release())

/** The segments of a task's namespace: those that were removed are there until their last attachment goes. */
function segmentsFor(task: Task): IpcTable<Segment> {
  const table = tablesOf(task.ns.ipc)
  for (const segment of table.all()) if (segment.isReleased && segment.attachments === 0) table.remove(segment)
  return table
}

export function shmget(task: Task, key: number, bytes: number, flags: number): number {
  return segmentsFor(task).get(
    task,
    key,
    flags,
    (segment) => bytes <= segment.bytes,
    () => (bytes === 0 || bytes > KERNEL_PAGE * PAGE ? -Errno.EINVAL : new Segment(task, key, bytes, flags)),
  )
}

export function shmat(task: Task, id: number, address: number, flags: number): number {
  const segment = segmentsFor(task).find(id)
  if (segment === undefined) return -Errno.EINVAL
  const isReadOnly = (flags & Shm.RDONLY) !== 0
  if (!segment.permits(task, isReadOnly ? READ : READ | WRITE)) return -Errno.EACCES
  const at = (flags & Shm.RND) !== 0 ? address - (address % PAGE) : address
  if (at % PAGE !== 0 || ((flags & Shm.REMAP) !== 0 && at === 0)) return -Errno.EINVAL
  const how = at === 0 ? 'free' : (flags & Shm.REMAP) !== 0 ? 'fixed' : 'new'
  const prot = Prot.READ | (isReadOnly ? 0 : Prot.WRITE) | ((flags & Shm.EXEC) !== 0 ? Prot.EXEC : 0)
  const what = { prot, shared: true, pages: segment.pages, mayWrite: !isReadOnly }
  const page = task.space.map(at / PAGE, Math.ceil(segment.bytes / PAGE), what, how)
  if (page < 0) return page === -Errno.EEXIST ? -Errno.EINVAL : page
  segment.attached = task.kernel.time.seconds
  segment.last = task.process.pid
  return page * PAGE
}

export function shmdt(task: Task, address: number): number {
  const { space, kernel } = task
  const first = space.areas.at(address / PAGE)
  const isSegment = first?.pages?.inode === null && first.shared && first.pages.name.startsWith('/SYSV')
  if (address % PAGE !== 0 || first === undefined || !isSegment || first.start - first.offset !== address / PAGE)
    return -Errno.EINVAL
  const { pages } = first
  const base = address / PAGE
  const all = space.areas.list.filter((area) => area.pages === pages && area.start - area.offset === base)
  for (const { start, end } of all) space.unmap(start, end - start)
  for (const segment of segmentsFor(task).all()) {
    if (segment.pages !== pages) continue
    segment.detached = kernel.time.seconds
    segment.last = task.process.pid
  }
  return 0
}

/** `struct shminfo64`: limits. */
function writeLimits(task: Task, at: number): number {
  writeWords(task, at, [LARGEST, 1, MOST_SEGMENTS, MOST_SEGMENTS, LARGEST, 0, 0, 0, 0])
  return segmentsFor(task).highest
}
/** `struct shm_info`: segments, their pages, and those that are there. */
function writeUsage(task: Task, at: number): number {
  const table = segmentsFor(task)
  const all = table.all()
  const total = all.reduce((sum, { bytes }) => sum + Math.ceil(bytes / PAGE), 0)
  const resident = all.reduce((sum, { pages }) => sum + pages.size, 0)
  writeWords(task, at, [all.length, total, resident, 0, 0, 0])
  return table.highest
}

export function shmctl(task: Task, id: number, command: number, at: number): number {
  const table = segmentsFor(task)
  if (id < 0) return -Errno.EINVAL
  if (command === Ipc.INFO) return writeLimits(task, at)
  if (command === Shm.INFO) return writeUsage(task, at)
  const isByIndex = command === Shm.STAT || command === Shm.STAT_ANY
  const segment = isByIndex ? table.at(id) : table.find(id)
  if (segment === undefined) return -Errno.EINVAL
  switch (command) {
    case Ipc.STAT:
    case Shm.STAT:
    case Shm.STAT_ANY:
      if (command !== Shm.STAT_ANY && !segment.permits(task, READ)) return -Errno.EACCES
      writeSegment(task, at, segment)
      return isByIndex ? segment.id : 0
    case Ipc.SET:
      return segment.belongsTo(task) ? segment.readPermissions(task, at) : -Errno.EPERM
    case Ipc.RMID:
      if (!segment.belongsTo(task)) return -Errno.EPERM
      table.hide(segment)
      segment.release()
      if (segment.attachments === 0) table.remove(segment)
      return 0
    case Shm.LOCK:
    case Shm.UNLOCK:
      return segment.belongsTo(task) ? 0 : -Errno.EPERM
    default:
      return -Errno.EINVAL
  }
}

const WIDTHS: readonly number[] = [10, 10, 5, 21, 5, 5, 6, 5, 5, 5, 5, 10, 10, 10, 21, 21]

/** /proc/sysvipc/shm, of the reader's namespace. */
export function segmentsText(task: Task): string {
  const { uids, gids } = task.ids.user
  const head = ['key', 'shmid', 'perms', 'size', 'cpid', 'lpid', 'nattch', 'uid', 'gid', 'cuid', 'cgid']
  const rows = segmentsFor(task)
    .all()
    .map((each) =>
      columns(WIDTHS, [
        ...[
          each.key,
          each.id,
          each.mode.toString(8),
          each.bytes,
          shownPid(task, each.creator),
          shownPid(task, each.last),
        ],
        ...[each.attachments, uids.shown(each.uid), gids.shown(each.gid), uids.shown(each.cuid), gids.shown(each.cgid)],
        ...[each.attached, each.detached, each.changed, each.pages.size * PAGE, 0],
      ]),
    )
  return columns(WIDTHS, [...head, 'atime', 'dtime', 'ctime', 'rss', 'swap']) + rows.join('')
}

/** `struct shmid64_ds`. */
function writeSegment(task: Task, at: number, segment: Segment): void {
  segment.writePermissions(task, at)
  const pids = [shownPid(task, segment.creator), shownPid(task, segment.last)]
  const times = [segment.attached, 0, segment.detached, 0, segment.changed, 0]
  writeWords(task, at + PERM_BYTES, [segment.bytes, ...times, ...pids, segment.attachments, 0, 0])
}
