/**
 * The layer: the system calls on files, as Linux has them (path_resolution(7) and the calls' own pages), over file systems
 * that know only inodes.
 *
 * A call is given the task that makes it and, where the system call ends in *at*, the place where relative paths begin:
 * `null` is the working directory, `file.path` an open directory. Paths, names and link targets are byte strings. An answer
 * below 0 is a negated error number, or NOT_YET: the task is to wait, and the call to be made again.
 */
import { access, chmod, chown, getattr, readlink, type Timespec, truncate, utimens } from './attribute-calls.ts'
import { TaskContext } from './context.ts'
import { inodeOf } from './dentry.ts'
import { link, mkdir, mknod, symlink } from './entry-calls.ts'
import { Errno } from './errno.ts'
import type { File } from './file.ts'
import type { DirectoryVisitor, FileSystem } from './file-system.ts'
import { Access, At } from './flags.ts'
import { stateOf } from './inode-state.ts'
import { Inotify } from './inotify/inotify.ts'
import { InotifyMask } from './inotify/watch.ts'
import { fallocate, ftruncate, getdents, lseek, read, write } from './io-calls.ts'
import { Layer, type VfsHooks } from './layer.ts'
import { flock, getLock, type LockRequest, setLock } from './lock-calls.ts'
import type { RecordLock } from './locks/file-locks.ts'
import { Mount, MountFlag, type Path } from './mount/mount.ts'
import { MountTree } from './mount/tree.ts'
import type { ByteString } from './names.ts'
import { close, open, openPlace } from './open.ts'
import { pathName } from './path-name.ts'
import { permission } from './permission.ts'
import { rename, rmdir, unlink } from './remove-calls.ts'
import type { Stat, StatFs } from './stat.ts'
import { enter, enterTree, fork, pivotRoot, unshareMounts } from './task-calls.ts'
import type { TimeSource } from './time.ts'
import { getxattr, listxattr, removexattr, setxattr } from './xattr-calls.ts'

/** What a layer is made with. */
export interface VfsOptions {
  /** The clock for atime's rule and for UTIME_NOW; the one that its file systems have. */
  readonly time: TimeSource
  /** What the kernel supplies. */
  readonly hooks?: VfsHooks
  /**
   * fs.protected_hardlinks of proc_sys_fs(5): nobody links to a file that is another’s unless it could be written, and is
   * no program that runs with its owner's rights. False unless stated.
   */
  readonly protectedHardlinks?: boolean
  /**
   * fs.protected_symlinks: in a sticky directory that all may write to, links are followed only by their owner, or where
   * the directory is their owner's. False unless stated.
   */
  readonly protectedSymlinks?: boolean
  /** Looked-up entries that are remembered, of file systems that say that they may be. 65,536 unless stated. */
  readonly rememberedEntries?: number
}

/** How an inotify instance is made. */
export interface InotifyOptions {
  readonly queueLimit?: number
  readonly readable?: () => void
}

/** Where relative paths begin: a place, or `null` for the working directory. */
export type StartingPoint = Path | null

/** A POSIX file system layer. */
export class Vfs {
  readonly #layer: Layer

  constructor({ time, hooks = {}, rememberedEntries = 65_536, ...rules }: VfsOptions) {
    this.#layer = new Layer(time, rememberedEntries, hooks, rules)
  }

  // Trees of mounts and tasks

  /** A tree of mounts with one file system at its root. */
  newTree(fs: FileSystem, source = 'none', flags: number = MountFlag.RELATIME): MountTree {
    const layer = this.#layer
    const of = layer.superOf(fs)
    layer.entries.pin(of.root)
    return new MountTree(layer, new Mount(layer.nextMount(), of, of.root, source, flags))
  }

  /** A task, which is root with umask 022 at the root of a tree until its fields say otherwise. End it by `exit`. */
  newTask(tree: MountTree): TaskContext {
    const root = tree.covering({ mount: tree.root, dentry: tree.root.root })
    root.mount.uses += 2
    return new TaskContext(tree, root, root, 0o022)
  }

  /** A copy of a task, as fork makes it. */
  fork(task: TaskContext): TaskContext {
    return fork(task)
  }

  /** Ends a task: it no longer keeps mounts busy. */
  exit(task: TaskContext): void {
    for (const { mount } of [task.root, task.cwd]) mount.uses--
  }

  /** Gives a task a tree of its own, a copy of the one that it has: unshare(2) of its mount namespace. */
  unshareMounts(task: TaskContext, asSlaves = false): void {
    unshareMounts(task, asSlaves)
  }

