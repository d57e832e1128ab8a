/** Calls on address spaces: mmap2(2), mprotect(2), mremap(2), madvise(2), msync(2), brk(2). */
import { isRegular, MountFlag, type Open } from '@vmexit/vfs'
import { Errno } from '../errno.ts'
import { isSealed, Seal } from '../files/seals.ts'
import type { Kernel, Task } from '../system.ts'
import type { Mapping } from './address-space.ts'
import { FilePages } from './file-pages.ts'
import { PAGE } from './frames.ts'
import { KERNEL_PAGE } from './page-table.ts'
import { MOST_AREAS, OnFork, Prot } from './vma.ts'

// biome-ignore format: a table
const MapFlag = {
  SHARED: 1, PRIVATE: 2, SHARED_VALIDATE: 3, TYPE: 0xf, FIXED: 0x10, ANONYMOUS: 0x20, GROWSDOWN: 0x100,
  POPULATE: 0x8000, FIXED_NOREPLACE: 0x10_0000,
} as const
/** Flags of old, and those that say nothing here: what MAP_SHARED_VALIDATE lets through. */
const KNOWN_FLAGS = 0x17_fd73
const PROT = Prot.READ | Prot.WRITE | Prot.EXEC
const O_ACCMODE: (typeof Open)['O_ACCMODE'] = 3

/** mmap2(2): `offset` is in pages. Answers the address, as a word. */
export function mmap(
  task: Task,
  address: number,
  length: number,
  prot: number,
  flags: number,
  fd: number,
  offset: number,
): number {
  const { space, kernel } = task
  const count = Math.ceil(length / PAGE)
  const isAnonymous = (flags & MapFlag.ANONYMOUS) !== 0
  const given = isAnonymous ? undefined : task.files.get(fd)
  if (!isAnonymous && (given === undefined || given.file?.isPath)) return -Errno.EBADF
  if (length === 0) return -Errno.EINVAL
  if (count > KERNEL_PAGE) return -Errno.ENOMEM
  const fixed = (flags & (MapFlag.FIXED | MapFlag.FIXED_NOREPLACE)) !== 0
  if (fixed && address % PAGE !== 0) return -Errno.EINVAL
  const type = flags & MapFlag.TYPE
  const shared = type === MapFlag.SHARED || type === MapFlag.SHARED_VALIDATE
  if (!shared && type !== MapFlag.PRIVATE) return -Errno.EINVAL
  if (shared && isAnonymous && (flags & MapFlag.GROWSDOWN) !== 0) return -Errno.EINVAL
  if (type === MapFlag.SHARED_VALIDATE && (flags & ~KNOWN_FLAGS) !== 0) return -Errno.EOPNOTSUPP
  const isData = !shared && (prot & Prot.WRITE) !== 0
  if (isData && task.space.dataPages + count > task.space.dataLimit) return -Errno.ENOMEM
  let pages: FilePages | undefined
  let mapped: Pick<Mapping, 'file' | 'name'> = {}
  let mayWrite = true
  if (given !== undefined) {
    const file = given
    if (file.file === undefined || (!isRegular(file.file.inode.mode) && file.describe(task.context) !== '/dev/zero'))
      return -Errno.ENODEV
    if (!file.isReadable) return -Errno.EACCES
    mayWrite = !shared || (file.flags & O_ACCMODE) === 2
    if (!mayWrite && (prot & Prot.WRITE) !== 0) return -Errno.EACCES
    if (shared && isSealed(file.file.inode, Seal.WRITE | Seal.FUTURE_WRITE)) {
      if ((prot & Prot.WRITE) !== 0) return -Errno.EPERM
      mayWrite = false
    }
    if ((prot & Prot.EXEC) !== 0 && (file.file.path.mount.flags & MountFlag.NOEXEC) !== 0) return -Errno.EPERM
    if (offset + count > 2 ** 40) return -Errno.EOVERFLOW
    const { inode } = file.file
    if (isRegular(inode.mode)) {
      pages = kernel.pageCache.of(inode)
      mapped = { file: inode, name: file.describe(task.context) }
    }
  }
  if (pages === undefined && shared) pages = new FilePages(kernel.frames, null, '/dev/zero (deleted)')
  const how = (flags & MapFlag.FIXED_NOREPLACE) !== 0 ? 'new' : fixed ? 'fixed' : 'free'
  const at = space.map(
    Math.ceil(address / PAGE),
    count,
    {
      prot: prot & PROT,
      shared,
      growsDown: (flags & MapFlag.GROWSDOWN) !== 0,
      pages,
      offset: pages?.inode ? offset : 0,
      mayWrite,
      ...mapped,
    },
    how,
  )
  if (at < 0) return at
  if ((flags & MapFlag.POPULATE) !== 0)
    for (let page = at; page < at + count; page++) space.fault(page, (prot & Prot.WRITE) !== 0)
  return addressOf(at)
}

