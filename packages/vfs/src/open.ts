/** open(2), openat2(2), close(2). */
import type { TaskContext } from './context.ts'
import { type Dentry, Dentry as Entry, inodeOf } from './dentry.ts'
import { Errno } from './errno.ts'
import { File } from './file.ts'
import type { FileOperations, Inode } from './file-system.ts'
import { Access, isDirectory, isRegular, isSymlink, Mode, Open, Resolve } from './flags.ts'
import { knownState, settle, stateOf } from './inode-state.ts'
import { InotifyMask } from './inotify/watch.ts'
import { isReadOnly, isWriteRefused, type Layer } from './layer.ts'
import { MountFlag, type Path } from './mount/mount.ts'
import type { ByteString } from './names.ts'
import { newGroup, newMode, ownerOrCapable, permission } from './permission.ts'
import { Last } from './walk.ts'

const { O_ACCMODE, O_CREAT, O_DIRECTORY, O_EXCL, O_NOATIME, O_NOFOLLOW, O_PATH, O_RDWR, O_TMPFILE, O_TRUNC, O_WRONLY } =
  Open
const { EACCES, EAGAIN, EEXIST, EINVAL, EISDIR, ELOOP, ENOENT, ENOTDIR, ENXIO, EPERM, EROFS, ETXTBSY } = Errno
const { R_OK, W_OK, X_OK } = Access

const tmpfileBit = O_TMPFILE & ~O_DIRECTORY

/** Opens a file. `resolve` is openat2's. */
export function open(
  layer: Layer,
  task: TaskContext,
  at: Path | null,
  path: ByteString,
  flags: number,
  mode: number,
  resolve: number,
): File | number {
  if (flags & O_PATH) flags &= O_DIRECTORY | O_NOFOLLOW | O_PATH | Open.O_CLOEXEC
  if ((resolve & Resolve.RESOLVE_BENEATH && resolve & Resolve.RESOLVE_IN_ROOT) || resolve > 0x3f || resolve < 0)
    return -EINVAL
  if (flags & tmpfileBit) {
    if ((flags & O_TMPFILE) !== O_TMPFILE || flags & O_CREAT || !(flags & (O_WRONLY | O_RDWR))) return -EINVAL
  } else if ((flags & (O_CREAT | O_DIRECTORY)) === (O_CREAT | O_DIRECTORY)) return -EINVAL
  if (resolve & Resolve.RESOLVE_CACHED && flags & (O_CREAT | O_TRUNC | tmpfileBit)) return -EAGAIN
  if (flags & tmpfileBit) return openNameless(layer, task, at, path, flags, mode, resolve)
  const { walk } = layer
  if (flags & O_CREAT) {
    const answer = walk.parent(task, at, path, resolve)
    return answer < 0 ? answer : openOrCreate(layer, task, flags, mode)
  }
  const answer = walk.target(task, at, path, !(flags & O_NOFOLLOW), resolve)
  if (answer < 0) return answer
  if (flags & O_DIRECTORY && !isDirectory(inodeOf(walk.dentry).mode)) return -ENOTDIR
  return openPlace(layer, task, walk.path(), flags, true)
}

/** With O_CREAT, at the directory of the last name; links to what is not there are followed to where it would be. */
function openOrCreate(layer: Layer, task: TaskContext, flags: number, mode: number): File | number {
  const { walk } = layer
  const mayFollow = !(flags & (O_NOFOLLOW | O_EXCL))
  for (;;) {
    if (walk.lastKind !== Last.NAME) return flags & O_EXCL ? -EEXIST : -EISDIR
    if (walk.trailingSlash) return -EISDIR
    const child = walk.lookupLast()
    if (typeof child === 'number') return child === -ENOENT ? create(layer, task, flags, mode) : child
    if (flags & O_EXCL) return -EEXIST
    if (isSymlink(inodeOf(child).mode)) {
      if (!mayFollow) return -ELOOP
      const answer = walk.followLink(child, '')
      if (answer < 0) return answer
      if (walk.followedMagic) break
      continue
    }
    const answer = walk.stepTo(child)
    if (answer < 0) return answer
    break
  }
  if (isDirectory(inodeOf(walk.dentry).mode)) return -EISDIR
  return openPlace(layer, task, walk.path(), flags, true)
}

function create(layer: Layer, task: TaskContext, flags: number, mode: number): File | number {
  const { mount, dentry: parent, last: name } = layer.walk
  if (isReadOnly(mount)) return -EROFS
  if (parent.removed) return -ENOENT
  const dir = inodeOf(parent)
  const who = task.credentials
  const allowed = permission(who, dir, W_OK | X_OK)
  if (allowed < 0) return allowed
  const full = newMode(who, dir, Mode.IFREG | (mode & 0o7777), task.umask)
  const inode = dir.fs.create(dir, name, full, who.uid, newGroup(who, dir), 0)
  if (typeof inode === 'number') return inode
  layer.made(parent, name, inode, InotifyMask.IN_CREATE)
  return openPlace(layer, task, { mount, dentry: layer.entries.add(parent, name, inode) }, flags & ~O_TRUNC, false)
}

