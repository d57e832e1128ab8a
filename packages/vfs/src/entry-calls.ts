/** Making entries: mkdir(2), mknod(2), symlink(2), link(2). The preconditions and the order of errors are Linux's. */

import type { TaskContext } from './context.ts'
import { Capability, type Credentials } from './credentials.ts'
import { inodeOf } from './dentry.ts'
import { Errno } from './errno.ts'
import type { Inode } from './file-system.ts'
import { Access, At, isDirectory, isRegular, Mode, PATH_MAX } from './flags.ts'
import { knownState, stateOf } from './inode-state.ts'
import { InotifyMask } from './inotify/watch.ts'
import type { Layer } from './layer.ts'
import type { Path } from './mount/mount.ts'
import type { ByteString } from './names.ts'
import { newGroup, newMode, ownerOrCapable, permission } from './permission.ts'

const { EINVAL, ENAMETOOLONG, ENOENT, EPERM, EXDEV } = Errno

export function mkdir(layer: Layer, task: TaskContext, at: Path | null, path: ByteString, mode: number): number {
  const answer = layer.place(task, at, path, true)
  if (answer < 0) return answer
  const { dentry: parent, last: name } = layer.walk
  const dir = inodeOf(parent)
  const who = task.credentials
  const type = newMode(who, dir, Mode.IFDIR | (mode & 0o1777), task.umask)
  const inode = dir.fs.mkdir(dir, name, type, who.uid, newGroup(who, dir))
  if (typeof inode === 'number') return inode
  layer.made(parent, name, inode, InotifyMask.IN_CREATE)
  return 0
}

export function mknod(
  layer: Layer,
  task: TaskContext,
  at: Path | null,
  path: ByteString,
  mode: number,
  device: number,
): number {
  const type = mode & Mode.IFMT || Mode.IFREG
  if (type === Mode.IFDIR) return -EPERM
  if (![Mode.IFREG, Mode.IFCHR, Mode.IFBLK, Mode.IFIFO, Mode.IFSOCK].includes(type as 0o100000)) return -EINVAL
  const answer = layer.place(task, at, path, false)
  if (answer < 0) return answer
  const { dentry: parent, last: name } = layer.walk
  const dir = inodeOf(parent)
  const who = task.credentials
  const isDevice = type === Mode.IFCHR || type === Mode.IFBLK
  const isWhiteout = type === Mode.IFCHR && device === 0
  if (isDevice && !isWhiteout && !who.has(Capability.MKNOD)) return -EPERM
  const full = newMode(who, dir, type | (mode & 0o7777), task.umask)
  const inode = dir.fs.create(dir, name, full, who.uid, newGroup(who, dir), isDevice ? device : 0)
  if (typeof inode === 'number') return inode
  layer.made(parent, name, inode, InotifyMask.IN_CREATE)
  return 0
}

export function symlink(
  layer: Layer,
  task: TaskContext,
  target: ByteString,
  at: Path | null,
  path: ByteString,
): number {
  if (target.length === 0) return -ENOENT
  if (target.length >= PATH_MAX) return -ENAMETOOLONG
  const answer = layer.place(task, at, path, false)
  if (answer < 0) return answer
  const { dentry: parent, last: name } = layer.walk
  const dir = inodeOf(parent)
  const who = task.credentials
  const inode = dir.fs.symlink(dir, name, target, who.uid, newGroup(who, dir))
  if (typeof inode === 'number') return inode
  layer.made(parent, name, inode, InotifyMask.IN_CREATE)
  return 0
}

export function link(
  layer: Layer,
  task: TaskContext,
  oldAt: Path | null,
  oldPath: ByteString,
  newAt: Path | null,
  newPath: ByteString,
  flags: number,
): number {
  if (flags & ~(At.AT_SYMLINK_FOLLOW | At.AT_EMPTY_PATH)) return -EINVAL
  if (flags & At.AT_EMPTY_PATH && oldPath.length === 0 && !task.credentials.has(Capability.DAC_READ_SEARCH))
    return -ENOENT
  const follow = flags & At.AT_SYMLINK_FOLLOW ? 0 : At.AT_SYMLINK_NOFOLLOW
  const found = layer.resolve(task, oldAt, oldPath, (flags & At.AT_EMPTY_PATH) | follow)
  if (found < 0) return found
  const { mount, dentry: old } = layer.walk
  const answer = layer.vacancy(task, newAt, newPath, false)
  if (answer < 0) return answer
  const { mount: newMount, dentry: parent, last: name } = layer.walk
  if (mount !== newMount) return -EXDEV
  const inode = inodeOf(old)
  if (layer.protectedHardlinks && !isSafeToLink(task.credentials, inode)) return -EPERM
  const allowed = layer.mayAdd(task)
  if (allowed < 0) return allowed
  if (isDirectory(inode.mode)) return -EPERM
  if (inode.nlink === 0 && (knownState(inode)?.opens === 0 || !isLinkable(old.parent === null, inode.state)))
    return -ENOENT
  const dir = inodeOf(parent)
  const nameless = inode.nlink === 0
  const linked = dir.fs.link(inode, dir, name)
  if (linked < 0) return linked
  if (nameless) stateOf(inode).unlinkable = true
  layer.entries.forgetAbsence(parent, name)
  layer.notifier.linkCount(inode)
  layer.notifier.entry(dir, name, inode, InotifyMask.IN_CREATE)
  return 0
}

/** fs.protected_hardlinks: an owner's file, or one that could be written and gives nobody's rights to who runs it. */
function isSafeToLink(who: Credentials, inode: Inode): boolean {
  if (ownerOrCapable(who, inode)) return true
  const { mode } = inode
  const runsAsGroup = (mode & (Mode.ISGID | Mode.IXGRP)) === (Mode.ISGID | Mode.IXGRP)
  if (!isRegular(mode) || mode & Mode.ISUID || runsAsGroup) return false
  return permission(who, inode, Access.R_OK | Access.W_OK) === 0
}

/** Whether a file without names may get one: it was opened by O_TMPFILE, and without O_EXCL. */
function isLinkable(nameless: boolean, state: object | undefined): boolean {
  return nameless && !(state as { readonly unlinkable?: boolean } | undefined)?.unlinkable
}