  /** Takes a task to another tree: setns(2) of a mount namespace. Root and working directory are its top then. */
  enterTree(task: TaskContext, tree: MountTree): void {
    enterTree(task, tree)
  }

  /**
   * pivot_root(2): what is at `path` becomes the root of the task's tree, whose former root is then seen at `putOld`. `tasks` are
   * all that are in the tree: those whose root or working directory was the former root stand at the new one. EBUSY,
   * EINVAL, ENOTDIR.
   */
  pivotRoot(task: TaskContext, path: ByteString, putOld: ByteString, tasks: Iterable<TaskContext>): number {
    return pivotRoot(this.#layer, task, path, putOld, tasks)
  }

  /** chdir(2), and fchdir(2) with an empty path and AT_EMPTY_PATH. */
  chdir(task: TaskContext, at: StartingPoint, path: ByteString, flags = 0): number {
    return enter(this.#layer, task, at, path, flags, 'cwd')
  }

  /** chroot(2); that the task may is asked by the kernel. */
  chroot(task: TaskContext, at: StartingPoint, path: ByteString, flags = 0): number {
    return enter(this.#layer, task, at, path, flags, 'root')
  }

  /** getcwd(2): ENOENT where the directory has been removed; `(unreachable)` before a path outside the task's root. */
  getcwd(task: TaskContext): ByteString | number {
    const { cwd, root } = task
    return cwd.dentry.removed ? -Errno.ENOENT : pathName(cwd, root)
  }

  /** The path of a place as a task sees it, as links in /proc show it: ` (deleted)` follows what has lost its name. */
  pathName(task: TaskContext, path: Path): ByteString {
    return pathName(path, task.root) + (path.dentry.removed ? ' (deleted)' : '')
  }

  /** What of its file system a mount shows: `/`, or the path of a directory or a file in it. */
  pathWithin({ root, super: of }: Mount): ByteString {
    const names: ByteString[] = []
    for (let at: Mount['root'] | null = root; at !== null && at !== of.root; at = at.parent) names.push(at.name)
    return `/${names.reverse().join('/')}`
  }

  /** The place that a path names. */
  lookup(task: TaskContext, at: StartingPoint, path: ByteString, flags = 0): Path | number {
    const answer = this.#layer.resolve(task, at, path, flags)
    return answer < 0 ? answer : this.#layer.walk.path()
  }

  /** Mounts a file system on a directory. The new mount, or an error. */
  mount(
    task: TaskContext,
    fs: FileSystem,
    path: ByteString,
    { source = 'none', flags = MountFlag.RELATIME }: { readonly source?: string; readonly flags?: number } = {},
  ): Mount | number {
    const place = this.lookup(task, null, path)
    return typeof place === 'number' ? place : task.tree.mount(this.#layer.superOf(fs), place, source, flags)
  }

  /** Shows a directory or a file at another place too, with MS_REC (`recursive`) what is mounted below it. */
  bind(task: TaskContext, from: ByteString, path: ByteString, recursive = false): Mount | number {
    const source = this.lookup(task, null, from)
    if (typeof source === 'number') return source
    const place = this.lookup(task, null, path)
    return typeof place === 'number' ? place : task.tree.bind(source, place, recursive)
  }

  /** The mount whose root a path names: EINVAL where it is none. */
  mountAt(task: TaskContext, path: ByteString): Mount | number {
    const place = this.lookup(task, null, path)
    if (typeof place === 'number') return place
    return place.dentry === place.mount.root ? place.mount : -Errno.EINVAL
  }

  /** Unmounts what is mounted at a path: EBUSY where it is in use, unless `lazily` (MNT_DETACH). */
  umount(task: TaskContext, path: ByteString, lazily = false): number {
    const mount = this.mountAt(task, path)
    return typeof mount === 'number' ? mount : task.tree.umount(mount, lazily)
  }

  // Opening and data

  /** openat2(2). An open file with one reference; `mode` is for O_CREAT and O_TMPFILE, `resolve` are flags of `Resolve`. */
  open(task: TaskContext, at: StartingPoint, path: ByteString, flags: number, mode = 0, resolve = 0): File | number {
    return open(this.#layer, task, at, path, flags, mode, resolve)
  }

  /** Opens once more what is at a place, without asking whether the task may: what a descriptor of O_PATH stands for. */
  reopen(task: TaskContext, path: Path, flags: number): File | number {
    return openPlace(this.#layer, task, path, flags, false)
  }

  /** One more descriptor refers to a file. */
  dup(file: File): File {
    file.references++
    return file
  }

  /** One descriptor less; with the last one the file ends. `process`, if stated, loses its record locks on the inode. */
  close(file: File, process?: object): void {
    close(this.#layer, file, process)
  }

  /** read(2) into `into` from `start` on. Answers how many bytes; 0 at the end. */
  read(file: File, into: Uint8Array, start = 0, length: number = into.length - start): number {
    return read(this.#layer, file, into, start, length, null)
  }

  /** pread(2). */
  pread(file: File, into: Uint8Array, start: number, length: number, position: number): number {
    return read(this.#layer, file, into, start, length, position)
  }

  /** write(2) of `from` from `start` on. Answers how many bytes. */
  write(task: TaskContext, file: File, from: Uint8Array, start = 0, length: number = from.length - start): number {
    return write(this.#layer, task, file, from, start, length, null)
  }

  /** pwrite(2). With O_APPEND it appends, as on Linux. */
  pwrite(task: TaskContext, file: File, from: Uint8Array, start: number, length: number, position: number): number {
    return write(this.#layer, task, file, from, start, length, position)
  }

  /** lseek(2), SEEK_DATA and SEEK_HOLE too. Answers the position. */
  lseek(file: File, offset: number, whence: number): number {
    return lseek(file, offset, whence)
  }

  /** getdents(2): entries with `.` and `..`, until there are no more or the visitor has had enough. */
  getdents(file: File, visitor: DirectoryVisitor): number {
    return getdents(this.#layer, file, visitor)
  }

  ftruncate(task: TaskContext, file: File, size: number): number {
    return ftruncate(this.#layer, task, file, size)
  }

  fallocate(task: TaskContext, file: File, mode: number, offset: number, length: number): number {
    return fallocate(this.#layer, task, file, mode, offset, length)
  }

  /** A program begins to run from an open file: ETXTBSY where it is open for writing. Nobody may write to it then. */
  denyWriting(file: File): number {
    const state = stateOf(file.inode)
    if (state.writers > 0) return -Errno.ETXTBSY
    state.writers--
    return 0
  }

  /** A program that runs from an open file, which is still open, has ended. */
  allowWriting(file: File): void {
    stateOf(file.inode).writers++
  }

  /** fsync(2). */
  fsync(file: File): number {
    return file.isPath ? -Errno.EBADF : file.inode.fs.sync(file.inode)
  }

  // Entries

  mkdir(task: TaskContext, at: StartingPoint, path: ByteString, mode: number): number {
    return mkdir(this.#layer, task, at, path, mode)
  }

  /** `device` is `makeDevice`'s. */
  mknod(task: TaskContext, at: StartingPoint, path: ByteString, mode: number, device = 0): number {
    return mknod(this.#layer, task, at, path, mode, device)
  }

  symlink(task: TaskContext, target: ByteString, at: StartingPoint, path: ByteString): number {
    return symlink(this.#layer, task, target, at, path)
  }

  link(
    task: TaskContext,
    oldAt: StartingPoint,
    oldPath: ByteString,
    newAt: StartingPoint,
    newPath: ByteString,
    flags = 0,
  ): number {
    return link(this.#layer, task, oldAt, oldPath, newAt, newPath, flags)
  }

  unlink(task: TaskContext, at: StartingPoint, path: ByteString): number {
    return unlink(this.#layer, task, at, path)
  }

  rmdir(task: TaskContext, at: StartingPoint, path: ByteString): number {
    return rmdir(this.#layer, task, at, path)
  }

  /** renameat2(2); `flags` are `Rename`'s. */
  rename(
    task: TaskContext,
    oldAt: StartingPoint,
    oldPath: ByteString,
    newAt: StartingPoint,
    newPath: ByteString,
    flags = 0,
  ): number {
    return rename(this.#layer, task, oldAt, oldPath, newAt, newPath, flags)
  }

  readlink(task: TaskContext, at: StartingPoint, path: ByteString): ByteString | number {
    const answer = this.#layer.resolve(task, at, path, At.AT_SYMLINK_NOFOLLOW | At.AT_EMPTY_PATH)
    return answer < 0 ? answer : readlink(this.#layer, this.#layer.walk.path(), path.length === 0)
  }

  // Attributes

  /** fstatat(2). Fills in the record. */
  stat(task: TaskContext, at: StartingPoint, path: ByteString, into: Stat, flags = 0): number {
    const answer = this.#layer.resolve(task, at, path, flags)
    return answer < 0 ? answer : getattr(this.#layer.walk, into)
  }

  /** fstat(2). */
  fstat(file: File, into: Stat): number {
    return getattr(file.path, into)
  }

  statfs(task: TaskContext, path: ByteString, into: StatFs): number {
    const answer = this.#layer.resolve(task, null, path, 0)
    return answer < 0 ? answer : this.#layer.walk.mount.super.fs.statfs(into)
  }

  /** fchmodat2(2). */
  chmod(task: TaskContext, at: StartingPoint, path: ByteString, mode: number, flags = 0): number {
    const answer = this.#layer.resolve(task, at, path, flags)
    return answer < 0 ? answer : chmod(this.#layer, task, this.#layer.walk.path(), mode)
  }

  /** fchownat(2); −1 leaves an owner as it is. */
  chown(task: TaskContext, at: StartingPoint, path: ByteString, uid: number, gid: number, flags = 0): number {
    const answer = this.#layer.resolve(task, at, path, flags)
    return answer < 0 ? answer : chown(this.#layer, task, this.#layer.walk.path(), uid, gid)
  }

  /** utimensat(2); `null` is now. */
  utimens(
    task: TaskContext,
    at: StartingPoint,
    path: ByteString,
    times: readonly [atime: Timespec, mtime: Timespec] | null,
    flags = 0,
  ): number {
    const answer = this.#layer.resolve(task, at, path, flags)
    return answer < 0 ? answer : utimens(this.#layer, task, this.#layer.walk.path(), times)
  }

  truncate(task: TaskContext, path: ByteString, size: number): number {
    if (size < 0) return -Errno.EINVAL
    const answer = this.#layer.resolve(task, null, path, 0)
    return answer < 0 ? answer : truncate(this.#layer, task, this.#layer.walk.path(), size)
  }

  /** faccessat2(2); `wanted` are bits of `Access`. */
  access(task: TaskContext, at: StartingPoint, path: ByteString, wanted: number, flags = 0): number {
    if (wanted & ~7) return -Errno.EINVAL
    const saved = task.credentials
    if (!(flags & At.AT_EACCESS)) task.credentials = task.realCredentials ?? saved
    const answer = this.#layer.resolve(task, at, path, flags)
    task.credentials = saved
    return answer < 0 ? answer : access(task, this.#layer.walk.path(), wanted, flags)
  }

  // Extended attributes, of what `lookup` has found

  getxattr(task: TaskContext, path: Path, name: ByteString): Uint8Array | number {
    return getxattr(task, path, name)
  }

  setxattr(task: TaskContext, path: Path, name: ByteString, value: Uint8Array, flags = 0): number {
    return setxattr(this.#layer, task, path, name, value, flags)
  }

  listxattr(task: TaskContext, path: Path): readonly ByteString[] | number {
    return listxattr(task, path)
  }

  removexattr(task: TaskContext, path: Path, name: ByteString): number {
    return removexattr(this.#layer, task, path, name)
  }

  // Locks

  /**
   * F_SETLK for a process, any object that stands for it, or with the file itself as owner F_OFD_SETLK. EAGAIN where
   * another's lock is in the way. With `wake` it is F_SETLKW: NOT_YET, `wake` is called when it is worth trying again, and
   * EDEADLK where that would never be; `forgetWait` if the process no longer waits.
   */
  setLock(file: File, owner: object, request: LockRequest, wake?: () => void): number {
    return setLock(this.#layer, file, owner, request, wake)
  }

  /** F_GETLK, F_OFD_GETLK: the lock that is in the way of one, or `null`. */
  getLock(file: File, owner: object, request: LockRequest): RecordLock | null | number {
    return getLock(this.#layer, file, owner, request)
  }

  /** A process that waited for a record lock waits no longer: a signal has come. */
  forgetWait(owner: object): void {
    this.#layer.lockWaits.delete(owner)
  }

  /** flock(2) with `Flock`'s operations: EAGAIN, or with `wake` and without LOCK_NB NOT_YET, where it is blocked. */
  flock(file: File, operation: number, wake?: () => void): number {
    return flock(this.#layer, file, operation, wake)
  }

  // inotify

  /** inotify_init(2). `queueLimit` is max_queued_events, 16,384 unless stated; `readable` is called when events come. */
  inotify({ queueLimit = 16_384, readable = () => {} }: InotifyOptions = {}): Inotify {
    return new Inotify(this.#layer.notifier, queueLimit, readable)
  }

  /** inotify_add_watch(2): the number of the watch, or an error. */
  watch(task: TaskContext, inotify: Inotify, path: ByteString, mask: number): number {
    const follow = mask & InotifyMask.IN_DONT_FOLLOW ? At.AT_SYMLINK_NOFOLLOW : 0
    const answer = this.#layer.resolve(task, null, path, follow)
    if (answer < 0) return answer
    const inode = inodeOf(this.#layer.walk.dentry)
    const allowed = permission(task.credentials, inode, Access.R_OK)
    return allowed < 0 ? allowed : inotify.watch(inode, mask)
  }
}
