/** Calls on files, by number (arch/x86/entry/syscalls/syscall_32.tbl). */
import { At, type ByteString, Mode, makeDevice, StatFs } from '@vmexit/vfs'
import { Errno } from '../../errno.ts'
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
import { msync } from '../../memory/calls.ts'
import { readSet, withMask } from '../../signals/calls.ts'
import type { Task } from '../../system.ts'
import { Cap } from '../../tasks/capabilities.ts'
import { deadlineOf } from '../../tasks/time-calls.ts'
import { at, bits, bytesGiven, bytesTaken, fd, int, mode, openFlags, path, pointer, size } from '../decoders.ts'
import { type CallRow, call } from '../table.ts'
import { position } from './decoders.ts'
import { readTimeval, writeStat64, writeStatFs64, writeStatx } from './structs.ts'

const { AT_FDCWD, AT_EMPTY_PATH, AT_REMOVEDIR, AT_SYMLINK_NOFOLLOW } = At
const NOFOLLOW = AT_SYMLINK_NOFOLLOW

function stat64(task: Task, place: number, name: ByteString, flags: number, into: number): number {
  const answer = stat(task, place, name, flags, scratchStat)
  if (answer === 0) writeStat64(task.kernel.memory, into, scratchStat)
  return answer
}

function fstat64(task: Task, file: number, into: number): number {
  const answer = fstat(task, file, scratchStat)
  if (answer === 0) writeStat64(task.kernel.memory, into, scratchStat)
  return answer
}

function statx(task: Task, place: number, name: ByteString, flags: number, _mask: number, into: number): number {
  const answer = stat(task, place, name, flags & ~0x6000, scratchStat)
  if (answer === 0) writeStatx(task.kernel.memory, into, scratchStat)
  return answer
}

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
  const answer = opened.file?.inode.fs.statfs(statFs) ?? -Errno.ENOSYS
  if (answer === 0) writeStatFs64(task.kernel.memory, into, statFs)
  return answer
}