/** A page as what a call answers: unsigned, so that it is no error. */
function addressOf(page: number): number {
  return page * PAGE
}

/** Pages of a range that must begin at one; undefined for a range that is none. */
function pagesOf(address: number, length: number): { first: number; count: number } | undefined {
  const count = Math.ceil(length / PAGE)
  const first = address / PAGE
  return address % PAGE !== 0 || first + count > 0x10_0000 ? undefined : { first, count }
}

export function munmap(task: Task, address: number, length: number): number {
  const range = pagesOf(address, length)
  if (range === undefined || range.count === 0 || range.first + range.count > KERNEL_PAGE) return -Errno.EINVAL
  return task.space.unmap(range.first, range.count)
}

export function mprotect(task: Task, address: number, length: number, prot: number): number {
  if (address % PAGE === 0 && address + length > 2 ** 32 - PAGE) return -Errno.ENOMEM
  const range = pagesOf(address, length)
  if (range === undefined || (prot & ~(PROT | 8 | Prot.GROWSDOWN | Prot.GROWSUP)) !== 0) return -Errno.EINVAL
  if (range.count === 0) return 0
  let { first, count } = range
  if ((prot & Prot.GROWSDOWN) !== 0) {
    const area = task.space.areas.at(first)
    if (area === undefined || !area.growsDown) return -Errno.EINVAL
    count += first - area.start
    first = area.start
  }
  return task.space.protect(first, count, prot & PROT)
}

export function mremap(
  task: Task,
  address: number,
  oldLength: number,
  newLength: number,
  flags: number,
  to: number,
): number {
  const MAYMOVE = 1
  const FIXED = 2
  const DONTUNMAP = 4
  const { space } = task
  const range = pagesOf(address, oldLength)
  if (range === undefined || newLength === 0 || (flags & ~(MAYMOVE | FIXED | DONTUNMAP)) !== 0) return -Errno.EINVAL
  if ((flags & FIXED) !== 0 && ((flags & MAYMOVE) === 0 || to % PAGE !== 0)) return -Errno.EINVAL
  const { first, count } = range
  const wanted = Math.ceil(newLength / PAGE)
  const staysMapped = (flags & DONTUNMAP) !== 0
  if (staysMapped && ((flags & MAYMOVE) === 0 || count !== wanted)) return -Errno.EINVAL
  if (wanted > KERNEL_PAGE) return -Errno.EINVAL
  const area = space.areas.at(first)
  if (area === undefined || first + count > area.end) return -Errno.EFAULT
  // Of no bytes of a shared mapping another one is made.
  if (count === 0 && (!area.shared || (flags & MAYMOVE) === 0)) return -Errno.EINVAL
  if ((flags & (FIXED | DONTUNMAP)) === 0 && count > 0) {
    if (wanted <= count) {
      const answer = wanted < count ? space.unmap(first + wanted, count - wanted) : 0
      return answer < 0 ? answer : addressOf(first)
    }
    const what = { ...area, offset: area.offset + (first + count - area.start) }
    if (first + count === area.end && space.map(first + count, wanted - count, what, 'new') >= 0)
      return addressOf(first)
    if ((flags & MAYMOVE) === 0) return -Errno.ENOMEM
  }
  const target = (flags & FIXED) !== 0 ? to / PAGE : 0
  if ((flags & FIXED) !== 0 && target < first + count && first < target + wanted) return -Errno.EINVAL
  // (Moving it cuts areas.)
  if (space.areas.list.length > MOST_AREAS - 3) return -Errno.ENOMEM
  const kept = Math.min(count, wanted)
  const what = { ...area, offset: area.offset + (first - area.start) }
  const moved = space.map(target, wanted, what, (flags & FIXED) !== 0 ? 'fixed' : 'free')
  if (moved < 0) return moved
  if (!space.move(first, kept, moved)) return -Errno.ENOMEM
  if (!staysMapped && count > 0) space.unmap(first, count)
  return addressOf(moved)
}

