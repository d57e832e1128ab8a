/** Removing and moving entries: unlink(2), rmdir(2), rename(2). The preconditions and the order of errors are Linux's. */
import type { TaskContext } from './context.ts'
import { type Dentry, inodeOf } from './dentry.ts'
import { Errno } from './errno.ts'
import { Access, isDirectory, Rename } from './flags.ts'
import { InotifyMask } from './inotify/watch.ts'
import { isReadOnly, type Layer } from './layer.ts'
import type { Path } from './mount/mount.ts'
import type { ByteString } from './names.ts'
import { goneIfUnused } from './open.ts'
import { mayCreate, mayDelete, permission } from './permission.ts'
import { Last } from './walk.ts'

const { EBUSY, EEXIST, EINVAL, EISDIR, ENOENT, ENOTDIR, ENOTEMPTY, EROFS, EXDEV } = Errno
const { RENAME_EXCHANGE, RENAME_NOREPLACE, RENAME_WHITEOUT } = Rename

export function unlink(layer: Layer, task: TaskContext, at: Path | null, path: ByteString): number {
  const { walk } = layer
  const answer = walk.parent(task, at, path)
  if (answer < 0) return answer
  if (walk.lastKind !== Last.NAME) return -EISDIR
  if (isReadOnly(walk.mount)) return -EROFS
  const victim = walk.lookupLast()
  if (typeof victim === 'number') return victim
  const inode = inodeOf(victim)
  if (walk.trailingSlash) return isDirectory(inode.mode) ? -EISDIR : -ENOTDIR
  const { dentry: parent, last: name } = walk
  const dir = inodeOf(parent)
  const allowed = mayDelete(task.credentials, dir, inode, false)
  if (allowed < 0) return allowed
  if (victim.mounts > 0) return -EBUSY
  const removed = dir.fs.unlink(dir, name)
  if (removed < 0) return removed
  layer.entries.remove(victim)
  layer.notifier.linkCount(inode)
  goneIfUnused(layer, victim)
  layer.notifier.entry(dir, name, inode, InotifyMask.IN_DELETE)
  return 0
}

export function rmdir(layer: Layer, task: TaskContext, at: Path | null, path: ByteString): number {
  const { walk } = layer
  const answer = walk.parent(task, at, path)
  if (answer < 0) return answer
  if (walk.lastKind === Last.DOTDOT) return -ENOTEMPTY
  if (walk.lastKind === Last.DOT) return -EINVAL
  if (walk.lastKind === Last.NONE) return -EBUSY
  if (isReadOnly(walk.mount)) return -EROFS
  const victim = walk.lookupLast()
  if (typeof victim === 'number') return victim
  const { dentry: parent, last: name } = walk
  const [dir, inode] = [inodeOf(parent), inodeOf(victim)]
  const allowed = mayDelete(task.credentials, dir, inode, true)
  if (allowed < 0) return allowed
  if (victim.mounts > 0) return -EBUSY
  const removed = dir.fs.rmdir(dir, name)
  if (removed < 0) return removed
  layer.entries.remove(victim)
  goneIfUnused(layer, victim)
  layer.notifier.entry(dir, name, inode, InotifyMask.IN_DELETE)
  return 0
}

/** One side of a rename: a directory and a name in it. */
interface Side {
  readonly path: Path
  readonly name: ByteString
  readonly trailingSlash: boolean
  readonly kind: number
}

