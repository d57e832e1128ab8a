/** Calls on paths (open(2), stat(2), mkdir(2) and their like), which are the file system layer's, for programs. */
import { At, type ByteString, isRegular, Open, type Path, Stat } from '@vmexit/vfs'
import { Errno } from '../errno.ts'
import type { FilePages } from '../memory/file-pages.ts'
import type { Kernel, Task } from '../system.ts'
import { Limit } from '../tasks/limits.ts'
import { SMALL_FILE } from './io.ts'
import { isSealed, Seal } from './seals.ts'
import { VfsFile } from './vfs-file.ts'

const { AT_FDCWD, AT_EMPTY_PATH } = At

/** Where a path begins that a call gives with a descriptor. */
export function start(task: Task, at: number, path: ByteString): Path | null | number {
  if (at === AT_FDCWD || path.startsWith('/')) return null
  const file = task.files.get(at)
  if (file === undefined) return -Errno.EBADF
  return file.file?.path ?? -Errno.ENOTDIR
}

/** Has a call done with where its path begins. */
export function from(task: Task, at: number, path: ByteString, act: (place: Path | null) => number): number {
  const place = start(task, at, path)
  return typeof place === 'number' ? place : act(place)
}

/** RESOLVE_BENEATH and RESOLVE_IN_ROOT. */
const CONFINED = 0x18

/** openat(2), openat2(2). */
export function open(task: Task, at: number, path: ByteString, flags: number, mode: number, resolve = 0): number {
  const { kernel } = task
  const limit = task.process.limits.soft[Limit.NOFILE]!
  if (!task.files.hasRoom(limit)) return -Errno.EMFILE
  // Below a root of the call's own, even `/` begins at the descriptor.
  const place = start(task, at, (resolve & CONFINED) !== 0 ? path.replace(/^\/+/, '') : path)
  if (typeof place === 'number') return place
  const file = kernel.vfs.open(task.context, place, path, flags, mode, resolve)
  if (typeof file === 'number') return file
  if ((flags & Open.O_TRUNC) !== 0 && isRegular(file.inode.mode)) truncated(kernel, file.inode, 0)
  const opened = new VfsFile(kernel, file)
  if ((flags & (Open.O_LARGEFILE | Open.O_PATH)) === 0 && isRegular(file.inode.mode) && file.inode.size > SMALL_FILE) {
    opened.close(undefined)
    return -Errno.EOVERFLOW
  }
  const fd = task.files.add(opened, (flags & Open.O_CLOEXEC) !== 0, limit)
  if (fd < 0) opened.close(undefined)
  return fd
}

/** A file has another size: what is cached and mapped of it goes along. */
function truncated(kernel: Kernel, inode: Parameters<Kernel['pageCache']['known']>[0], size: number): void {
  const pages = kernel.pageCache.known(inode)
  if (pages === undefined) return
  if (pages.mappings > 0) unmapFrom(kernel, pages, Math.ceil(size / 4096))
  pages.truncated(size)
}

function unmapFrom(kernel: Kernel, pages: FilePages, first: number): void {
  const spaces = new Set([...kernel.processes.values()].flatMap(({ tasks }) => [...tasks].map(({ space }) => space)))
  for (const space of spaces) space.truncated(pages, first)
}

/** fstatat(2), statx(2). */
export function stat(task: Task, at: number, path: ByteString, flags: number, into: Stat): number {
  if (path === '' && (flags & AT_EMPTY_PATH) !== 0 && at !== AT_FDCWD) return fstat(task, at, into)
  const answer = from(task, at, path, (place) => task.kernel.vfs.stat(task.context, place, path, into, flags))
  return answer < 0 ? answer : shown(task, into)
}

export function fstat(task: Task, fd: number, into: Stat): number {
  const answer = task.files.get(fd)?.stat(into) ?? -Errno.EBADF
  return answer < 0 ? answer : shown(task, into)
}

