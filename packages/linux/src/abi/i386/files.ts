/** Calls on files, by number (arch/x86/entry/syscalls/syscall_32.tbl). */
import { At, type ByteString, Fallocate, isRegular, makeDevice, Open, StatFs } from '@vmexit/vfs'
import { Answer, Errno } from '../../errno.ts'
import { closeRange, dup, dupTo, fcntl, ioctl, pipe } from '../../files/control.ts'
import { epollControl, epollCreate, epollWait } from '../../files/epoll.ts'
import { eventfd, timerfdCreate, timerfdGettime, timerfdSettime } from '../../files/eventfd.ts'
import { lseek, read, readv, sendfile, write, writev } from '../../files/io.ts'
import { mount, pivotRoot, umount } from '../../files/mount.ts'
import {
  from,
  fstat,
  ftruncate,
  getcwd,
  getdents,
  open,
  readlink,
  scratchStat,
  stat,
  truncate,
} from '../../files/paths.ts'
import { poll, select } from '../../files/poll.ts'
import { getxattr, listxattr, removexattr, setxattr } from '../../files/xattrs.ts'
import { msync, punched } from '../../memory/calls.ts'
import { BAD_ADDRESS } from '../../memory/user-memory.ts'
import { readSet, withMask } from '../../signals/calls.ts'
import type { Task } from '../../system.ts'
import { Cap } from '../../tasks/capabilities.ts'
import { deadlineOf } from '../../tasks/time-calls.ts'
import {
  at,
  attributeName,
  bits,
  bytesGiven,
  bytesTaken,
  fd,
  int,
  mode,
  openFlags,
  path,
  pathAddress,
  pointer,
  size,
} from '../decoders.ts'
import { type CallRow, call } from '../table.ts'
import { position } from './decoders.ts'
import { writeStat64, writeStatFs64, writeStatx, writeTimespec, writeTimeval } from './structs.ts'

const { AT_FDCWD, AT_EMPTY_PATH, AT_REMOVEDIR, AT_SYMLINK_NOFOLLOW } = At
const NOFOLLOW = AT_SYMLINK_NOFOLLOW

/** Flags that fstatat64 and statx know. */
const STAT_FLAGS = At.AT_SYMLINK_NOFOLLOW | At.AT_NO_AUTOMOUNT | At.AT_EMPTY_PATH

function stat64(task: Task, place: number, name: ByteString, flags: number, into: number): number {
  if ((flags & ~STAT_FLAGS) !== 0) return -Errno.EINVAL
  const answer = stat(task, place, name, flags, scratchStat)
  if (answer === 0) writeStat64(task.kernel.memory, into, scratchStat)
  return answer
}

function fstat64(task: Task, file: number, into: number): number {
  const answer = fstat(task, file, scratchStat)
  if (answer === 0) writeStat64(task.kernel.memory, into, scratchStat)
  return answer
}

function statx(task: Task, place: number, name: ByteString, flags: number, mask: number, into: number): number {
  if (mask < 0 || (flags & SYNC_TYPE) === SYNC_TYPE || (flags & ~(STAT_FLAGS | SYNC_TYPE)) !== 0) return -Errno.EINVAL
  const answer = stat(task, place, name, flags & ~SYNC_TYPE, scratchStat)
  if (answer === 0) writeStatx(task.kernel.memory, into, scratchStat, (mask & BTIME) !== 0)
  return answer
}

/** PIPEFS_MAGIC. */
const PIPE_FS = 0x5049_5045
const SYNC_TYPE = 0x6000
const BTIME = 0x800
/** A path that may be missing where the flags say that the descriptor is meant. */
const atPath = (task: Task, address: number, flags: number): ByteString =>
  (flags & AT_EMPTY_PATH) !== 0 && address === 0 ? '' : path.decode!(task, address, 0)

