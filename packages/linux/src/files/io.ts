/** Moving data between files and the memory of programs (read(2), write(2), readv(2), pread(2), sendfile(2), lseek(2)). */
import { type File, isRegular, type Open, Seek, type Vfs } from '@vmexit/vfs'
import { Answer, Errno } from '../errno.ts'
import type { FilePages } from '../memory/file-pages.ts'
import { BAD_ADDRESS, BOUNCE } from '../memory/user-memory.ts'
import { SocketFile } from '../net/socket-file.ts'
import { readInto, sendFrom } from '../net/transfer.ts'
import type { Task } from '../system.ts'
import { type OpenFile, Poll } from './open-file.ts'
import { isSealed, Seal } from './seals.ts'
import { MOST, type Part, vectors } from './vectors.ts'
import { VfsFile } from './vfs-file.ts'

const PAGE = 4096

export function isPlain(file: OpenFile): boolean {
  return file.file !== undefined && file.file.operations === null && isRegular(file.file.inode.mode)
}

/** Whether it gives and takes whatever is asked, as /dev/zero does. */
function isEndless(file: OpenFile): boolean {
  return file instanceof VfsFile && file.special?.endless === true
}

/** `readPiece`, and what came from a block device is counted for the caller's group. */
function readTo(task: Task, file: OpenFile, address: number, length: number, position: number | null): number {
  const count = readPiece(task, file, address, length, position)
  if (count > 0 && file.file !== undefined) task.kernel.groups.transferred(file.file.inode, 'read', count)
  return count
}

