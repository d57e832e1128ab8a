/** Descriptors: dup(2), fcntl(2), ioctl(2), pipe(2), close_range(2). */
import { Open } from '@vmexit/vfs'
import { Answer, Errno } from '../errno.ts'
import { namespaceOf } from '../namespaces/ns-fs.ts'
import { namespaceIoctl } from '../namespaces/ns-ioctl.ts'
import { SocketFile } from '../net/socket-file.ts'
import { Process, type Task } from '../system.ts'
import { Limit } from '../tasks/limits.ts'
import { givenPid, shownPid } from '../tasks/numbers.ts'
import { notify } from './dnotify.ts'
import { fileIoctl } from './file-ioctl.ts'
import { O_ASYNC, Owner, ownerOf, setAsync, setOwner } from './notice.ts'
import type { OpenFile } from './open-file.ts'
import { FifoOperations, Pipe, PipeEnd } from './pipe.ts'
import { addSeals, sealsOf } from './seals.ts'
import { VfsFile } from './vfs-file.ts'

const { O_APPEND, O_CLOEXEC, O_NOATIME, O_NONBLOCK, O_DIRECT } = Open
/** CLOSE_RANGE_CLOEXEC, CLOSE_RANGE_UNSHARE. */
const CLOEXEC_RANGE = 4
const UNSHARE = 2
const SETTABLE = O_APPEND | O_NONBLOCK | O_NOATIME | O_DIRECT

/** Puts a new file under the lowest number; it is closed where there is none. */
export function install(task: Task, file: OpenFile, flags: number): number {
  const fd = task.files.add(file, (flags & O_CLOEXEC) !== 0, task.process.limits.soft[Limit.NOFILE]!)
  if (fd < 0) file.close(undefined)
  return fd
}

export function dup(task: Task, fd: number, from = 0, closesOnExec = false): number {
  const file = task.files.get(fd)
  if (file === undefined) return -Errno.EBADF
  const limit = task.process.limits.soft[Limit.NOFILE]!
  if (from < 0 || from >= limit) return -Errno.EINVAL
  const copy = task.files.add(file, closesOnExec, limit, from)
  if (copy >= 0) file.references++
  return copy
}

/** dup2(2), and with flags dup3(2), to which equal numbers are an error. */
export function dupTo(task: Task, fd: number, to: number, flags: number | undefined): number {
  const file = task.files.get(fd)
  if (flags !== undefined && (flags & ~O_CLOEXEC) !== 0) return -Errno.EINVAL
  if (flags !== undefined && fd === to) return -Errno.EINVAL
  if (file === undefined || to < 0 || to >= task.process.limits.soft[Limit.NOFILE]!) return -Errno.EBADF
  if (fd === to) return to
  file.references++
  task.files.put(task.process, to, file, flags !== undefined && (flags & O_CLOEXEC) !== 0)
  return to
}

export function pipe(task: Task, address: number, flags: number): number {
  const { kernel } = task
  if ((flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT)) !== 0) return -Errno.EINVAL
  kernel.memory.writable(address, 1)
  kernel.memory.writable(address + 7, 1)
  const made = new Pipe(kernel)
  const ino = kernel.nextAnonymousInode()
  const reader = install(task, new PipeEnd(made, ino, flags & ~O_CLOEXEC), flags)
  if (reader < 0) return reader
  const writer = install(task, new PipeEnd(made, ino, Open.O_WRONLY | (flags & ~O_CLOEXEC)), flags)
  if (writer < 0) {
    task.files.close(task.process, reader)
    return writer
  }
  kernel.memory.set32(address, reader)
  kernel.memory.set32(address + 4, writer)
  return 0
}

export function closeRange(task: Task, first: number, last: number, flags: number): number {
  if (first > last || (flags & ~(CLOEXEC_RANGE | UNSHARE)) !== 0) return -Errno.EINVAL
  if ((flags & UNSHARE) !== 0 && task.files.users > 1) {
    task.files.users--
    task.files = task.files.fork()
  }
  for (const fd of [...task.files.numbers()]) {
    if (fd < first || fd > last) continue
    if ((flags & CLOEXEC_RANGE) !== 0) task.files.setClosesOnExec(fd, true)
    else task.files.close(task.process, fd)
  }
  return 0
}

