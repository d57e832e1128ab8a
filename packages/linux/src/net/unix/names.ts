/** Names of UNIX sockets (unix(7)): paths of the file system, and abstract ones of a network namespace. */
import { Access, At, type ByteString, Mode, type Path } from '@vmexit/vfs'
import { Errno } from '../../errno.ts'
import type { Task } from '../../system.ts'
import type { NetNamespace } from '../namespace.ts'
import type { UnixEnd } from './end.ts'

/** Abstract names that are given out: five hexadecimal digits. */
const MOST_AUTOMATIC = 0x10_0000

/** Gives an end a name: 0 or a negated error number. */
export function bindName(task: Task, namespace: NetNamespace, end: UnixEnd, name: ByteString): number {
  if (end.name !== undefined) {
    // (A path that is there is found before the name that the socket has.)
    const isTaken = !name.startsWith('\0') && typeof lookup(task, name) !== 'number'
    return isTaken ? -Errno.EADDRINUSE : -Errno.EINVAL
  }
  return name.startsWith('\0') ? bindAbstract(namespace, end, name) : bindPath(task, end, name)
}

function bindAbstract({ abstractNames }: NetNamespace, end: UnixEnd, name: ByteString): number {
  if (abstractNames.has(name)) return -Errno.EADDRINUSE
  abstractNames.set(name, end)
  end.name = name
  end.onUnbind = () => abstractNames.delete(name)
  return 0
}

/** Gives an end some abstract name. */
export function bindAutomatically(namespace: NetNamespace, end: UnixEnd): number {
  if (end.name !== undefined) return 0
  for (let tries = 0; tries < MOST_AUTOMATIC; tries++) {
    const number = namespace.nextAutomaticName
    namespace.nextAutomaticName = (number + 1) % MOST_AUTOMATIC
    if (bindAbstract(namespace, end, `\0${number.toString(16).padStart(5, '0')}`) === 0) return 0
  }
  return -Errno.ENOSPC
}

function lookup({ kernel, context }: Task, name: ByteString): Path | number {
  return kernel.vfs.lookup(context, null, name, At.AT_SYMLINK_NOFOLLOW)
}

function bindPath(task: Task, end: UnixEnd, name: ByteString): number {
  const { vfs, network } = task.kernel
  const made = vfs.mknod(task.context, null, name, Mode.IFSOCK | 0o777)
  if (made < 0) return made === -Errno.EEXIST ? -Errno.EADDRINUSE : made
  const place = lookup(task, name)
  if (typeof place === 'number') return place
  const inode = place.dentry.inode!
  network.byInode.set(inode, end)
  end.name = name
  end.onUnbind = () => network.byInode.delete(inode)
  return 0
}

/** The end that has a name; also −ENOENT, −EACCES, −ECONNREFUSED. */
export function findName(task: Task, namespace: NetNamespace, name: ByteString): UnixEnd | number {
  if (name.startsWith('\0')) return namespace.abstractNames.get(name) ?? -Errno.ECONNREFUSED
  const { vfs, network } = task.kernel
  const place = vfs.lookup(task.context, null, name)
  if (typeof place === 'number') return place
  const may = vfs.access(task.context, place, '', Access.W_OK, At.AT_EMPTY_PATH | At.AT_EACCESS)
  if (may < 0) return may
  return network.byInode.get(place.dentry.inode!) ?? -Errno.ECONNREFUSED
}