const statFs = new StatFs()
function statfs64(task: Task, name: ByteString, bytes: number, into: number): number {
  if (bytes !== 84) return -Errno.EINVAL
  const answer = task.kernel.vfs.statfs(task.context, name, statFs)
  if (answer === 0) writeStatFs64(task.kernel.memory, into, statFs)
  return answer
}
function fstatfs64(task: Task, file: number, bytes: number, into: number): number {
  const opened = task.files.get(file)
  if (opened === undefined) return -Errno.EBADF
  if (bytes !== 84) return -Errno.EINVAL
  if (opened.file === undefined) Object.assign(statFs, new StatFs(), { type: PIPE_FS, bsize: 4096, namelen: 255 })
  const answer = opened.file?.inode.fs.statfs(statFs) ?? 0
  if (answer === 0) writeStatFs64(task.kernel.memory, into, statFs)
  return answer
}

function mkdir(task: Task, place: number, name: ByteString, permissions: number): number {
  return from(task, place, name, (start) => task.kernel.vfs.mkdir(task.context, start, name, permissions & 0o1777))
}
function mknod(task: Task, place: number, name: ByteString, wanted: number, device: number): number {
  const rdev = makeDevice((device >> 8) & 0xfff, (device & 0xff) | ((device >>> 12) & 0xf_ff00))
  return from(task, place, name, (start) => task.kernel.vfs.mknod(task.context, start, name, wanted, rdev))
}
function unlink(task: Task, place: number, name: ByteString, flags: number): number {
  if ((flags & ~AT_REMOVEDIR) !== 0) return -Errno.EINVAL
  const { vfs } = task.kernel
  const isDirectory = (flags & AT_REMOVEDIR) !== 0
  return from(task, place, name, (start) =>
    isDirectory ? vfs.rmdir(task.context, start, name) : vfs.unlink(task.context, start, name),
  )
}
function symlink(task: Task, target: ByteString, place: number, name: ByteString): number {
  return from(task, place, name, (start) => task.kernel.vfs.symlink(task.context, target, start, name))
}
function link(task: Task, oldAt: number, old: ByteString, newAt: number, name: ByteString, flags: number): number {
  return from(task, oldAt, old, (start) =>
    from(task, newAt, name, (end) => task.kernel.vfs.link(task.context, start, old, end, name, flags)),
  )
}
function rename(task: Task, oldAt: number, old: ByteString, newAt: number, name: ByteString, flags: number): number {
  return from(task, oldAt, old, (start) =>
    from(task, newAt, name, (end) => task.kernel.vfs.rename(task.context, start, old, end, name, flags)),
  )
}
function chmod(task: Task, place: number, name: ByteString, permissions: number): number {
  return from(task, place, name, (start) => task.kernel.vfs.chmod(task.context, start, name, permissions & 0o7777))
}
export function chown(task: Task, place: number, name: ByteString, uid: number, gid: number, flags: number): number {
  if ((flags & ~(AT_EMPTY_PATH | NOFOLLOW)) !== 0) return -Errno.EINVAL
  return withOwners(task, uid, gid, (u, g) =>
    from(task, place, name, (start) => task.kernel.vfs.chown(task.context, start, name, u, g, flags)),
  )
}
/** Has a file given to users and groups that the caller names: EINVAL for those that are none. */
function withOwners(task: Task, uid: number, gid: number, act: (uid: number, gid: number) => number): number {
  const { uids, gids } = task.ids.user
  const u = uid === -1 ? -1 : uids.toKernel(uid >>> 0)
  const g = gid === -1 ? -1 : gids.toKernel(gid >>> 0)
  return (uid !== -1 && u === -1) || (gid !== -1 && g === -1) ? -Errno.EINVAL : act(u, g)
}
function access(task: Task, place: number, name: ByteString, wanted: number, flags: number): number {
  if ((flags & ~(At.AT_EACCESS | AT_EMPTY_PATH | NOFOLLOW)) !== 0) return -Errno.EINVAL
  return from(task, place, name, (start) => task.kernel.vfs.access(task.context, start, name, wanted, flags))
}
function ofFile(
  task: Task,
  file: number,
  act: (place: NonNullable<ReturnType<Task['files']['get']>>['file'] & object) => number,
): number {
  const opened = task.files.get(file)
  if (opened === undefined) return -Errno.EBADF
  return opened.file === undefined ? -Errno.EINVAL : act(opened.file)
}