// biome-ignore format: a table
const Fcntl = {
  DUPFD: 0, GETFD: 1, SETFD: 2, GETFL: 3, SETFL: 4, GETLK: 5, SETLK: 6, SETLKW: 7, SETOWN: 8, GETOWN: 9, SETSIG: 10,
  GETSIG: 11, SETOWN_EX: 15, GETOWN_EX: 16, GETLK64: 12, SETLK64: 13, SETLKW64: 14, OFD_GETLK: 36, OFD_SETLK: 37, OFD_SETLKW: 38,
  SETLEASE: 1024, GETLEASE: 1025, NOTIFY: 1026, DUPFD_CLOEXEC: 1030, SETPIPE_SZ: 1031, GETPIPE_SZ: 1032, ADD_SEALS: 1033, GET_SEALS: 1034,
} as const
const UNLOCK = 2
/** What may be asked of a descriptor that O_PATH made. */
const OF_PATHS = new Set<number>([Fcntl.DUPFD, Fcntl.DUPFD_CLOEXEC, Fcntl.GETFD, Fcntl.SETFD, Fcntl.GETFL])

/** The pipe that a file is an end of. */
export function pipeOf(file: OpenFile): Pipe | undefined {
  if (file instanceof PipeEnd) return file.pipe
  return file instanceof VfsFile && file.special instanceof FifoOperations ? file.special.pipe : undefined
}

export function fcntl(task: Task, fd: number, command: number, argument: number): number {
  const file = task.files.get(fd)
  if (file === undefined) return -Errno.EBADF
  if (file.file?.isPath && !OF_PATHS.has(command)) return -Errno.EBADF
  const { memory } = task.kernel
  switch (command) {
    case Fcntl.DUPFD:
      return dup(task, fd, argument)
    case Fcntl.DUPFD_CLOEXEC:
      return dup(task, fd, argument, true)
    case Fcntl.GETFD:
      return task.files.closesOnExec(fd) ? 1 : 0
    case Fcntl.SETFD:
      task.files.setClosesOnExec(fd, (argument & 1) !== 0)
      return 0
    case Fcntl.GETFL:
      return file.flags
    case Fcntl.SETFL:
      file.flags = (file.flags & ~SETTABLE) | (argument & SETTABLE)
      if (file.canTell) setAsync(task, file, fd, (argument & O_ASYNC) !== 0)
      return 0
    case Fcntl.SETOWN:
      // (A group is said by the negated number.)
      if (argument === -0x8000_0000) return -Errno.EINVAL
      return setGivenOwner(task, file, argument < 0 ? Owner.GROUP : Owner.PROCESS, Math.abs(argument))
    case Fcntl.GETOWN:
      return (file.ownerKind === Owner.GROUP ? -1 : 1) * shownPid(task, ownerOf(task.kernel, file))
    case Fcntl.SETOWN_EX: {
      const [kind, number] = [memory.get32(argument >>> 0), memory.get32((argument >>> 0) + 4) | 0]
      return kind > Owner.GROUP ? -Errno.EINVAL : setGivenOwner(task, file, kind, number)
    }
    case Fcntl.GETOWN_EX:
      memory.set32(argument >>> 0, file.ownerKind)
      memory.set32((argument >>> 0) + 4, shownPid(task, ownerOf(task.kernel, file)))
      return 0
    case Fcntl.SETSIG:
      if (argument < 0 || argument > 64) return -Errno.EINVAL
      file.signal = argument
      return 0
    case Fcntl.GETSIG:
      return file.signal
    case Fcntl.NOTIFY:
      return notify(task, file, fd, argument)
    case Fcntl.GETLEASE:
      return UNLOCK
    case Fcntl.SETLEASE:
      // There are none: none can be given back.
      return argument === UNLOCK ? -Errno.EAGAIN : -Errno.EINVAL
    case Fcntl.GET_SEALS:
    case Fcntl.ADD_SEALS:
      return command === Fcntl.GET_SEALS ? sealsOf(file) : addSeals(file, argument)
    case Fcntl.GETPIPE_SZ:
      return pipeOf(file)?.capacity ?? -Errno.EBADF
    case Fcntl.SETPIPE_SZ:
      return pipeOf(file)?.resize(argument) ?? -Errno.EBADF
    case Fcntl.GETLK:
    case Fcntl.SETLK:
    case Fcntl.SETLKW:
      return lock(task, file, command - Fcntl.GETLK, argument >>> 0, false, false)
    case Fcntl.GETLK64:
    case Fcntl.SETLK64:
    case Fcntl.SETLKW64:
      return lock(task, file, command - Fcntl.GETLK64, argument >>> 0, true, false)
    case Fcntl.OFD_GETLK:
    case Fcntl.OFD_SETLK:
    case Fcntl.OFD_SETLKW:
      return lock(task, file, command - Fcntl.OFD_GETLK, argument >>> 0, true, true)
    default:
      return -Errno.EINVAL
  }
}

