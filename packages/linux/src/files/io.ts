/** Moving data between files and the memory of programs (read(2), write(2), readv(2), pread(2), sendfile(2), lseek(2)). */
import { isRegular, type Open } from '@vmexit/vfs'
import { Answer, Errno } from '../errno.ts'
import { BAD_ADDRESS } from '../memory/user-memory.ts'
import type { Task } from '../system.ts'
import type { OpenFile } from './open-file.ts'

/** The most that one call moves (MAX_RW_COUNT). */
const MOST = 0x7fff_f000
/** Vectors of one call (IOV_MAX). */
const MOST_VECTORS = 1024
const PAGE = 4096
const BOUNCE = 65_536

function isPlain(file: OpenFile): boolean {
  return file.file !== undefined && file.file.operations === null && isRegular(file.file.inode.mode)
}

/** `readInto`, and what came from a block device is counted for the caller's group. */
function readTo(task: Task, file: OpenFile, address: number, length: number, position: number | null): number {
  const count = readInto(task, file, address, length, position)
  if (count > 0 && file.file !== undefined) task.kernel.groups.transferred(file.file.inode, 'read', count)
  return count
}

/** Reads to an address. Of a file that is no plain one, one piece. `position`: pread's. */
function readInto(task: Task, file: OpenFile, address: number, length: number, position: number | null): number {
  const { memory, vfs, pageCache } = task.kernel
  if (!isPlain(file)) {
    if (position !== null && file.file === undefined) return -Errno.ESPIPE
    if (length <= PAGE - (address % PAGE)) {
      const at = memory.writable(address, length)
      return position === null
        ? file.read(memory.bytes, at, length)
        : vfs.pread(file.file!, memory.bytes, at, length, position)
    }
    for (let at = address; at < address + length; at += memory.part(at, PAGE)) memory.writable(at, 1)
    const bounce = new Uint8Array(Math.min(length, BOUNCE))
    const count =
      position === null
        ? file.read(bounce, 0, bounce.length)
        : vfs.pread(file.file!, bounce, 0, bounce.length, position)
    if (count > 0) memory.write(address, bounce.subarray(0, count))
    return count
  }
  const { inode } = file.file!
  pageCache.known(inode)?.flush()
  let done = 0
  while (done < length) {
    const part = memory.part(address + done, length - done)
    let at: number
    try {
      at = memory.writable(address + done, part)
    } catch (reason) {
      if (done > 0 && reason === BAD_ADDRESS) break
      throw reason
    }
    const count =
      position === null
        ? file.read(memory.bytes, at, part)
        : vfs.pread(file.file!, memory.bytes, at, part, position + done)
    if (count < 0) return done > 0 ? done : count
    done += count
    if (count < part) break
  }
  return done
}

/** `writeOut`, and what went to a block device is counted for the caller's group. */
function writeFrom(task: Task, file: OpenFile, address: number, length: number, position: number | null): number {
  const count = writeOut(task, file, address, length, position)
  if (count > 0 && file.file !== undefined) task.kernel.groups.transferred(file.file.inode, 'write', count)
  return count
}

/** Writes from an address. Of a file that is no plain one, what fits. */
function writeOut(task: Task, file: OpenFile, address: number, length: number, position: number | null): number {
  const { memory } = task.kernel
  if (!isPlain(file)) {
    if (position !== null && file.file === undefined) return -Errno.ESPIPE
    if (length <= PAGE - (address % PAGE)) {
      const at = length === 0 ? 0 : memory.readable(address)
      return writeBytes(task, file, memory.bytes, at, length, position)
    }
    const bounce = new Uint8Array(Math.min(length, BOUNCE))
    memory.read(address, bounce)
    return writeBytes(task, file, bounce, 0, bounce.length, position)
  }
  let done = 0
  while (done < length) {
    const part = memory.part(address + done, length - done)
    let at: number
    try {
      at = memory.readable(address + done)
    } catch (reason) {
      if (done > 0 && reason === BAD_ADDRESS) break
      throw reason
    }
    const count = writeBytes(task, file, memory.bytes, at, part, position === null ? null : position + done)
    if (count < 0) return done > 0 ? done : count
    done += count
    if (count < part) break
  }
  return done
}

/** Writes bytes of the kernel's; what is cached of a file has them too. */
function writeBytes(
  task: Task,
  file: OpenFile,
  from: Uint8Array,
  start: number,
  length: number,
  position: number | null,
): number {
  const { vfs, pageCache } = task.kernel
  const count =
    position === null
      ? file.write(from, start, length)
      : vfs.pwrite(task.context, file.file!, from, start, length, position)
  const plain = file.file
  if (count > 0 && plain !== undefined && plain.operations === null) {
    const pages = pageCache.known(plain.inode)
    if (pages !== undefined) {
      const appended = (plain.flags & O_APPEND) !== 0
      const at = appended ? plain.inode.size - count : (position ?? plain.position - count)
      pages.written(from, start, count, at)
    }
  }
  return count
}
const O_APPEND: (typeof Open)['O_APPEND'] = 0o2000

/** read(2), pread(2). */
export function read(task: Task, fd: number, address: number, length: number, position: number | null = null): number {
  const file = task.files.get(fd)
  if (file === undefined || !file.isReadable) return -Errno.EBADF
  if (position !== null && position < 0) return -Errno.EINVAL
  task.kernel.nonBlocking = file.isNonBlocking
  return readTo(task, file, address, Math.min(length, MOST), position)
}