const UTIME_OMIT = 0x3fff_fffe
function fchmod(task: Task, file: number, permissions: number): number {
  const opened = task.files.get(file)
  if (opened === undefined || opened.file?.isPath) return -Errno.EBADF
  if (opened.file === undefined) return opened.chmod(permissions & 0o7777)
  return task.kernel.vfs.chmod(task.context, opened.file.path, '', permissions & 0o7777, AT_EMPTY_PATH)
}
export function fchown(task: Task, file: number, uid: number, gid: number): number {
  const opened = task.files.get(file)
  if (opened === undefined || opened.file?.isPath) return -Errno.EBADF
  const { file: plain } = opened
  return withOwners(task, uid, gid, (u, g) =>
    plain === undefined ? opened.chown(u, g) : task.kernel.vfs.chown(task.context, plain.path, '', u, g, AT_EMPTY_PATH),
  )
}

/** utimensat(2): two times, of which the nanoseconds may say *now* or *leave it*. */
function utimens(task: Task, place: number, address: number, times: number, flags: number, wide: boolean): number {
  const { memory, vfs } = task.kernel
  const step = wide ? 16 : 8
  const read = (n: number): { seconds: number; nanoseconds: number } => ({
    seconds: wide ? memory.get64(times + n * step) : memory.get32(times + n * step) | 0,
    nanoseconds: memory.get32(times + n * step + (wide ? 8 : 4)),
  })
  const values = times === 0 ? null : ([read(0), read(1)] as const)
  if (values?.every(({ nanoseconds }) => nanoseconds === UTIME_OMIT)) return 0
  if (address === 0 && place === AT_FDCWD) return -Errno.EFAULT
  if (address === 0 && flags !== 0) return -Errno.EINVAL
  if ((flags & ~(AT_EMPTY_PATH | NOFOLLOW)) !== 0) return -Errno.EINVAL
  if (address === 0)
    return ofFile(task, place, (file) => vfs.utimens(task.context, file.path, '', values, AT_EMPTY_PATH))
  const name = path.decode!(task, address, 0)
  return from(task, place, name, (start) => vfs.utimens(task.context, start, name, values, flags))
}

function chdir(task: Task, name: ByteString): number {
  return task.kernel.vfs.chdir(task.context, null, name)
}
function fchdir(task: Task, file: number): number {
  const opened = task.files.get(file)
  if (opened !== undefined && opened.file === undefined) return -Errno.ENOTDIR
  return ofFile(task, file, ({ path: place }) => task.kernel.vfs.chdir(task.context, place, '', AT_EMPTY_PATH))
}
function chroot(task: Task, name: ByteString): number {
  const { kernel, context, ids } = task
  return task.capable(Cap.SYS_CHROOT, ids.user) ? kernel.vfs.chroot(context, null, name) : -Errno.EPERM
}

function fallocate(task: Task, file: number, how: number, offset: number, length: number): number {
  const opened = task.files.get(file)
  if (opened !== undefined && opened.file === undefined) {
    if (offset < 0 || length <= 0) return -Errno.EINVAL
    if (!opened.isWritable) return -Errno.EBADF
    return opened.hasNoPosition ? -Errno.ESPIPE : -Errno.ENODEV
  }
  return ofFile(task, file, (plain) => {
    const { kernel, context } = task
    const answer = kernel.vfs.fallocate(context, plain, how, offset, length)
    const pages = kernel.pageCache.known(plain.inode)
    const makesZeros = (how & (Fallocate.FALLOC_FL_PUNCH_HOLE | Fallocate.FALLOC_FL_ZERO_RANGE)) !== 0
    if (answer === 0 && makesZeros && pages !== undefined) punched(kernel, pages, offset, offset + length)
    return answer
  })
}
function fsync(task: Task, file: number): number {
  return ofFile(task, file, (plain) => {
    if (plain.operations !== null) return -Errno.EINVAL
    task.kernel.pageCache.known(plain.inode)?.flush()
    return task.kernel.vfs.fsync(plain)
  })
}
function llseek(task: Task, file: number, high: number, low: number, into: number, whence: number): number {
  const answer = lseek(task, file, (high | 0) * 2 ** 32 + (low >>> 0), whence)
  if (answer < 0) return answer
  task.kernel.memory.set64(into, answer)
  return 0
}
function sendfileCall(task: Task, out: number, source: number, offset: number, count: number, wide: boolean): number {
  const { memory } = task.kernel
  const start = offset === 0 ? null : wide ? memory.get64(offset) : memory.get32(offset) | 0
  const sent = sendfile(task, out, source, start, count)
  if (typeof sent === 'number') return sent
  if (offset !== 0) {
    if (wide) memory.set64(offset, sent.end)
    else memory.set32(offset, sent.end)
  }
  return sent.count
}