/** F_SETOWN; 0 is nobody. */
function setGivenOwner(task: Task, file: OpenFile, kind: number, number: number): number {
  const owner = givenPid(task, number)
  if (number !== 0 && !task.kernel.ns.pid.has(owner)) return -Errno.ESRCH
  setOwner(file, task, kind, owner)
  return 0
}

/** Record locks: `struct flock`, or `struct flock64`. `kind` 0 asks, 1 sets, 2 waits. */
function lock(task: Task, file: OpenFile, kind: number, at: number, wide: boolean, ofFile: boolean): number {
  const { memory, vfs } = task.kernel
  const plain = file.file
  if (plain === undefined) return -Errno.EBADF
  const type = memory.get16(at)
  const whence = memory.get16(at + 2)
  const start = wide ? memory.get64(at + 4) : memory.get32(at + 4) | 0
  const length = wide ? memory.get64(at + 12) : memory.get32(at + 8) | 0
  const owner = ofFile ? plain : task.process
  if (ofFile && memory.get32(at + 20) !== 0) return -Errno.EINVAL
  const request = { type, whence, start, length }
  if (kind > 0) {
    const answer = vfs.setLock(plain, owner, request, kind === 2 ? () => task.wake() : undefined)
    if (answer !== Answer.BLOCK) return answer
    const waits = task.kernel.block(undefined)
    if (waits !== Answer.BLOCK) vfs.forgetWait(owner)
    return waits
  }
  const found = vfs.getLock(plain, owner, request)
  if (typeof found === 'number') return found
  if (found === null) {
    memory.set16(at, 2)
    return 0
  }
  const size = found.end === Number.POSITIVE_INFINITY ? 0 : found.end - found.start
  if (!wide && (found.start > 0x7fff_ffff || size > 0x7fff_ffff)) return -Errno.EOVERFLOW
  const pid = found.owner instanceof Process ? shownPid(task, found.owner.pid) : -1
  memory.set16(at, found.type)
  memory.set16(at + 2, 0)
  if (wide) {
    memory.set64(at + 4, found.start)
    memory.set64(at + 12, size)
    memory.set32(at + 20, pid)
  } else {
    memory.set32(at + 4, found.start)
    memory.set32(at + 8, size)
    memory.set32(at + 12, pid)
  }
  return 0
}

// biome-ignore format: a table
const Ioctl = {
  FIONCLEX: 0x5450, FIOCLEX: 0x5451, FIONBIO: 0x5421, FIOASYNC: 0x5452, FIOSETOWN: 0x8901, SIOCSPGRP: 0x8902,
  FIOGETOWN: 0x8903, SIOCGPGRP: 0x8904,
} as const

export function ioctl(task: Task, fd: number, request: number, argument: number): number {
  const file = task.files.get(fd)
  if (file === undefined || file.file?.isPath) return -Errno.EBADF
  switch (request) {
    case Ioctl.FIOCLEX:
    case Ioctl.FIONCLEX:
      task.files.setClosesOnExec(fd, request === Ioctl.FIOCLEX)
      return 0
    case Ioctl.FIONBIO:
      file.flags = (file.flags & ~O_NONBLOCK) | (task.kernel.memory.get32(argument) !== 0 ? O_NONBLOCK : 0)
      return 0
    case Ioctl.FIOASYNC: {
      const on = task.kernel.memory.get32(argument) !== 0
      if (file.canTell) setAsync(task, file, fd, on)
      else if (on !== ((file.flags & O_ASYNC) !== 0)) return -Errno.ENOTTY
      return 0
    }
    case Ioctl.FIOSETOWN:
    case Ioctl.SIOCSPGRP:
      if (!(file instanceof SocketFile)) return file.ioctl(request, argument)
      return fcntl(task, fd, Fcntl.SETOWN, task.kernel.memory.get32(argument) | 0)
    case Ioctl.FIOGETOWN:
    case Ioctl.SIOCGPGRP:
      if (!(file instanceof SocketFile)) return file.ioctl(request, argument)
      task.kernel.memory.set32(argument, fcntl(task, fd, Fcntl.GETOWN, 0))
      return 0
    default: {
      const plain = file.file
      if (plain !== undefined && plain.operations === null) {
        const answer = fileIoctl(task, plain, request, argument)
        if (answer !== undefined) return answer
      }
      const namespace = file.file === undefined ? undefined : namespaceOf(file.file.inode)
      if (namespace !== undefined) return namespaceIoctl(task, namespace, request, argument)
      return file.ioctl(request, argument)
    }
  }
}