export function rename(
  layer: Layer,
  task: TaskContext,
  oldAt: Path | null,
  oldPath: ByteString,
  newAt: Path | null,
  newPath: ByteString,
  flags: number,
): number {
  if (flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT)) return -EINVAL
  if (flags & RENAME_EXCHANGE && flags & (RENAME_NOREPLACE | RENAME_WHITEOUT)) return -EINVAL
  const from = side(layer, task, oldAt, oldPath)
  if (typeof from === 'number') return from
  const to = side(layer, task, newAt, newPath)
  if (typeof to === 'number') return to
  if (from.path.mount !== to.path.mount) return -EXDEV
  if (from.kind !== Last.NAME) return -EBUSY
  if (to.kind !== Last.NAME) return flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY
  if (isReadOnly(from.path.mount)) return -EROFS
  const source = layer.entries.lookup(from.path.dentry, from.name)
  if (typeof source === 'number') return source
  const found = layer.entries.lookup(to.path.dentry, to.name)
  if (typeof found === 'number' && found !== -ENOENT) return found
  const target = typeof found === 'number' ? null : found
  const fits = slashesAndLoops(from, source, to, target, flags)
  if (fits < 0) return fits
  if (target !== null && target.inode === source.inode) return 0
  const allowed = mayRename(task, from, source, to, target, flags)
  if (allowed < 0) return allowed
  if (source.mounts > 0 || (target?.mounts ?? 0) > 0) return -EBUSY
  const [oldDir, newDir] = [inodeOf(from.path.dentry), inodeOf(to.path.dentry)]
  const { uid, gid } = task.credentials
  const renamed = oldDir.fs.rename(oldDir, from.name, newDir, to.name, flags, uid, gid)
  if (renamed < 0) return renamed
  settleNames(layer, from, source, to, target, flags)
  return 0
}

function side(layer: Layer, task: TaskContext, at: Path | null, path: ByteString): Side | number {
  const { walk } = layer
  const answer = walk.parent(task, at, path)
  if (answer < 0) return answer
  return { path: walk.path(), name: walk.last, trailingSlash: walk.trailingSlash, kind: walk.lastKind }
}

function slashesAndLoops(from: Side, source: Dentry, to: Side, target: Dentry | null, flags: number): number {
  if (flags & RENAME_NOREPLACE && target !== null) return -EEXIST
  if (flags & RENAME_EXCHANGE) {
    if (target === null) return -ENOENT
    if (!isDirectory(inodeOf(target).mode) && to.trailingSlash) return -ENOTDIR
  }
  if (!isDirectory(inodeOf(source).mode)) {
    if (from.trailingSlash || (!(flags & RENAME_EXCHANGE) && to.trailingSlash)) return -ENOTDIR
  }
  if (to.path.dentry.isWithin(source)) return -EINVAL
  if (target !== null && from.path.dentry.isWithin(target)) return flags & RENAME_EXCHANGE ? -EINVAL : -ENOTEMPTY
  return 0
}

function mayRename(
  task: TaskContext,
  from: Side,
  source: Dentry,
  to: Side,
  target: Dentry | null,
  flags: number,
): number {
  const who = task.credentials
  const [oldDir, newDir] = [inodeOf(from.path.dentry), inodeOf(to.path.dentry)]
  const isDir = isDirectory(inodeOf(source).mode)
  let answer = mayDelete(who, oldDir, inodeOf(source), isDir)
  if (answer < 0) return answer
  if (target === null) answer = to.path.dentry.removed ? -ENOENT : mayCreate(who, newDir)
  else {
    const asDirectory = flags & RENAME_EXCHANGE ? isDirectory(inodeOf(target).mode) : isDir
    answer = mayDelete(who, newDir, inodeOf(target), asDirectory)
  }
  if (answer < 0 || oldDir === newDir) return answer
  if (isDir) answer = permission(who, inodeOf(source), Access.W_OK)
  if (answer === 0 && flags & RENAME_EXCHANGE && isDirectory(inodeOf(target!).mode)) {
    answer = permission(who, inodeOf(target!), Access.W_OK)
  }
  return answer
}

/** Brings entries and watchers up to date. */
function settleNames(layer: Layer, from: Side, source: Dentry, to: Side, target: Dentry | null, flags: number): void {
  const { entries, notifier } = layer
  const [oldDir, newDir] = [inodeOf(from.path.dentry), inodeOf(to.path.dentry)]
  const inode = inodeOf(source)
  if (flags & RENAME_EXCHANGE) {
    entries.exchange(source, target!)
    notifier.moved(oldDir, from.name, newDir, to.name, inode)
    notifier.moved(newDir, to.name, oldDir, from.name, inodeOf(target!))
    return
  }
  if (target !== null) entries.remove(target)
  entries.move(source, to.path.dentry, to.name)
  notifier.moved(oldDir, from.name, newDir, to.name, inode)
  if (target === null) return
  notifier.linkCount(inodeOf(target))
  goneIfUnused(layer, target)
}