export function madvise(task: Task, address: number, length: number, advice: number): number {
  const range = pagesOf(address, length)
  if (!ADVICES.has(advice) || range === undefined) return -Errno.EINVAL
  if (range.count === 0) return 0
  if (advice === Advice.DONTNEED) return task.space.discard(range.first, range.count)
  const { first, count } = range
  const onFork = forkAdvices.get(advice)
  if (onFork !== undefined) return task.space.setOnFork(first, count, ...onFork)
  const areas = task.space.areas.between(first, first + count)
  if (advice === Advice.FREE) {
    if (areas.some(({ pages }) => pages !== undefined)) return -Errno.EINVAL
    return task.space.discard(first, count)
  }
  if (advice === Advice.REMOVE) {
    for (const area of areas) {
      const { pages } = area
      if (!area.shared || pages === undefined) return -Errno.EINVAL
      if (!area.mayWrite) return -Errno.EACCES
      const start = area.offset + Math.max(0, first - area.start)
      const end = area.offset + Math.min(area.end, first + count) - area.start
      const { inode } = pages
      inode?.fs.fallocate(inode, KEEP_SIZE_AND_PUNCH, start * PAGE, (end - start) * PAGE)
      punched(task.kernel, pages, start * PAGE, end * PAGE)
    }
  }
  return task.space.isMapped(first, count) ? 0 : -Errno.ENOMEM
}

/** Bytes of a file, or of memory that is shared without one, are a hole now: what is cached and mapped of them goes along. */
export function punched(kernel: Kernel, pages: FilePages, start: number, end: number): void {
  const spaces = new Set([...kernel.processes.values()].flatMap(({ tasks }) => [...tasks].map(({ space }) => space)))
  for (const space of spaces) space.punched(pages, Math.ceil(start / PAGE), Math.floor(end / PAGE))
  pages.punched(start, end)
}
const KEEP_SIZE_AND_PUNCH = 3

// biome-ignore format: a table
const Advice = { DONTNEED: 4, FREE: 8, REMOVE: 9, DONTFORK: 10, DOFORK: 11, WIPEONFORK: 18, KEEPONFORK: 19 } as const
/** What they set and clear of `OnFork`. */
const forkAdvices: ReadonlyMap<number, readonly [set: number, clear: number]> = new Map([
  [Advice.DONTFORK, [OnFork.LEAVE, 0]],
  [Advice.DOFORK, [0, OnFork.LEAVE]],
  [Advice.WIPEONFORK, [OnFork.WIPE, 0]],
  [Advice.KEEPONFORK, [0, OnFork.WIPE]],
])
/** Those of madvise(2); what is not named above is taken, without effect. */
const ADVICES: ReadonlySet<number> = new Set([
  ...[0, 1, 2, 3, Advice.DONTNEED, Advice.FREE, Advice.REMOVE, 12, 13, 14, 15, 16, 17, 20, 21, 22, 23, 24, 25],
  ...forkAdvices.keys(),
])

export function msync(task: Task, address: number, length: number, flags: number): number {
  const [ASYNC, INVALIDATE, SYNC] = [1, 2, 4]
  const range = pagesOf(address, length)
  if ((flags & ~(ASYNC | INVALIDATE | SYNC)) !== 0 || (flags & (ASYNC | SYNC)) === (ASYNC | SYNC)) return -Errno.EINVAL
  if (range === undefined) return address % PAGE === 0 ? -Errno.ENOMEM : -Errno.EINVAL
  if (!task.space.isMapped(range.first, range.count)) return -Errno.ENOMEM
  for (const area of task.space.areas.between(range.first, range.first + range.count))
    if (area.shared) area.pages?.flush()
  return 0
}

export function brk(task: Task, end: number): number {
  return task.space.brk(end)
}