/** Owners as the task's user namespace knows them. */
function shown({ ids: { user } }: Task, stat: Stat): number {
  if (user.parent === null) return 0
  stat.uid = user.uids.shown(stat.uid)
  stat.gid = user.gids.shown(stat.gid)
  return 0
}

export function truncate(task: Task, path: ByteString, size: number): number {
  const { vfs } = task.kernel
  const answer = vfs.truncate(task.context, path, size)
  if (answer < 0) return answer
  const place = vfs.lookup(task.context, null, path)
  if (typeof place !== 'number' && place.dentry.inode) truncated(task.kernel, place.dentry.inode, size)
  return answer
}

export function ftruncate(task: Task, fd: number, size: number): number {
  const file = task.files.get(fd)
  if (file === undefined) return -Errno.EBADF
  if (file.file === undefined) return -Errno.EINVAL
  const { inode } = file.file
  if (size >= 0 && isSealed(inode, size < inode.size ? Seal.SHRINK : size > inode.size ? Seal.GROW : 0))
    return -Errno.EPERM
  const answer = task.kernel.vfs.ftruncate(task.context, file.file, size)
  if (answer === 0) truncated(task.kernel, file.file.inode, size)
  return answer
}

/** One entry of a directory, put at `at`: its layout is the ABI's. Answers its bytes, or 0 where there is no room. */
export type PutEntry = (view: DataView, at: number, name: ByteString, ino: number, type: number, next: number) => number

/** `struct linux_dirent64`. */
const putEntry64: PutEntry = (view, at, name, ino, type, next) => {
  const size = (19 + name.length + 1 + 7) & ~7
  if (at + size > view.byteLength) return 0
  view.setBigUint64(at, BigInt(ino), true)
  view.setBigInt64(at + 8, BigInt(next), true)
  view.setUint16(at + 16, size, true)
  view.setUint8(at + 18, type)
  for (let n = 0; n < name.length; n++) view.setUint8(at + 19 + n, name.charCodeAt(n))
  return size
}

/** getdents64(2), and with another layout getdents(2). */
export function getdents(task: Task, fd: number, address: number, length: number, put: PutEntry = putEntry64): number {
  const { kernel } = task
  const file = task.files.get(fd)
  if (file === undefined) return -Errno.EBADF
  if (file.file === undefined) return -Errno.ENOTDIR
  const before = file.file.position
  const bytes = new Uint8Array(Math.min(length, 65_536))
  const view = new DataView(bytes.buffer)
  let at = 0
  let isFull = false
  const answer = kernel.vfs.getdents(file.file, {
    entry(name, ino, type, next) {
      const size = put(view, at, name, ino, type, next)
      isFull ||= size === 0
      at += size
      return size > 0
    },
  })
  if (answer < 0) return answer
  if (at === 0 && isFull) return -Errno.EINVAL
  try {
    kernel.memory.write(address, bytes.subarray(0, at))
  } catch (reason) {
    file.file.position = before
    throw reason
  }
  return at
}

/** readlinkat(2): without a zero, cut to what there is room for. */
export function readlink(task: Task, at: number, path: ByteString, address: number, length: number): number {
  const { kernel } = task
  if (length <= 0) return -Errno.EINVAL
  const place = start(task, at, path)
  if (typeof place === 'number') return place
  const target = kernel.vfs.readlink(task.context, place, path)
  if (typeof target === 'number') return target
  const bytes = Uint8Array.from(target.slice(0, length), (character) => character.charCodeAt(0))
  kernel.memory.write(address, bytes)
  return bytes.length
}

export function getcwd(task: Task, address: number, length: number): number {
  const path = task.kernel.vfs.getcwd(task.context)
  if (typeof path === 'number') return path
  if (path.length + 1 > length) return -Errno.ERANGE
  task.kernel.memory.write(
    address,
    Uint8Array.from(`${path}\0`, (character) => character.charCodeAt(0)),
  )
  return path.length + 1
}

/** The record of calls that fill one in. */
export const scratchStat: Stat = new Stat()