/** Reads to an address: all that is wanted of a plain file and of what has no end; of others one piece. `position`: pread's. */
function readPiece(task: Task, file: OpenFile, address: number, length: number, position: number | null): number {
  const { memory, vfs, pageCache } = task.kernel
  if (isPlain(file)) {
    const { inode } = file.file!
    pageCache.known(inode)?.flush()
    if ((position ?? file.file!.position) >= inode.size && file.isReadable) return 0
  } else if (!isEndless(file)) return readSpecial(task, file, address, length, position)
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

/** Reads one piece of what may have it only later, and may have no more. */
function readSpecial(task: Task, file: OpenFile, address: number, length: number, position: number | null): number {
  const { memory, vfs } = task.kernel
  const fetch = (into: Uint8Array, start: number, count: number): number =>
    position === null ? file.read(into, start, count) : vfs.pread(file.file!, into, start, count, position)
  try {
    if (length <= PAGE - (address % PAGE)) return fetch(memory.bytes, memory.writable(address, length), length)
    for (let at = address; at < address + length; at += memory.part(at, PAGE)) memory.writable(at, 1)
  } catch (reason) {
    // Where there is nothing to read, that is what is answered.
    const hasNone = file.file?.operations === null || (file.poll() & Poll.IN) === 0
    const count = reason === BAD_ADDRESS && hasNone ? fetch(new Uint8Array(Math.min(length, BOUNCE)), 0, length) : 1
    if (count > 0) throw reason
    return count
  }
  const bounce = memory.bounce(length)
  const count = fetch(bounce, 0, bounce.length)
  if (count > 0) memory.write(address, bounce.subarray(0, count))
  return count
}

/** Bytes that a file opened without O_LARGEFILE may have. */
export const SMALL_FILE = 0x7fff_ffff

/** `writeOut`, and what went to a block device is counted for the caller's group. */
function writeFrom(task: Task, file: OpenFile, address: number, length: number, position: number | null): number {
  const count = writeOut(task, file, address, length, position)
  if (count > 0 && file.file !== undefined) task.kernel.groups.transferred(file.file.inode, 'write', count)
  return count
}

/** Writes from an address: all to a plain file and to what has no end; to others what fits. */
function writeOut(task: Task, file: OpenFile, address: number, length: number, position: number | null): number {
  const { memory } = task.kernel
  if (file instanceof VfsFile && file.special?.discards === true) return length
  if (!isPlain(file) && !isEndless(file)) {
    if (length <= PAGE - (address % PAGE)) {
      const at = length === 0 ? 0 : memory.readable(address)
      return writeBytes(task, file, memory.bytes, at, length, position)
    }
    const bounce = memory.bounce(length)
    memory.read(address, bounce)
    return writeBytes(task, file, bounce, 0, bounce.length, position)
  }
  if (isPlain(file) && (file.flags & O_LARGEFILE) === 0 && length > 0) {
    const { inode, position: here } = file.file!
    const at = (file.flags & O_APPEND) !== 0 ? inode.size : (position ?? here)
    if (at >= SMALL_FILE) return -Errno.EFBIG
    length = Math.min(length, SMALL_FILE - at)
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

/** Whether a file's seals forbid a write. */
function refusesWrite({ file }: OpenFile, length: number, position: number | null): boolean {
  const { inode, position: here } = file!
  if (isSealed(inode, Seal.WRITE | Seal.FUTURE_WRITE)) return true
  return isSealed(inode, Seal.GROW) && (position ?? here) + length > inode.size
}

/** Writes bytes of the kernel's; what is cached of a file has them too. */
export function writeBytes(
  task: Task,
  file: OpenFile,
  from: Uint8Array,
  start: number,
  length: number,
  position: number | null,
): number {
  const { vfs, pageCache } = task.kernel
  const sealed = isPlain(file) && isSealed(file.file!.inode, Seal.WRITE | Seal.FUTURE_WRITE | Seal.GROW)
  if (sealed && length > 0 && refusesWrite(file, length, position)) return -Errno.EPERM
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
const O_LARGEFILE: (typeof Open)['O_LARGEFILE'] = 0o100000

/** Why a call may not give a position, if so. */
function refusal(file: OpenFile, position: number | null): number {
  if (position === null) return 0
  if (position < 0) return -Errno.EINVAL
  return file.file === undefined || file.file.operations?.seekable === false ? -Errno.ESPIPE : 0
}

/** read(2), pread(2). */
export function read(task: Task, fd: number, address: number, length: number, position: number | null = null): number {
  const file = task.files.get(fd)
  if (file === undefined) return -Errno.EBADF
  const refused = refusal(file, position)
  if (refused < 0) return refused
  if (!file.isReadable) return -Errno.EBADF
  if (file instanceof SocketFile && position === null) return readInto(task, file, [[address, Math.min(length, MOST)]])
  task.kernel.nonBlocking = file.isNonBlocking
  return readTo(task, file, address, Math.min(length, MOST), position)
}

/** write(2), pwrite(2). Of what a pipe takes in pieces, the pieces are counted in `task.progress`. */
export function write(task: Task, fd: number, address: number, length: number, position: number | null = null): number {
  const file = task.files.get(fd)
  if (file === undefined) return -Errno.EBADF
  const refused = refusal(file, position)
  if (refused < 0) return refused
  if (!file.isWritable) return -Errno.EBADF
  if (file instanceof SocketFile && position === null) return sendFrom(task, file, [[address, Math.min(length, MOST)]])
  task.kernel.nonBlocking = file.isNonBlocking
  if (task.progress === 0) {
    // Mostly all goes at once.
    const count = writeFrom(task, file, address, Math.min(length, MOST), position)
    if (count < 0 || count === length || count === MOST) return count
    task.progress = count
  }
  return writeParts(task, file, [[address, Math.min(length, MOST)]], position)
}

function writeParts(task: Task, file: OpenFile, parts: readonly Part[], position: number | null): number {
  let before = 0
  for (const [address, length] of parts) {
    let at = Math.max(0, task.progress - before)
    before += length
    do {
      if (at >= length && length > 0) break
      const place = position === null ? null : position + before - length + at
      let count: number
      try {
        count = writeFrom(task, file, address + at, length - at, place)
      } catch (reason) {
        if (reason === BAD_ADDRESS && task.progress > 0) return task.progress
        throw reason
      }
      if (count === Answer.BLOCK) return count
      if (count < 0) return task.progress > 0 ? task.progress : count
      task.progress += count
      at += count
      if (count === 0) return task.progress
    } while (at < length)
  }
  return task.progress
}

/** readv(2), preadv(2). */
export function readv(task: Task, fd: number, address: number, count: number, position: number | null = null): number {
  const file = task.files.get(fd)
  if (file === undefined) return -Errno.EBADF
  const refused = refusal(file, position)
  if (refused < 0) return refused
  if (!file.isReadable) return -Errno.EBADF
  const parts = vectors(task, address, count)
  if (typeof parts === 'number') return parts
  if (file instanceof SocketFile && position === null) return readInto(task, file, parts)
  task.kernel.nonBlocking = file.isNonBlocking
  if (parts.length > 1 && !isPlain(file) && position === null) return readScattered(task, file, parts)
  let done = 0
  for (const [at, length] of parts) {
    if (length === 0) continue
    let got: number
    try {
      got = readTo(task, file, at, length, position === null ? null : position + done)
    } catch (reason) {
      if (reason === BAD_ADDRESS && done > 0) break
      throw reason
    }
    if (got < 0) return done > 0 ? done : got
    done += got
    if (got < length) break
  }
  return done
}

/** One piece of what is no plain file, to several places. */
function readScattered(task: Task, file: OpenFile, parts: readonly Part[]): number {
  const { memory } = task.kernel
  const all = parts.reduce((sum, [, length]) => sum + length, 0)
  for (const [at, length] of parts)
    for (let page = at; page < at + length; page += memory.part(page, PAGE)) memory.writable(page, 1)
  const bounce = memory.bounce(all)
  const count = file.read(bounce, 0, bounce.length)
  for (let done = 0, n = 0; done < count; n++) {
    const [at, length] = parts[n]!
    memory.write(at, bounce.subarray(done, Math.min(count, done + length)))
    done += length
  }
  return count
}

/** writev(2), pwritev(2). */
export function writev(task: Task, fd: number, address: number, count: number, position: number | null = null): number {
  const file = task.files.get(fd)
  if (file === undefined) return -Errno.EBADF
  const refused = refusal(file, position)
  if (refused < 0) return refused
  if (!file.isWritable) return -Errno.EBADF
  const parts = vectors(task, address, count)
  if (typeof parts === 'number') return parts
  if (file instanceof SocketFile && position === null) return sendFrom(task, file, parts)
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

/** RWF_ flags: priority, synchronous in two ways, without waiting, appending or not. */
// biome-ignore format: a table
const Rwf = { HIPRI: 1, DSYNC: 2, SYNC: 4, NOWAIT: 8, APPEND: 0x10, NOAPPEND: 0x20 } as const
const KNOWN_RWF = 0x3f

/** preadv2(2): −1 is the file's own position. */
export function preadv2(
  task: Task,
  fd: number,
  address: number,
  count: number,
  position: number,
  flags: number,
): number {
  if ((flags & ~KNOWN_RWF) !== 0) return -Errno.EOPNOTSUPP
  return readv(task, fd, address, count, position === -1 ? null : position)
}

/** pwritev2(2). */
export function pwritev2(
  task: Task,
  fd: number,
  address: number,
  count: number,
  position: number,
  flags: number,
): number {
  if ((flags & ~KNOWN_RWF) !== 0 || (flags & (Rwf.APPEND | Rwf.NOAPPEND)) === (Rwf.APPEND | Rwf.NOAPPEND))
    return -Errno.EOPNOTSUPP
  const file = task.files.get(fd)
  const place = position === -1 ? null : position
  if (file?.file === undefined) return writev(task, fd, address, count, place)
  const { flags: before } = file
  if ((flags & Rwf.APPEND) !== 0) file.flags |= O_APPEND
  if ((flags & Rwf.NOAPPEND) !== 0) file.flags &= ~O_APPEND
  try {
    return writev(task, fd, address, count, place)
  } finally {
    file.flags = before
  }
}

/** lseek(2). */
export function lseek(task: Task, fd: number, offset: number, whence: number): number {
  const file = task.files.get(fd)
  if (file === undefined) return -Errno.EBADF
  if (file.file === undefined) return file.hasNoPosition ? -Errno.ESPIPE : 0
  if (file instanceof VfsFile && file.special?.staysAtStart === true) return 0
  const { vfs, pageCache } = task.kernel
  const to = vfs.lseek(file.file, offset, whence)
  const pages = pageCache.known(file.file.inode)
  if (pages === undefined || offset < 0) return to
  if (whence === Seek.SEEK_DATA && to !== offset) return dataStored(vfs, file.file, pages, offset, to)
  return whence === Seek.SEEK_HOLE && to >= 0 ? holeNotStored(vfs, file.file, pages, to) : to
}

/** SEEK_DATA, the file system having answered `to`: what was stored through mappings is data. */
function dataStored(vfs: Vfs, file: File, pages: FilePages, offset: number, to: number): number {
  if (to < 0 && to !== -Errno.ENXIO) return to
  const stored = pages.dirtyFrom(offset)
  return stored < 0 || (to >= 0 && to <= stored) ? to : vfs.lseek(file, stored, Seek.SEEK_SET)
}

/** SEEK_HOLE, the file system having answered `to`: what was stored through mappings is no hole. */
function holeNotStored(vfs: Vfs, file: File, pages: FilePages, to: number): number {
  const { size } = file.inode
  let hole = to
  while (hole < size && pages.isDirty(Math.floor(hole / PAGE))) {
    const next = (Math.floor(hole / PAGE) + 1) * PAGE
    hole = next < size ? vfs.lseek(file, next, Seek.SEEK_HOLE) : vfs.lseek(file, size, Seek.SEEK_SET)
  }
  return hole
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
  if (offset !== null && file === undefined) return -Errno.ESPIPE
  if (offset !== null && offset < 0) return -Errno.EINVAL
  if (file === undefined || !isPlain(source) || (target.flags & O_APPEND) !== 0) return -Errno.EINVAL
  const { vfs, pageCache } = task.kernel
  pageCache.known(file.inode)?.flush()
  task.kernel.nonBlocking = target.isNonBlocking
  const start = offset ?? file.position
  // (Most files are small, and programs ask for as much as there may be: 64 KiB for each made half of the time of `cp -r`.)
  const piece = new Uint8Array(Math.min(count, BOUNCE, Math.max(PAGE, file.inode.size - start)))
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