/** write(2), pwrite(2). Of what a pipe takes in pieces, the pieces are counted in `task.progress`. */
export function write(task: Task, fd: number, address: number, length: number, position: number | null = null): number {
  const file = task.files.get(fd)
  if (file === undefined || !file.isWritable) return -Errno.EBADF
  if (position !== null && position < 0) return -Errno.EINVAL
  task.kernel.nonBlocking = file.isNonBlocking
  if (task.progress === 0) {
    // Mostly all goes at once.
    const count = writeFrom(task, file, address, Math.min(length, MOST), position)
    if (count < 0 || count === length || count === MOST) return count
    task.progress = count
  }
  return writeParts(task, file, [[address, Math.min(length, MOST)]], position)
}

type Part = readonly [address: number, length: number]

function writeParts(task: Task, file: OpenFile, parts: readonly Part[], position: number | null): number {
  let before = 0
  for (const [address, length] of parts) {
    let at = Math.max(0, task.progress - before)
    before += length
    do {
      if (at >= length && length > 0) break
      const count = writeFrom(
        task,
        file,
        address + at,
        length - at,
        position === null ? null : position + before - length + at,
      )
      if (count === Answer.BLOCK) return count
      if (count < 0) return task.progress > 0 ? task.progress : count
      task.progress += count
      at += count
      if (count === 0) return task.progress
    } while (at < length)
  }
  return task.progress
}

/** The vectors at an address, their lengths cut to what one call moves. */
function vectors(task: Task, address: number, count: number): Part[] | number {
  const { memory } = task.kernel
  if (count < 0 || count > MOST_VECTORS) return -Errno.EINVAL
  const parts: Part[] = []
  let left = MOST
  for (let n = 0; n < count; n++) {
    const length = memory.get32(address + n * 8 + 4)
    if (length > 0x7fff_ffff) return -Errno.EINVAL
    parts.push([memory.get32(address + n * 8), Math.min(length, left)])
    left -= Math.min(length, left)
  }
  return parts
}

/** readv(2), preadv(2). */
export function readv(task: Task, fd: number, address: number, count: number, position: number | null = null): number {
  const file = task.files.get(fd)
  if (file === undefined || !file.isReadable) return -Errno.EBADF
  const parts = vectors(task, address, count)
  if (typeof parts === 'number') return parts
  task.kernel.nonBlocking = file.isNonBlocking
  let done = 0
  for (const [at, length] of parts) {
    if (length === 0) continue
    const got = readTo(task, file, at, length, position === null ? null : position + done)
    if (got < 0) return done > 0 ? done : got
    done += got
    if (got < length) break
    // What has come is given: no more is waited for.
    task.kernel.nonBlocking = true
  }
  return done
}

/** writev(2), pwritev(2). */
export function writev(task: Task, fd: number, address: number, count: number, position: number | null = null): number {
  const file = task.files.get(fd)
  if (file === undefined || !file.isWritable) return -Errno.EBADF
  const parts = vectors(task, address, count)
  if (typeof parts === 'number') return parts
  task.kernel.nonBlocking = file.isNonBlocking
  const all = parts.reduce((sum, [, length]) => sum + length, 0)
  // What a terminal or a pipe takes is taken whole, as far as it is small.
  if (!isPlain(file) && position === null && all <= PAGE && task.progress === 0) {
    const bytes = new Uint8Array(all)
    let done = 0
    for (const [at, length] of parts) {
      task.kernel.memory.read(at, bytes.subarray(done, done + length))
      done += length
    }
    return writeBytes(task, file, bytes, 0, all, null)
  }
  return writeParts(
    task,
    file,
    parts.filter(([, length]) => length > 0),
    position,
  )
}

/** lseek(2). */
export function lseek(task: Task, fd: number, offset: number, whence: number): number {
  const file = task.files.get(fd)
  if (file === undefined) return -Errno.EBADF
  if (file.file === undefined) return -Errno.ESPIPE
  return task.kernel.vfs.lseek(file.file, offset, whence)
}

/** sendfile(2): `offset` is where the position is kept, or `null` for the file's own. Answers the bytes and where they end. */
export function sendfile(
  task: Task,
  out: number,
  from: number,
  offset: number | null,
  count: number,
): { count: number; end: number } | number {
  const target = task.files.get(out)
  const source = task.files.get(from)
  if (target === undefined || source === undefined || !target.isWritable || !source.isReadable) return -Errno.EBADF
  const file = source.file
  if (file === undefined || !isPlain(source)) return -Errno.EINVAL
  const { vfs, pageCache } = task.kernel
  pageCache.known(file.inode)?.flush()
  task.kernel.nonBlocking = target.isNonBlocking
  const piece = new Uint8Array(Math.min(count, BOUNCE))
  const start = offset ?? file.position
  while (task.progress < count) {
    const got = vfs.pread(file, piece, 0, Math.min(piece.length, count - task.progress), start + task.progress)
    if (got < 0 && task.progress === 0) return got
    if (got <= 0) break
    task.kernel.groups.transferred(file.inode, 'read', got)
    const put = writeBytes(task, target, piece, 0, got, null)
    if (put === Answer.BLOCK) {
      if (task.progress === 0) return put
      // What went already is answered; the rest is the caller's to ask for again.
      for (const queue of task.queues) queue.remove(task)
      task.queues.length = 0
      break
    }
    if (put < 0 && task.progress === 0) return put
    if (put < 0) break
    task.progress += put
    if (put < got) break
  }
  const end = start + task.progress
  if (offset === null) file.position = end
  return { count: task.progress, end }
}