function mkdir(task: Task, place: number, name: ByteString, permissions: number): number {
  return from(task, place, name, (start) => task.kernel.vfs.mkdir(task.context, start, name, permissions & 0o1777))
}
function mknod(task: Task, place: number, name: ByteString, wanted: number, device: number): number {
  const type = wanted & Mode.IFMT
  if ((type === Mode.IFCHR || type === Mode.IFBLK) && !task.capable(Cap.MKNOD)) return -Errno.EPERM
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
function chown(task: Task, place: number, name: ByteString, uid: number, gid: number, flags: number): number {
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
function fchown(task: Task, file: number, uid: number, gid: number): number {
  return withOwners(task, uid, gid, (u, g) =>
    ofFile(task, file, ({ path: p }) => task.kernel.vfs.chown(task.context, p, '', u, g, AT_EMPTY_PATH)),
  )
}
function access(task: Task, place: number, name: ByteString, wanted: number, flags: number): number {
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

/** utimensat(2): two times, of which the nanoseconds may say *now* or *leave it*. */
function utimens(task: Task, place: number, address: number, times: number, flags: number, wide: boolean): number {
  const { memory, vfs } = task.kernel
  const step = wide ? 16 : 8
  const read = (n: number): { seconds: number; nanoseconds: number } => ({
    seconds: wide ? memory.get64(times + n * step) : memory.get32(times + n * step) | 0,
    nanoseconds: memory.get32(times + n * step + (wide ? 8 : 4)),
  })
  const values = times === 0 ? null : ([read(0), read(1)] as const)
  if (address === 0)
    return ofFile(task, place, (file) => vfs.utimens(task.context, file.path, '', values, AT_EMPTY_PATH))
  const name = path.decode!(task, address, 0)
  return from(task, place, name, (start) => vfs.utimens(task.context, start, name, values, flags))
}

function chdir(task: Task, name: ByteString): number {
  return task.kernel.vfs.chdir(task.context, null, name)
}
function fchdir(task: Task, file: number): number {
  return ofFile(task, file, ({ path: place }) => task.kernel.vfs.chdir(task.context, place, '', AT_EMPTY_PATH))
}
function chroot(task: Task, name: ByteString): number {
  const { kernel, context, ids } = task
  return task.capable(Cap.SYS_CHROOT, ids.user) ? kernel.vfs.chroot(context, null, name) : -Errno.EPERM
}

function fallocate(task: Task, file: number, how: number, offset: number, length: number): number {
  return ofFile(task, file, (plain) => task.kernel.vfs.fallocate(task.context, plain, how, offset, length))
}
function fsync(task: Task, file: number): number {
  return ofFile(task, file, (plain) => {
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
function ppoll(task: Task, address: number, count: number, time: number, mask: number, wide: boolean): number {
  if (mask !== 0) withMask(task, readSet(task, mask))
  return poll(task, address, count, deadlineOf(task, time, wide))
}
function newselect(task: Task, count: number, reads: number, writes: number, exceptions: number, time: number): number {
  const { kernel } = task
  if (time !== 0 && task.deadline === Number.POSITIVE_INFINITY) {
    const wait = readTimeval(kernel.memory, time)
    if (wait === undefined) return -Errno.EINVAL
    task.deadline = kernel.now + wait
  }
  return select(task, count, reads, writes, exceptions, time === 0 ? Number.POSITIVE_INFINITY : task.deadline)
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
  const set = mask === 0 ? 0 : task.kernel.memory.get32(mask)
  if (set !== 0) withMask(task, readSet(task, set))
  return select(task, count, reads, writes, exceptions, deadlineOf(task, time, wide))
}

/** Source and type may be missing, where the flags say enough. */
function mountCall(task: Task, source: number, target: ByteString, type: number, flags: number, data: number): number {
  const text = (address: number): ByteString => (address === 0 ? '' : path.decode!(task, address, 0))
  return mount(task, text(source), target, text(type), flags, text(data))
}

function flock(task: Task, file: number, operation: number): number {
  return ofFile(task, file, (plain) => {
    const answer = task.kernel.vfs.flock(plain, operation, (operation & 4) === 0 ? () => task.wake() : undefined)
    return answer === -4096 ? task.kernel.block(undefined) : answer
  })
}

function openat2(task: Task, place: number, name: ByteString, how: number, bytes: number): number {
  const { memory } = task.kernel
  if (bytes < 24) return -Errno.EINVAL
  return open(task, place, name, memory.get32(how) | 0, memory.get32(how + 8), memory.get32(how + 16))
}

const none = (_task: Task): number => 0

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
  call(54, 'ioctl', [fd, size, pointer], ioctl, 'requests of terminals and pipes, FIOCLEX, FIONBIO, FIONREAD'),
  call(55, 'fcntl', [fd, int, int], fcntl, 'no SIGIO, no leases'),
  call(60, 'umask', [mode], umask),
  call(61, 'chroot', [path], chroot),
  call(63, 'dup2', [fd, fd], (t, a, b) => dupTo(t, a, b, undefined)),
  call(83, 'symlink', [path, path], (t, a, b) => symlink(t, a, AT_FDCWD, b)),
  call(85, 'readlink', [path, bytesTaken, int], (t, p, a, n) => readlink(t, AT_FDCWD, p, a, n)),
  call(92, 'truncate', [path, int], truncate),
  call(93, 'ftruncate', [fd, int], ftruncate),
  call(94, 'fchmod', [fd, mode], (t, f, m) => ofFile(t, f, ({ path: p }) => t.kernel.vfs.chmod(t.context, p, '', m & 0o7777, AT_EMPTY_PATH))),
  call(118, 'fsync', [fd], fsync),
  call(133, 'fchdir', [fd], fchdir),
  call(140, '_llseek', [fd, int, int, pointer, int], llseek),
  call(142, '_newselect', [int, pointer, pointer, pointer, pointer], newselect),
  call(143, 'flock', [fd, int], flock),
  call(144, 'msync', [pointer, size, int], (t, a, n) => msync(t, a, n)),
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
  call(220, 'getdents64', [fd, pointer, size], getdents),
  call(221, 'fcntl64', [fd, int, int], fcntl, 'no SIGIO, no leases'),
  call(226, 'setxattr', [path, path, pointer, size, bits], (t, p, n, a, s, f) => setxattr(t, { path: p, follow: true }, n, a, s, f)),
  call(227, 'lsetxattr', [path, path, pointer, size, bits], (t, p, n, a, s, f) => setxattr(t, { path: p, follow: false }, n, a, s, f)),
  call(228, 'fsetxattr', [fd, path, pointer, size, bits], (t, d, n, a, s, f) => setxattr(t, { fd: d }, n, a, s, f)),
  call(229, 'getxattr', [path, path, pointer, size], (t, p, n, a, s) => getxattr(t, { path: p, follow: true }, n, a, s)),
  call(230, 'lgetxattr', [path, path, pointer, size], (t, p, n, a, s) => getxattr(t, { path: p, follow: false }, n, a, s)),
  call(231, 'fgetxattr', [fd, path, pointer, size], (t, d, n, a, s) => getxattr(t, { fd: d }, n, a, s)),
  call(232, 'listxattr', [path, pointer, size], (t, p, a, s) => listxattr(t, { path: p, follow: true }, a, s)),
  call(233, 'llistxattr', [path, pointer, size], (t, p, a, s) => listxattr(t, { path: p, follow: false }, a, s)),
  call(234, 'flistxattr', [fd, pointer, size], (t, d, a, s) => listxattr(t, { fd: d }, a, s)),
  call(235, 'removexattr', [path, path], (t, p, n) => removexattr(t, { path: p, follow: true }, n)),
  call(236, 'lremovexattr', [path, path], (t, p, n) => removexattr(t, { path: p, follow: false }, n)),
  call(237, 'fremovexattr', [fd, path], (t, d, n) => removexattr(t, { fd: d }, n)),
  call(225, 'readahead', [fd, position, size], none),
  call(239, 'sendfile64', [fd, fd, pointer, size], (t, o, s, a, n) => sendfileCall(t, o, s, a, n, true)),
  call(250, 'fadvise64', [fd, position, size, int], (t, f) => (t.files.get(f) === undefined ? -Errno.EBADF : 0)),
  call(254, 'epoll_create', [int], (t, n) => (n > 0 ? epollCreate(t, 0) : -Errno.EINVAL)),
  call(255, 'epoll_ctl', [fd, int, fd, pointer], epollControl),
  call(256, 'epoll_wait', [fd, pointer, int, int], (t, f, a, n, ms) => epollWait(t, f, a, n, milliseconds(t, ms))),
  call(268, 'statfs64', [path, size, pointer], statfs64),
  call(269, 'fstatfs64', [fd, size, pointer], fstatfs64),
  call(272, 'fadvise64_64', [fd, position, position, int], (t, f) => (t.files.get(f) === undefined ? -Errno.EBADF : 0)),
  call(295, 'openat', [at, path, openFlags, mode], (t, d, p, flags, m) => open(t, d, p, flags, m)),
  call(296, 'mkdirat', [at, path, mode], mkdir),
  call(297, 'mknodat', [at, path, mode, size], mknod),
  call(298, 'fchownat', [at, path, int, int, bits], chown),
  call(300, 'fstatat64', [at, path, pointer, bits], (t, d, p, a, flags) => stat64(t, d, p, flags, a)),
  call(301, 'unlinkat', [at, path, bits], unlink),
  call(302, 'renameat', [at, path, at, path], (t, a, b, c, d) => rename(t, a, b, c, d, 0)),
  call(303, 'linkat', [at, path, at, path, bits], link),
  call(304, 'symlinkat', [path, at, path], symlink),
  call(305, 'readlinkat', [at, path, bytesTaken, int], readlink),
  call(306, 'fchmodat', [at, path, mode], chmod),
  call(307, 'faccessat', [at, path, int], (t, d, p, m) => access(t, d, p, m, 0)),
  call(308, 'pselect6', [int, pointer, pointer, pointer, pointer, pointer], (t, n, r, w, e, time, m) => pselect(t, n, r, w, e, time, m, false)),
  call(309, 'ppoll', [pointer, size, pointer, pointer, size], (t, a, n, time, m) => ppoll(t, a, n, time, m, false)),
  call(314, 'sync_file_range', [fd, position, position, bits], (t, f) => (t.files.get(f) === undefined ? -Errno.EBADF : 0)),
  call(319, 'epoll_pwait', [fd, pointer, int, int, pointer, size], (t, f, a, n, ms, m) => epollPwait(t, f, a, n, milliseconds(t, ms), m)),
  call(320, 'utimensat', [at, pointer, pointer, bits], (t, d, p, a, flags) => utimens(t, d, p, a, flags, false)),
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
  call(383, 'statx', [at, path, bits, bits, pointer], statx),
  call(410, 'timerfd_gettime64', [fd, pointer], (t, f, a) => timerfdGettime(t, f, a, true)),
  call(411, 'timerfd_settime64', [fd, bits, pointer, pointer], (t, f, flags, a, o) => timerfdSettime(t, f, flags, a, o, true)),
  call(412, 'utimensat_time64', [at, pointer, pointer, bits], (t, d, p, a, flags) => utimens(t, d, p, a, flags, true)),
  call(413, 'pselect6_time64', [int, pointer, pointer, pointer, pointer, pointer], (t, n, r, w, e, time, m) => pselect(t, n, r, w, e, time, m, true)),
  call(414, 'ppoll_time64', [pointer, size, pointer, pointer, size], (t, a, n, time, m) => ppoll(t, a, n, time, m, true)),
  call(436, 'close_range', [size, size, bits], closeRange),
  call(437, 'openat2', [at, path, pointer, size], openat2),
  call(439, 'faccessat2', [at, path, int, bits], access),
]

function umask(task: Task, permissions: number): number {
  const before = task.context.umask
  task.context.umask = permissions & 0o777
  return before
}
function epollPwait(task: Task, file: number, address: number, count: number, deadline: number, mask: number): number {
  if (mask !== 0) withMask(task, readSet(task, mask))
  return epollWait(task, file, address, count, deadline)
}
