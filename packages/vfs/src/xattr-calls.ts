/** Extended attributes (xattr(7)): which name spaces there are, and who may read and write them. */

import type { TaskContext } from './context.ts'
import { Capability, type Credentials } from './credentials.ts'
import { inodeOf } from './dentry.ts'
import { Errno } from './errno.ts'
import type { Inode } from './file-system.ts'
import { Access, isDirectory, isRegular, Mode, Xattr } from './flags.ts'
import { knownState } from './inode-state.ts'
import { InotifyMask } from './inotify/watch.ts'
import { capabilityAttribute, isReadOnly, type Layer } from './layer.ts'
import type { Path } from './mount/mount.ts'
import type { ByteString } from './names.ts'
import { ownerOrCapable, permission } from './permission.ts'

const { E2BIG, EINVAL, ENODATA, EOPNOTSUPP, EPERM, ERANGE, EROFS } = Errno

/** The most bytes of a name and of a value. */
const maxNameBytes = 255
const maxValueBytes = 65536

export function getxattr(task: TaskContext, path: Path, name: ByteString): Uint8Array | number {
  if (name.length === 0 || name.length > maxNameBytes) return -ERANGE
  const inode = inodeOf(path.dentry)
  const allowed = mayUse(task.credentials, inode, name, false)
  return allowed < 0 ? allowed : inode.fs.getxattr(inode, name)
}

export function setxattr(
  layer: Layer,
  task: TaskContext,
  path: Path,
  name: ByteString,
  value: Uint8Array,
  flags: number,
): number {
  if (flags & ~(Xattr.XATTR_CREATE | Xattr.XATTR_REPLACE)) return -EINVAL
  if (name.length === 0 || name.length > maxNameBytes) return -ERANGE
  if (value.length > maxValueBytes) return -E2BIG
  const inode = inodeOf(path.dentry)
  if (isReadOnly(path.mount)) return -EROFS
  const allowed = mayUse(task.credentials, inode, name, true)
  if (allowed < 0) return allowed
  const answer = inode.fs.setxattr(inode, name, value, flags)
  if (answer < 0) return answer
  const state = knownState(inode)
  if (name === capabilityAttribute && state !== undefined) state.withoutCapability = false
  layer.notifier.file(path.dentry, InotifyMask.IN_ATTRIB)
  return 0
}

export function removexattr(layer: Layer, task: TaskContext, path: Path, name: ByteString): number {
  if (name.length === 0 || name.length > maxNameBytes) return -ERANGE
  const inode = inodeOf(path.dentry)
  if (isReadOnly(path.mount)) return -EROFS
  const allowed = mayUse(task.credentials, inode, name, true)
  if (allowed < 0) return allowed
  const answer = inode.fs.removexattr(inode, name)
  if (answer === 0) layer.notifier.file(path.dentry, InotifyMask.IN_ATTRIB)
  return answer
}

/** The names that a task may see: `trusted.` ones only for an administrator. */
export function listxattr(task: TaskContext, path: Path): readonly ByteString[] | number {
  const inode = inodeOf(path.dentry)
  const names = inode.fs.listxattr(inode)
  if (typeof names === 'number' || task.credentials.has(Capability.SYS_ADMIN)) return names
  return names.filter((name) => !name.startsWith('trusted.'))
}

/** Linux's `xattr_permission` and the checks of each name space. There are no POSIX ACLs: EOPNOTSUPP. */
function mayUse(who: Credentials, inode: Inode, name: ByteString, write: boolean): number {
  if (name.startsWith('security.')) {
    if (!write) return name === 'security.' ? -EINVAL : 0
    if (name === 'security.') return -EINVAL
    if (name === capabilityAttribute) return who.has(Capability.SETFCAP, inode) ? 0 : -EPERM
    return who.has(Capability.SYS_ADMIN) ? 0 : -EPERM
  }
  if (name.startsWith('trusted.')) {
    if (!who.has(Capability.SYS_ADMIN)) return write ? -EPERM : -ENODATA
    return name === 'trusted.' ? -EINVAL : 0
  }
  if (name.startsWith('user.')) {
    if (!isRegular(inode.mode) && !isDirectory(inode.mode)) return write ? -EPERM : -ENODATA
    if (isDirectory(inode.mode) && inode.mode & Mode.ISVTX && write && !ownerOrCapable(who, inode)) return -EPERM
    const allowed = permission(who, inode, write ? Access.W_OK : Access.R_OK)
    if (allowed < 0) return allowed
    return name === 'user.' ? -EINVAL : 0
  }
  return -EOPNOTSUPP
}
