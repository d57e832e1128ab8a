/** Attributes: stat(2), chmod(2), chown(2), utimensat(2), truncate(2), access(2), readlink(2). */
import type { TaskContext } from './context.ts'
import { inodeOf } from './dentry.ts'
import { Errno } from './errno.ts'
import type { Inode } from './file-system.ts'
import { Access, At, isDirectory, isRegular, isSymlink, Mode } from './flags.ts'
import { knownState } from './inode-state.ts'
import { InotifyMask } from './inotify/watch.ts'
import { isReadOnly, isWriteRefused, type Layer } from './layer.ts'
import { MountFlag, type Path } from './mount/mount.ts'
import type { ByteString } from './names.ts'
import { groupOrCapable, mayChown, modeAfterChown, ownerOrCapable, permission } from './permission.ts'
import { Change, type Stat } from './stat.ts'

const { EACCES, EFBIG, EINVAL, EISDIR, EOPNOTSUPP, EPERM, EROFS, ETXTBSY } = Errno

/** A time for utimensat: seconds and nanoseconds, or `UTIME_NOW` or `UTIME_OMIT` as the latter. */
export interface Timespec {
  readonly seconds: number
  readonly nanoseconds: number
}

/** In place of nanoseconds: the time of the clock. */
export const UTIME_NOW = 0x3fff_ffff
/** In place of nanoseconds: no change. */
export const UTIME_OMIT = 0x3fff_fffe

export function getattr(path: Path, into: Stat): number {
  into.dev = path.mount.super.device
  const inode = inodeOf(path.dentry)
  return inode.fs.getattr(inode, into)
}

export function chmod(layer: Layer, task: TaskContext, path: Path, mode: number): number {
  const inode = inodeOf(path.dentry)
  if (isReadOnly(path.mount)) return -EROFS
  if (isSymlink(inode.mode)) return -EOPNOTSUPP
  const who = task.credentials
  if (!ownerOrCapable(who, inode)) return -EPERM
  const kept = groupOrCapable(who, inode, inode.gid) ? mode & 0o7777 : mode & 0o7777 & ~Mode.ISGID
  const answer = layer.changeMode(inode, kept)
  if (answer === 0) layer.notifier.file(path.dentry, InotifyMask.IN_ATTRIB)
  return answer
}

/** −1 leaves an owner as it is. */
export function chown(layer: Layer, task: TaskContext, path: Path, uid: number, gid: number): number {
  const inode = inodeOf(path.dentry)
  if (isReadOnly(path.mount)) return -EROFS
  const who = task.credentials
  const mode = modeAfterChown(who, inode)
  if (mode !== inode.mode && !ownerOrCapable(who, inode)) return -EPERM
  const allowed = mayChown(who, inode, uid, gid)
  if (allowed < 0) return allowed
  if (!isDirectory(inode.mode)) {
    const removed = layer.removeFileCapability(inode)
    if (removed < 0) return removed
  }
  const { changes } = layer
  changes.mask = (uid === -1 ? 0 : Change.UID) | (gid === -1 ? 0 : Change.GID) | (mode === inode.mode ? 0 : Change.MODE)
  changes.uid = uid
  changes.gid = gid
  changes.mode = mode
  const answer = inode.fs.setattr(inode, changes)
  if (answer === 0) layer.notifier.file(path.dentry, InotifyMask.IN_ATTRIB)
  return answer
}

/** Both times, or `null` for the clock's. */
export function utimens(
  layer: Layer,
  task: TaskContext,
  path: Path,
  times: readonly [atime: Timespec, mtime: Timespec] | null,
): number {
  if (times !== null) {
    for (const { nanoseconds } of times) if (!isNanoseconds(nanoseconds)) return -EINVAL
    if (times.every(({ nanoseconds }) => nanoseconds === UTIME_OMIT)) return 0
    if (times.every(({ nanoseconds }) => nanoseconds === UTIME_NOW)) times = null
  }
  const inode = inodeOf(path.dentry)
  if (isReadOnly(path.mount)) return -EROFS
  if (!ownerOrCapable(task.credentials, inode)) {
    if (times !== null) return -EPERM
    const allowed = permission(task.credentials, inode, Access.W_OK)
    if (allowed < 0) return allowed
  }
  const { changes, time } = layer
  const [atime, mtime] = times ?? [time, time]
  changes.mask = 0
  if (atime.nanoseconds !== UTIME_OMIT) {
    const { seconds, nanoseconds } = atime.nanoseconds === UTIME_NOW ? time : atime
    changes.mask |= Change.ATIME
    changes.atimeSeconds = seconds
    changes.atimeNanoseconds = nanoseconds
  }
  if (mtime.nanoseconds !== UTIME_OMIT) {
    const { seconds, nanoseconds } = mtime.nanoseconds === UTIME_NOW ? time : mtime
    changes.mask |= Change.MTIME
    changes.mtimeSeconds = seconds
    changes.mtimeNanoseconds = nanoseconds
  }
  const answer = inode.fs.setattr(inode, changes)
  if (answer === 0) layer.notifier.file(path.dentry, InotifyMask.IN_ATTRIB)
  return answer
}

function isNanoseconds(value: number): boolean {
  return (value >= 0 && value < 1_000_000_000) || value === UTIME_NOW || value === UTIME_OMIT
}

/** truncate(2): by a path, whose file must be writable for the task. */
export function truncate(layer: Layer, task: TaskContext, path: Path, size: number): number {
  const inode = inodeOf(path.dentry)
  if (isDirectory(inode.mode)) return -EISDIR
  if (!isRegular(inode.mode)) return -EINVAL
  if (isReadOnly(path.mount)) return -EROFS
  const allowed = permission(task.credentials, inode, Access.W_OK)
  if (allowed < 0) return allowed
  if ((knownState(inode)?.writers ?? 0) < 0) return -ETXTBSY
  return resize(layer, task, path, size)
}

/** Sets the size of a regular file that may be written to. */
export function resize(layer: Layer, task: TaskContext, path: Path, size: number): number {
  const inode = inodeOf(path.dentry)
  if (size > inode.size && size > task.fileSizeLimit) {
    task.fileSizeExceeded = true
    return -EFBIG
  }
  if (size > inode.size && size > inode.fs.maxFileBytes) return -EFBIG
  const removed = layer.removePrivileges(task.credentials, inode)
  if (removed < 0) return removed
  const answer = inode.fs.truncate(inode, size)
  if (answer === 0) layer.notifier.file(path.dentry, InotifyMask.IN_MODIFY)
  return answer
}

/** access(2): `wanted` are bits of `Access`; asks for the real user unless AT_EACCESS. */
export function access(task: TaskContext, path: Path, wanted: number, flags: number): number {
  const inode: Inode = inodeOf(path.dentry)
  const who = flags & At.AT_EACCESS ? task.credentials : (task.realCredentials ?? task.credentials)
  if (wanted & Access.X_OK && isRegular(inode.mode) && path.mount.flags & MountFlag.NOEXEC) return -EACCES
  const answer = permission(who, inode, wanted)
  if (answer < 0) return answer
  return wanted & Access.W_OK && isWriteRefused(path.mount, inode) ? -EROFS : 0
}

/** readlink(2) of what a walk without following has found. */
export function readlink(layer: Layer, { mount, dentry }: Path, empty: boolean): ByteString | number {
  const inode = inodeOf(dentry)
  if (!isSymlink(inode.mode)) return empty ? -Errno.ENOENT : -EINVAL
  layer.touch(mount, inode)
  return inode.fs.readlink(inode)
}