function milliseconds(task: Task, timeout: number): number {
  if (timeout < 0) return Number.POSITIVE_INFINITY
  if (task.deadline === Number.POSITIVE_INFINITY) task.deadline = task.kernel.now + timeout * 1e6
  return task.deadline
}
function ppoll(
  task: Task,
  address: number,
  count: number,
  time: number,
  mask: number,
  bytes: number,
  wide: boolean,
): number {
  const deadline = deadlineOf(task, time, wide)
  if (deadline === undefined) return -Errno.EINVAL
  if (mask !== 0) {
    if (bytes !== 8) return -Errno.EINVAL
    withMask(task, readSet(task, mask))
  }
  return tellLeft(task, poll(task, address, count, deadline), time, (left) =>
    writeTimespec(task.kernel.memory, time, left, wide),
  )
}
/** The call is over: the time that is left goes to where its time was given, if it can. */
function tellLeft(task: Task, answer: number, time: number, write: (left: number) => void): number {
  if (time === 0 || answer === Answer.BLOCK || (answer < 0 && answer !== Answer.RESTART_NOHAND)) return answer
  try {
    write(Math.max(0, task.deadline - task.kernel.now))
  } catch (reason) {
    if (reason !== BAD_ADDRESS) throw reason
  }
  return answer
}
export function newselect(
  task: Task,
  count: number,
  reads: number,
  writes: number,
  exceptions: number,
  time: number,
): number {
  const { kernel } = task
  if (time !== 0 && task.deadline === Number.POSITIVE_INFINITY) {
    // (More than a million microseconds are some seconds.)
    const [seconds, microseconds] = [kernel.memory.get32(time) | 0, kernel.memory.get32(time + 4) | 0]
    if (seconds < 0 || microseconds < 0) return -Errno.EINVAL
    task.deadline = kernel.now + seconds * 1e9 + microseconds * 1000
  }
  const deadline = time === 0 ? Number.POSITIVE_INFINITY : task.deadline
  return tellLeft(task, select(task, count, reads, writes, exceptions, deadline), time, (left) =>
    writeTimeval(kernel.memory, time, left),
  )
}
function pselect(
  task: Task,
  count: number,
  reads: number,
  writes: number,
  exceptions: number,
  time: number,
  mask: number,
  wide: boolean,
): number {
  const { memory } = task.kernel
  const [set, bytes] = mask === 0 ? [0, 0] : [memory.get32(mask), memory.get32(mask + 4)]
  const deadline = deadlineOf(task, time, wide)
  if (deadline === undefined || (set !== 0 && bytes !== 8)) return -Errno.EINVAL
  if (set !== 0) withMask(task, readSet(task, set))
  return tellLeft(task, select(task, count, reads, writes, exceptions, deadline), time, (left) =>
    writeTimespec(memory, time, left, wide),
  )
}

/** Source and type may be missing, where the flags say enough. */
function mountCall(task: Task, source: number, target: ByteString, type: number, flags: number, data: number): number {
  const text = (address: number): ByteString => (address === 0 ? '' : path.decode!(task, address, 0))
  return mount(task, text(source), target, text(type), flags, text(data))
}

