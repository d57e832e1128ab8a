/** Calls on address spaces: mmap2(2), mprotect(2), mremap(2), madvise(2), msync(2), brk(2). */
import { isRegular, MountFlag, type Open } from '@vmexit/vfs'
import { Errno } from '../errno.ts'
import type { Task } from '../system.ts'
import { FilePages } from './file-pages.ts'
import { PAGE } from './frames.ts'
import { KERNEL_PAGE } from './page-table.ts'
import { Prot } from './vma.ts'

// biome-ignore format: a table
const MapFlag = {
  SHARED: 1, PRIVATE: 2, SHARED_VALIDATE: 3, TYPE: 0xf, FIXED: 0x10, ANONYMOUS: 0x20, GROWSDOWN: 0x100,
  POPULATE: 0x8000, FIXED_NOREPLACE: 0x10_0000,
} as const
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
  if (length === 0) return -Errno.EINVAL
  if (count > KERNEL_PAGE) return -Errno.ENOMEM
  const fixed = (flags & (MapFlag.FIXED | MapFlag.FIXED_NOREPLACE)) !== 0
  if (fixed && address % PAGE !== 0) return -Errno.EINVAL
  const type = flags & MapFlag.TYPE
  const shared = type === MapFlag.SHARED || type === MapFlag.SHARED_VALIDATE
  if (!shared && type !== MapFlag.PRIVATE) return -Errno.EINVAL
  let pages: FilePages | undefined
  let mayWrite = true
  if ((flags & MapFlag.ANONYMOUS) === 0) {
    const file = task.files.get(fd)
    if (file === undefined) return -Errno.EBADF
    if (file.file === undefined || (!isRegular(file.file.inode.mode) && file.describe(task.context) !== '/dev/zero'))
      return -Errno.ENODEV
    if (!file.isReadable) return -Errno.EACCES
    mayWrite = !shared || (file.flags & O_ACCMODE) === 2
    if (!mayWrite && (prot & Prot.WRITE) !== 0) return -Errno.EACCES
    if ((prot & Prot.EXEC) !== 0 && (file.file.path.mount.flags & MountFlag.NOEXEC) !== 0) return -Errno.EPERM
    if (offset + count > 2 ** 40) return -Errno.EOVERFLOW
    if (isRegular(file.file.inode.mode)) pages = kernel.pageCache.of(file.file.inode, file.describe(task.context))
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
  const { space } = task
  const range = pagesOf(address, oldLength)
  if (range === undefined || newLength === 0 || (flags & ~(MAYMOVE | FIXED)) !== 0) return -Errno.EINVAL
  if ((flags & FIXED) !== 0 && ((flags & MAYMOVE) === 0 || to % PAGE !== 0)) return -Errno.EINVAL
  const { first, count } = range
  const wanted = Math.ceil(newLength / PAGE)
  const area = space.areas.at(first)
  if (area === undefined || first + count > area.end) return -Errno.EFAULT
  if (count === 0) return -Errno.EINVAL
  if ((flags & FIXED) === 0) {
    if (wanted <= count) {
      if (wanted < count) space.unmap(first + wanted, count - wanted)
      return addressOf(first)
    }
    const what = { ...area, offset: area.offset + (first + count - area.start) }
    if (first + count === area.end && space.map(first + count, wanted - count, what, 'new') >= 0)
      return addressOf(first)
    if ((flags & MAYMOVE) === 0) return -Errno.ENOMEM
  }
  const target = (flags & FIXED) !== 0 ? to / PAGE : 0
  if ((flags & FIXED) !== 0 && target < first + count && first < target + wanted) return -Errno.EINVAL
  const kept = Math.min(count, wanted)
  const what = { ...area, offset: area.offset + (first - area.start) }
  const moved = space.map(target, wanted, what, (flags & FIXED) !== 0 ? 'fixed' : 'free')
  if (moved < 0) return moved
  if (!space.move(first, kept, moved)) return -Errno.ENOMEM
  space.unmap(first, count)
  return addressOf(moved)
}

export function madvise(task: Task, address: number, length: number, advice: number): number {
  const DONTNEED = 4
  const FREE = 8
  const range = pagesOf(address, length)
  if (range === undefined) return -Errno.EINVAL
  if (range.count === 0) return 0
  if (advice === DONTNEED || advice === FREE) return task.space.discard(range.first, range.count)
  if (advice < 0 || (advice > 25 && advice !== 100 && advice !== 101)) return -Errno.EINVAL
  return task.space.isMapped(range.first, range.count) ? 0 : -Errno.ENOMEM
}

export function msync(task: Task, address: number, length: number): number {
  const range = pagesOf(address, length)
  if (range === undefined) return -Errno.EINVAL
  if (!task.space.isMapped(range.first, range.count)) return -Errno.ENOMEM
  for (const area of task.space.areas.list) {
    if (area.shared && area.end > range.first && area.start < range.first + range.count) area.pages?.flush()
  }
  return 0
}

export function brk(task: Task, end: number): number {
  return task.space.brk(end)
}
