/** Extended attributes (getxattr(2), setxattr(2), listxattr(2), removexattr(2)). */
import { At, type ByteString, type Path } from '@vmexit/vfs'
import { Errno } from '../errno.ts'
import type { Task } from '../system.ts'

/** XATTR_SIZE_MAX. */
const MOST = 65_536

/** Pipes and their like have no attributes; those of users are told as those of devices are. */
const NOWHERE = -Errno.EOPNOTSUPP

/** The file of a call: by a path whose last link is followed or not, or by descriptor. */
export type XattrTarget = { readonly path: ByteString; readonly follow: boolean } | { readonly fd: number }

function placeOf(task: Task, target: XattrTarget): Path | number {
  if ('fd' in target) {
    const file = task.files.get(target.fd)
    if (file === undefined || file.file?.isPath) return -Errno.EBADF
    return file.file?.path ?? NOWHERE
  }
  return task.kernel.vfs.lookup(task.context, null, target.path, target.follow ? 0 : At.AT_SYMLINK_NOFOLLOW)
}

/** Gives bytes to a program that has room for so many; without room it asks how many there are. */
function give(task: Task, bytes: Uint8Array, at: number, size: number): number {
  if (size === 0) return bytes.length
  if (bytes.length > size) return -Errno.ERANGE
  task.kernel.memory.write(at, bytes)
  return bytes.length
}

export function getxattr(task: Task, target: XattrTarget, name: ByteString, at: number, size: number): number {
  const place = placeOf(task, target)
  if (place === NOWHERE && name.startsWith('user.')) return -Errno.ENODATA
  if (typeof place === 'number') return place
  const value = task.kernel.vfs.getxattr(task.context, place, name)
  return typeof value === 'number' ? value : give(task, value, at, size)
}

export function setxattr(
  task: Task,
  target: XattrTarget,
  name: ByteString,
  at: number,
  size: number,
  flags: number,
): number {
  if (size > MOST) return -Errno.E2BIG
  const value = new Uint8Array(size)
  task.kernel.memory.read(at, value)
  const place = placeOf(task, target)
  if (place === NOWHERE && name.startsWith('user.')) return -Errno.EPERM
  return typeof place === 'number' ? place : task.kernel.vfs.setxattr(task.context, place, name, value, flags)
}

export function listxattr(task: Task, target: XattrTarget, at: number, size: number): number {
  const place = placeOf(task, target)
  if (typeof place === 'number') return place
  const names = task.kernel.vfs.listxattr(task.context, place)
  if (typeof names === 'number') return names
  const text = names.map((name) => `${name}\0`).join('')
  return give(
    task,
    Uint8Array.from(text, (character) => character.charCodeAt(0)),
    at,
    size,
  )
}

export function removexattr(task: Task, target: XattrTarget, name: ByteString): number {
  const place = placeOf(task, target)
  return typeof place === 'number' ? place : task.kernel.vfs.removexattr(task.context, place, name)
}