function flock(task: Task, file: number, operation: number): number {
  if (![1, 2, 8].includes(operation & ~4)) return -Errno.EINVAL
  return ofFile(task, file, (plain) => {
    const answer = task.kernel.vfs.flock(plain, operation, (operation & 4) === 0 ? () => task.wake() : undefined)
    return answer === -4096 ? task.kernel.block(undefined) : answer
  })
}

/** Bits that openat2 knows: of `flags`, and of `resolve`. */
const KNOWN_OPEN = 0o37777703 & ~0o74
const PATH_OPEN = Open.O_PATH | Open.O_DIRECTORY | Open.O_NOFOLLOW | Open.O_CLOEXEC
const CREATING = Open.O_CREAT | (Open.O_TMPFILE & ~Open.O_DIRECTORY)

function openat2(task: Task, place: number, name: ByteString, how: number, bytes: number): number {
  const { memory } = task.kernel
  if (bytes < 24) return -Errno.EINVAL
  if (bytes > 4096) return -Errno.E2BIG
  for (let at = 24; at < bytes; at++) if (memory.get8(how + at) !== 0) return -Errno.E2BIG
  const [flags, high, permissions, odd, resolve, other] = [0, 4, 8, 12, 16, 20].map((at) => memory.get32(how + at) | 0)
  if (high !== 0 || (flags! & ~KNOWN_OPEN) !== 0 || other !== 0 || (resolve! & ~0x3f) !== 0) return -Errno.EINVAL
  if ((flags! & CREATING) === 0 ? permissions !== 0 || odd !== 0 : (permissions! & ~0o7777) !== 0 || odd !== 0)
    return -Errno.EINVAL
  if ((flags! & Open.O_PATH) !== 0 && (flags! & ~PATH_OPEN) !== 0) return -Errno.EINVAL
  return open(task, place, name, flags!, permissions!, resolve!)
}

const none = (_task: Task): number => 0

/** sync_file_range(2), posix_fadvise(2), readahead(2): they say what is to come, which changes nothing. */
function syncFileRange(task: Task, file: number, offset: number, length: number, flags: number): number {
  const opened = task.files.get(file)
  if (opened === undefined) return -Errno.EBADF
  if ((flags & ~7) !== 0 || offset < 0 || length < 0) return -Errno.EINVAL
  return opened.hasNoPosition && opened.file?.operations !== null ? -Errno.ESPIPE : 0
}
function fadvise(task: Task, file: number, _offset: number, length: number, advice: number): number {
  const opened = task.files.get(file)
  if (opened === undefined) return -Errno.EBADF
  if (opened.file === undefined) return opened.hasNoPosition ? -Errno.ESPIPE : -Errno.EINVAL
  return length < 0 || advice < 0 || advice > 5 ? -Errno.EINVAL : 0
}
function readahead(task: Task, file: number): number {
  const opened = task.files.get(file)
  if (opened === undefined || !opened.isReadable) return -Errno.EBADF
  return opened.file !== undefined && isRegular(opened.file.inode.mode) ? 0 : -Errno.EINVAL
}