function openNameless(
  layer: Layer,
  task: TaskContext,
  at: Path | null,
  path: ByteString,
  flags: number,
  mode: number,
  resolve: number,
): File | number {
  const { walk } = layer
  const answer = walk.target(task, at, path, !(flags & O_NOFOLLOW), resolve)
  if (answer < 0) return answer
  const { mount } = walk
  const dir = inodeOf(walk.dentry)
  if (!isDirectory(dir.mode)) return -ENOTDIR
  if (isReadOnly(mount)) return -EROFS
  const who = task.credentials
  const allowed = permission(who, dir, W_OK | X_OK)
  if (allowed < 0) return allowed
  const full = newMode(who, dir, Mode.IFREG | (mode & 0o7777), task.umask)
  const inode = dir.fs.tmpfile(dir, full, who.uid, newGroup(who, dir))
  if (typeof inode === 'number') return inode
  if (flags & O_EXCL) stateOf(inode).unlinkable = true
  const nameless = new Entry(null, `#${inode.ino}`, inode)
  nameless.removed = true
  return openPlace(layer, task, { mount, dentry: nameless }, flags & ~(tmpfileBit | O_TRUNC), false)
}

/** Opens what stands at a place; `checked` unless it has just been made. */
export function openPlace(layer: Layer, task: TaskContext, path: Path, flags: number, checked: boolean): File | number {
  const inode = inodeOf(path.dentry)
  if (checked && !(flags & O_PATH)) {
    const allowed = mayOpen(task, path, inode, flags)
    if (allowed < 0) return allowed
  }
  const writes = !(flags & O_PATH) && (flags & O_ACCMODE) !== 0
  if (writes && isWriteRefused(path.mount, inode)) return -EROFS
  const state = stateOf(inode)
  if (writes && isRegular(inode.mode) && state.writers < 0) return -ETXTBSY
  const operations = openInode(layer, path, inode, flags)
  if (typeof operations === 'number') {
    settle(inode)
    return operations
  }
  state.opens++
  if (writes && isRegular(inode.mode)) state.writers++
  path.mount.uses++
  layer.entries.pin(path.dentry)
  const file = new File(path, inode, flags, operations)
  if (flags & O_TRUNC && !(flags & O_PATH) && isRegular(inode.mode)) {
    const answer = cutOff(layer, task, inode)
    if (answer < 0) {
      close(layer, file)
      return answer
    }
  }
  if (!(flags & O_PATH)) layer.notifier.file(path.dentry, InotifyMask.IN_OPEN)
  if (flags & O_TRUNC && isRegular(inode.mode)) layer.notifier.file(path.dentry, InotifyMask.IN_MODIFY)
  return file
}

function mayOpen(task: TaskContext, { mount }: Path, inode: Inode, flags: number): number {
  const type = inode.mode & Mode.IFMT
  const access: number = flags & O_ACCMODE
  let wanted: number = access === 0 ? R_OK : access === O_WRONLY ? W_OK : R_OK | W_OK
  if (type === Mode.IFLNK) return -ELOOP
  if (type === Mode.IFDIR && (wanted & W_OK || flags & O_TRUNC)) return -EISDIR
  if ((type === Mode.IFBLK || type === Mode.IFCHR) && mount.flags & MountFlag.NODEV) return -EACCES
  if (type === Mode.IFREG && flags & O_TRUNC && isReadOnly(mount)) return -EROFS
  if (flags & O_TRUNC) wanted |= W_OK
  const allowed = permission(task.credentials, inode, wanted)
  if (allowed < 0) return allowed
  return flags & O_NOATIME && !ownerOrCapable(task.credentials, inode) ? -EPERM : 0
}

/** Operations of its own, `null` for plain data, or an error. */
function openInode(layer: Layer, path: Path, inode: Inode, flags: number): FileOperations | null | number {
  const opened = inode.fs.open(inode, flags)
  if (typeof opened !== 'number') return opened
  if (opened < 0) return opened
  if (flags & O_PATH || isRegular(inode.mode) || isDirectory(inode.mode)) return null
  const special = layer.hooks.openSpecial?.(inode, flags, path) ?? -ENXIO
  if (typeof special === 'number') inode.fs.release(inode)
  return special
}

function cutOff(layer: Layer, task: TaskContext, inode: Inode): number {
  const answer = layer.removePrivileges(task.credentials, inode)
  return answer < 0 ? answer : inode.fs.truncate(inode, 0)
}

/**
 * Ends one use of an open file, and the file with the last one. `process`, the owner of record locks, loses those that it
 * has on the inode, whichever of its descriptors it closes.
 */
export function close(layer: Layer, file: File, process?: object): void {
  const { inode, path, operations } = file
  const { mount, dentry } = path
  const state = stateOf(inode)
  if (process !== undefined) state.locks?.releaseRecords(process)
  if (--file.references > 0) return
  state.locks?.releaseRecords(file)
  state.locks?.flock(file, 8)
  operations?.release()
  if (file.writable && isRegular(inode.mode)) state.writers--
  if (!file.isPath) {
    layer.notifier.file(dentry, file.writable ? InotifyMask.IN_CLOSE_WRITE : InotifyMask.IN_CLOSE_NOWRITE)
  }
  state.opens--
  mount.uses--
  layer.entries.unpin(dentry)
  if (inode.nlink === 0 && state.opens === 0) layer.notifier.gone(inode)
  inode.fs.release(inode)
  settle(inode)
}

/** An entry that has lost its name: its inode may be gone with it. */
export function goneIfUnused(layer: Layer, dentry: Dentry): void {
  const inode = inodeOf(dentry)
  if (inode.nlink === 0 && (knownState(inode)?.opens ?? 0) === 0) layer.notifier.gone(inode)
}
