/** What is done with an open file's data: read(2), write(2), lseek(2), ftruncate(2), fallocate(2), getdents(2). */

import { resize } from './attribute-calls.ts'
import type { TaskContext } from './context.ts'
import { Errno } from './errno.ts'
import type { File } from './file.ts'
import { type DirectoryVisitor, FIRST_COOKIE } from './file-system.ts'
import { EntryType, Fallocate, isDirectory, isRegular, Open, Seek } from './flags.ts'
import { InotifyMask } from './inotify/watch.ts'
import type { Layer } from './layer.ts'

const { EBADF, EFBIG, EINVAL, EISDIR, ENODEV, ENOENT, ENOTDIR, ENXIO, EOPNOTSUPP, EOVERFLOW, ESPIPE } = Errno

/** Reads at a position, or at the file's own, which then moves on. */
export function read(
  layer: Layer,
  file: File,
  into: Uint8Array,
  start: number,
  length: number,
  position: number | null,
): number {
  const { inode, operations } = file
  if (operations !== null && position !== null && !operations.seekable) return -ESPIPE
  if (!file.readable) return -EBADF
  if (position !== null && position < 0) return -EINVAL
  if (isDirectory(inode.mode)) return -EISDIR
  const at = position ?? file.position
  let count: number
  if (operations !== null) count = operations.read(into, start, length, at)
  else {
    if (length === 0) return 0
    count = inode.fs.read(inode, into, start, length, at)
    if (count >= 0 && !(file.flags & Open.O_NOATIME)) layer.touch(file.path.mount, inode)
  }
  if (count <= 0) return count
  if (position === null && (operations === null || operations.seekable)) file.position = at + count
  layer.notifier.file(file.path.dentry, InotifyMask.IN_ACCESS)
  return count
}

/** Writes at a position, at the file's own, which then moves on, or with O_APPEND at the end. */
export function write(
  layer: Layer,
  task: TaskContext,
  file: File,
  from: Uint8Array,
  start: number,
  length: number,
  position: number | null,
): number {
  const { inode, operations } = file
  if (operations !== null && position !== null && !operations.seekable) return -ESPIPE
  if (!file.writable) return -EBADF
  if (position !== null && position < 0) return -EINVAL
  let at = position ?? file.position
  let count: number
  if (operations !== null) count = operations.write(from, start, length, at)
  else {
    if (length === 0) return 0
    if (file.flags & Open.O_APPEND) at = inode.size
    const limit = Math.min(inode.fs.maxFileBytes, task.fileSizeLimit)
    if (at >= limit) {
      task.fileSizeExceeded = at >= task.fileSizeLimit
      return -EFBIG
    }
    const answer = layer.removePrivileges(task.credentials, inode)
    if (answer < 0) return answer
    count = inode.fs.write(inode, from, start, Math.min(length, limit - at), at)
  }
  if (count <= 0) return count
  if (position === null && (operations === null || operations.seekable)) file.position = at + count
  layer.notifier.file(file.path.dentry, InotifyMask.IN_MODIFY)
  return count
}

/** Moves the position of a file; answers it. */
export function lseek(file: File, offset: number, whence: number): number {
  if (file.isPath) return -EBADF
  const { inode, operations } = file
  if (operations !== null && !operations.seekable) return -ESPIPE
  let to: number
  switch (whence) {
    case Seek.SEEK_SET:
      to = offset
      break
    case Seek.SEEK_CUR:
      to = file.position + offset
      break
    case Seek.SEEK_END:
      if (isDirectory(inode.mode)) return -EINVAL
      to = inode.size + offset
      break
    case Seek.SEEK_DATA:
    case Seek.SEEK_HOLE:
      if (!isRegular(inode.mode)) return -EINVAL
      if (offset < 0) return -ENXIO
      to = inode.fs.seek(inode, offset, whence)
      if (to < 0) return to
      break
    default:
      return -EINVAL
  }
  if (to < 0) return -EINVAL
  if (to > inode.fs.maxFileBytes) return whence === Seek.SEEK_SET ? -EINVAL : -EOVERFLOW
  file.position = to
  return to
}

export function ftruncate(layer: Layer, task: TaskContext, file: File, size: number): number {
  if (size < 0) return -EINVAL
  if (file.isPath) return -EBADF
  if (!isRegular(file.inode.mode) || !file.writable || file.operations !== null) return -EINVAL
  return resize(layer, task, file.path, size)
}

export function fallocate(
  layer: Layer,
  task: TaskContext,
  file: File,
  mode: number,
  offset: number,
  length: number,
): number {
  const { FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE, FALLOC_FL_ZERO_RANGE } = Fallocate
  if (offset < 0 || length <= 0) return -EINVAL
  if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) return -EOPNOTSUPP
  if (mode & FALLOC_FL_PUNCH_HOLE && mode !== (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)) return -EOPNOTSUPP
  if (!file.writable) return -EBADF
  const { inode } = file
  if (isDirectory(inode.mode)) return -EISDIR
  if (!isRegular(inode.mode) || file.operations !== null) return file.operations?.seekable === false ? -ESPIPE : -ENODEV
  const end = offset + length
  if (end > inode.fs.maxFileBytes) return -EFBIG
  if (!(mode & FALLOC_FL_KEEP_SIZE) && end > inode.size && end > task.fileSizeLimit) {
    task.fileSizeExceeded = true
    return -EFBIG
  }
  const removed = layer.removePrivileges(task.credentials, inode)
  if (removed < 0) return removed
  const answer = inode.fs.fallocate(inode, mode, offset, length)
  if (answer === 0) layer.notifier.file(file.path.dentry, InotifyMask.IN_MODIFY)
  return answer
}

/** Shows entries of an open directory from its position on, `.` and `..` first; the position moves on. */
export function getdents(layer: Layer, file: File, visitor: DirectoryVisitor): number {
  if (file.isPath) return -EBADF
  const { inode, path } = file
  if (!isDirectory(inode.mode)) return -ENOTDIR
  if (path.dentry.removed) return -ENOENT
  const { DT_DIR } = EntryType
  if (file.position === 0) {
    if (!visitor.entry('.', inode.ino, DT_DIR, 1)) return 0
    file.position = 1
  }
  if (file.position === 1) {
    const above = path.dentry.parent?.inode ?? inode
    if (!visitor.entry('..', above.ino, DT_DIR, FIRST_COOKIE)) return 0
    file.position = FIRST_COOKIE
  }
  const follower = { entry: following(file, visitor) }
  const answer = inode.fs.readdir(inode, file.position, follower)
  if (answer < 0) return answer
  if (!(file.flags & Open.O_NOATIME)) layer.touch(path.mount, inode)
  layer.notifier.file(path.dentry, InotifyMask.IN_ACCESS)
  return 0
}

/** Passes entries on, and keeps the position behind the last one that was taken. */
function following(file: File, visitor: DirectoryVisitor): DirectoryVisitor['entry'] {
  return (name, ino, type, next) => {
    if (!visitor.entry(name, ino, type, next)) return false
    file.position = next
    return true
  }
}