// biome-ignore format: a table
export const fileCalls: readonly CallRow[] = [
  call(3, 'read', [fd, bytesTaken, size], (t, f, a, n) => read(t, f, a, n)),
  call(4, 'write', [fd, bytesGiven, size], (t, f, a, n) => write(t, f, a, n)),
  call(5, 'open', [path, openFlags, mode], (t, p, flags, m) => open(t, AT_FDCWD, p, flags, m)),
  call(6, 'close', [fd], (t, f) => t.files.close(t.process, f)),
  call(8, 'creat', [path, mode], (t, p, m) => open(t, AT_FDCWD, p, 0o1101, m)),
  call(9, 'link', [path, path], (t, a, b) => link(t, AT_FDCWD, a, AT_FDCWD, b, 0)),
  call(10, 'unlink', [path], (t, p) => unlink(t, AT_FDCWD, p, 0)),
  call(12, 'chdir', [path], chdir),
  call(14, 'mknod', [path, mode, size], (t, p, m, d) => mknod(t, AT_FDCWD, p, m, d)),
  call(15, 'chmod', [path, mode], (t, p, m) => chmod(t, AT_FDCWD, p, m)),
  call(19, 'lseek', [fd, int, int], lseek),
  call(21, 'mount', [pointer, path, pointer, bits, pointer], mountCall, 'tmpfs, proc, cgroup2, MS_BIND, MS_MOVE, MS_REMOUNT, propagation; options of tmpfs'),
  call(22, 'umount', [path], (t, p) => umount(t, p, 0)),
  call(33, 'access', [path, int], (t, p, m) => access(t, AT_FDCWD, p, m, 0)),
  call(36, 'sync', [], none),
  call(38, 'rename', [path, path], (t, a, b) => rename(t, AT_FDCWD, a, AT_FDCWD, b, 0)),
  call(39, 'mkdir', [path, mode], (t, p, m) => mkdir(t, AT_FDCWD, p, m)),
  call(40, 'rmdir', [path], (t, p) => unlink(t, AT_FDCWD, p, AT_REMOVEDIR)),
  call(41, 'dup', [fd], (t, f) => dup(t, f)),
  call(42, 'pipe', [pointer], (t, a) => pipe(t, a, 0)),
  call(52, 'umount2', [path, bits], umount),
  call(54, 'ioctl', [fd, size, pointer], ioctl, 'requests of terminals, pipes, sockets, namespaces and files; no attributes of inodes'),
  call(55, 'fcntl', [fd, int, int], fcntl, 'no leases'),
  call(60, 'umask', [mode], umask),
  call(61, 'chroot', [path], chroot),
  call(63, 'dup2', [fd, fd], (t, a, b) => dupTo(t, a, b, undefined)),
  call(83, 'symlink', [path, path], (t, a, b) => symlink(t, a, AT_FDCWD, b)),
  call(85, 'readlink', [path, bytesTaken, int], (t, p, a, n) => readlink(t, AT_FDCWD, p, a, n)),
  call(92, 'truncate', [path, int], truncate),
  call(93, 'ftruncate', [fd, int], ftruncate),
  call(94, 'fchmod', [fd, mode], fchmod),
  call(118, 'fsync', [fd], fsync),
  call(133, 'fchdir', [fd], fchdir),
  call(140, '_llseek', [fd, int, int, pointer, int], llseek),
  call(142, '_newselect', [int, pointer, pointer, pointer, pointer], newselect),
  call(143, 'flock', [fd, int], flock),
  call(144, 'msync', [pointer, size, int], msync),
  call(145, 'readv', [fd, pointer, int], (t, f, a, n) => readv(t, f, a, n)),
  call(146, 'writev', [fd, pointer, int], (t, f, a, n) => writev(t, f, a, n)),
  call(148, 'fdatasync', [fd], fsync),
  call(168, 'poll', [pointer, size, int], (t, a, n, ms) => poll(t, a, n, milliseconds(t, ms))),
  call(180, 'pread64', [fd, bytesTaken, size, position], read),
  call(181, 'pwrite64', [fd, bytesGiven, size, position], write),
  call(183, 'getcwd', [pointer, size], getcwd),
  call(187, 'sendfile', [fd, fd, pointer, size], (t, o, s, a, n) => sendfileCall(t, o, s, a, n, false)),
  call(193, 'truncate64', [path, position], truncate),
  call(194, 'ftruncate64', [fd, position], ftruncate),
  call(195, 'stat64', [path, pointer], (t, p, a) => stat64(t, AT_FDCWD, p, 0, a)),
  call(196, 'lstat64', [path, pointer], (t, p, a) => stat64(t, AT_FDCWD, p, NOFOLLOW, a)),
  call(197, 'fstat64', [fd, pointer], fstat64),
  call(198, 'lchown32', [path, int, int], (t, p, u, g) => chown(t, AT_FDCWD, p, u, g, NOFOLLOW)),
  call(207, 'fchown32', [fd, int, int], fchown),
  call(212, 'chown32', [path, int, int], (t, p, u, g) => chown(t, AT_FDCWD, p, u, g, 0)),
  call(217, 'pivot_root', [path, path], pivotRoot),
  call(220, 'getdents64', [fd, pointer, size], (t, f, a, n) => getdents(t, f, a, n)),
  call(221, 'fcntl64', [fd, int, int], fcntl, 'no leases'),
  call(226, 'setxattr', [path, attributeName, pointer, size, bits], (t, p, n, a, s, f) => setxattr(t, { path: p, follow: true }, n, a, s, f)),
  call(227, 'lsetxattr', [path, attributeName, pointer, size, bits], (t, p, n, a, s, f) => setxattr(t, { path: p, follow: false }, n, a, s, f)),
  call(228, 'fsetxattr', [fd, attributeName, pointer, size, bits], (t, d, n, a, s, f) => setxattr(t, { fd: d }, n, a, s, f)),
  call(229, 'getxattr', [path, attributeName, pointer, size], (t, p, n, a, s) => getxattr(t, { path: p, follow: true }, n, a, s)),
  call(230, 'lgetxattr', [path, attributeName, pointer, size], (t, p, n, a, s) => getxattr(t, { path: p, follow: false }, n, a, s)),
  call(231, 'fgetxattr', [fd, attributeName, pointer, size], (t, d, n, a, s) => getxattr(t, { fd: d }, n, a, s)),
  call(232, 'listxattr', [path, pointer, size], (t, p, a, s) => listxattr(t, { path: p, follow: true }, a, s)),
  call(233, 'llistxattr', [path, pointer, size], (t, p, a, s) => listxattr(t, { path: p, follow: false }, a, s)),
  call(234, 'flistxattr', [fd, pointer, size], (t, d, a, s) => listxattr(t, { fd: d }, a, s)),
  call(235, 'removexattr', [path, attributeName], (t, p, n) => removexattr(t, { path: p, follow: true }, n)),
  call(236, 'lremovexattr', [path, attributeName], (t, p, n) => removexattr(t, { path: p, follow: false }, n)),
  call(237, 'fremovexattr', [fd, attributeName], (t, d, n) => removexattr(t, { fd: d }, n)),
  call(225, 'readahead', [fd, position, size], readahead),
  call(239, 'sendfile64', [fd, fd, pointer, size], (t, o, s, a, n) => sendfileCall(t, o, s, a, n, true)),
  call(250, 'fadvise64', [fd, position, size, int], fadvise),
  call(254, 'epoll_create', [int], (t, n) => (n > 0 ? epollCreate(t, 0) : -Errno.EINVAL)),
  call(255, 'epoll_ctl', [fd, int, fd, pointer], epollControl),
  call(256, 'epoll_wait', [fd, pointer, int, int], (t, f, a, n, ms) => epollWait(t, f, a, n, milliseconds(t, ms))),
  call(268, 'statfs64', [path, size, pointer], statfs64),
  call(269, 'fstatfs64', [fd, size, pointer], fstatfs64),
  call(272, 'fadvise64_64', [fd, position, position, int], fadvise),
  call(295, 'openat', [at, path, openFlags, mode], (t, d, p, flags, m) => open(t, d, p, flags, m)),
  call(296, 'mkdirat', [at, path, mode], mkdir),
  call(297, 'mknodat', [at, path, mode, size], mknod),
  call(298, 'fchownat', [at, path, int, int, bits], chown),
  call(300, 'fstatat64', [at, pathAddress, pointer, bits], (t, d, p, a, flags) => stat64(t, d, atPath(t, p, flags), flags, a)),
  call(301, 'unlinkat', [at, path, bits], unlink),
  call(302, 'renameat', [at, path, at, path], (t, a, b, c, d) => rename(t, a, b, c, d, 0)),
  call(303, 'linkat', [at, path, at, path, bits], link),
  call(304, 'symlinkat', [path, at, path], symlink),
  call(305, 'readlinkat', [at, path, bytesTaken, int], readlink),
  call(306, 'fchmodat', [at, path, mode], chmod),
  call(307, 'faccessat', [at, path, int], (t, d, p, m) => access(t, d, p, m, 0)),
  call(308, 'pselect6', [int, pointer, pointer, pointer, pointer, pointer], (t, n, r, w, e, time, m) => pselect(t, n, r, w, e, time, m, false)),
  call(309, 'ppoll', [pointer, size, pointer, pointer, size], (t, a, n, time, m, s) => ppoll(t, a, n, time, m, s, false)),
  call(314, 'sync_file_range', [fd, position, position, bits], syncFileRange),
  call(319, 'epoll_pwait', [fd, pointer, int, int, pointer, size], (t, f, a, n, ms, m, s) => epollPwait(t, f, a, n, milliseconds(t, ms), m, s)),
  call(320, 'utimensat', [at, pathAddress, pointer, bits], (t, d, p, a, flags) => utimens(t, d, p, a, flags, false)),
  call(322, 'timerfd_create', [int, bits], timerfdCreate),
  call(323, 'eventfd', [size], (t, n) => eventfd(t, n, 0)),
  call(324, 'fallocate', [fd, bits, position, position], fallocate),
  call(325, 'timerfd_settime', [fd, bits, pointer, pointer], (t, f, flags, a, o) => timerfdSettime(t, f, flags, a, o, false)),
  call(326, 'timerfd_gettime', [fd, pointer], (t, f, a) => timerfdGettime(t, f, a, false)),
  call(328, 'eventfd2', [size, bits], eventfd),
  call(329, 'epoll_create1', [bits], epollCreate),
  call(330, 'dup3', [fd, fd, openFlags], dupTo),
  call(331, 'pipe2', [pointer, openFlags], pipe),
  call(333, 'preadv', [fd, pointer, int, position], readv),
  call(334, 'pwritev', [fd, pointer, int, position], writev),
  call(344, 'syncfs', [fd], fsync),
  call(353, 'renameat2', [at, path, at, path, bits], rename),
  call(383, 'statx', [at, pathAddress, bits, bits, pointer], (t, d, p, flags, mask, a) => statx(t, d, atPath(t, p, flags), flags, mask, a)),
  call(410, 'timerfd_gettime64', [fd, pointer], (t, f, a) => timerfdGettime(t, f, a, true)),
  call(411, 'timerfd_settime64', [fd, bits, pointer, pointer], (t, f, flags, a, o) => timerfdSettime(t, f, flags, a, o, true)),
  call(412, 'utimensat_time64', [at, pathAddress, pointer, bits], (t, d, p, a, flags) => utimens(t, d, p, a, flags, true)),
  call(413, 'pselect6_time64', [int, pointer, pointer, pointer, pointer, pointer], (t, n, r, w, e, time, m) => pselect(t, n, r, w, e, time, m, true)),
  call(414, 'ppoll_time64', [pointer, size, pointer, pointer, size], (t, a, n, time, m, s) => ppoll(t, a, n, time, m, s, true)),
  call(436, 'close_range', [size, size, bits], closeRange),
  call(437, 'openat2', [at, path, pointer, size], openat2),
  call(441, 'epoll_pwait2', [fd, pointer, int, pointer, pointer, size], (t, f, a, n, time, m, s) => epollPwait(t, f, a, n, deadlineOf(t, time, true), m, s)),
  call(439, 'faccessat2', [at, path, int, bits], access),
]

function umask(task: Task, permissions: number): number {
  const before = task.context.umask
  task.context.umask = permissions & 0o777
  return before
}
function epollPwait(
  task: Task,
  file: number,
  address: number,
  count: number,
  deadline: number | undefined,
  mask: number,
  bytes: number,
): number {
  if (deadline === undefined || (mask !== 0 && bytes !== 8)) return -Errno.EINVAL
  if (mask !== 0) withMask(task, readSet(task, mask))
  return epollWait(task, file, address, count, deadline)
}
