/** What the calls of one layer share: entries, the walk, events, locks, and the small decisions that many of them make. */

import type { TaskContext } from './context.ts'
import type { Credentials } from './credentials.ts'
import { type Dentry, DentryCache, Dentry as Entry, inodeOf } from './dentry.ts'
import { Errno } from './errno.ts'
import type { FileOperations, FileSystem, Inode } from './file-system.ts'
import { Access, At, isDirectory } from './flags.ts'
import { knownState } from './inode-state.ts'
import { Notifier } from './inotify/notify.ts'
import type { LockWaits } from './locks/lock-waits.ts'
import { type Mount, MountFlag, type Path, type Super } from './mount/mount.ts'
import type { MountWorld } from './mount/tree.ts'
import type { ByteString } from './names.ts'
import { isStored, modeAfterWrite, permission } from './permission.ts'
import { Change, Changes, Stat } from './stat.ts'
import type { TimeSource } from './time.ts'
import { Last, Walk } from './walk.ts'

/** What a kernel supplies beside file systems. */
export interface VfsHooks {
  /**
   * Opens a FIFO, a socket or a device node: operations, NOT_YET (a FIFO without its other end), or an error. Without this
   * hook it is ENXIO.
   */
  openSpecial?(inode: Inode, flags: number, path: Path): FileOperations | number
  /** The last mount of a file system has gone, and nothing of it is in use. */
  unmounted?(fs: FileSystem): void
}

/** Rules that Linux has switches for, in /proc/sys/fs. */
interface ProtectionRules {
  readonly protectedHardlinks?: boolean
  readonly protectedSymlinks?: boolean
}

/** The first device number of file systems that have none of their own: major 0. */
const firstDevice = 20

/** The attribute that says what capabilities a program gets; it goes when the file changes. */
export const capabilityAttribute = 'security.capability'

/** The state of one layer. */
export class Layer implements MountWorld {
  readonly entries: DentryCache
  readonly walk: Walk
  readonly notifier: Notifier = new Notifier()
  readonly lockWaits: LockWaits = new Map()
  readonly time: TimeSource
  readonly hooks: VfsHooks
  readonly protectedHardlinks: boolean
  /** Records of the layer's own, for one call at a time. */
  readonly stat: Stat = new Stat()
  readonly changes: Changes = new Changes()
  readonly #supers = new WeakMap<FileSystem, Super>()
  #nextDevice = firstDevice
  #nextMount = 1
  #nextGroup = 1

  constructor(
    time: TimeSource,
    rememberedEntries: number,
    hooks: VfsHooks,
    { protectedHardlinks = false, protectedSymlinks = false }: ProtectionRules,
  ) {
    this.time = time
    this.hooks = hooks
    this.protectedHardlinks = protectedHardlinks
    this.entries = new DentryCache(rememberedEntries)
    this.walk = new Walk(this.entries, protectedSymlinks, (mount, link) => this.touch(mount, inodeOf(link)))
  }

  nextMount(): number {
    return this.#nextMount++
  }

  nextGroup(): number {
    return this.#nextGroup++
  }

  gone(of: Super): void {
    this.notifier.unmounted(of.fs)
    this.hooks.unmounted?.(of.fs)
  }

  /** The one record of a file system. */
  superOf(fs: FileSystem): Super {
    let known = this.#supers.get(fs)
    if (known === undefined) {
      known = { fs, device: this.#nextDevice++, root: new Entry(null, '', fs.root), mounts: 0 }
      this.#supers.set(fs, known)
    }
    return known
  }

  /** Walks to what a call names, minding AT_EMPTY_PATH and AT_SYMLINK_NOFOLLOW; the walk has it then. 0 or an error. */
  resolve(task: TaskContext, at: Path | null, path: ByteString, flags: number): number {
    if (path.length === 0 && flags & At.AT_EMPTY_PATH) {
      const { mount, dentry } = at ?? task.cwd
      this.walk.mount = mount
      this.walk.dentry = dentry
      return 0
    }
    return this.walk.target(task, at, path, !(flags & At.AT_SYMLINK_NOFOLLOW))
  }

  /** `vacancy`, and whether the task may make an entry there. */
  place(task: TaskContext, at: Path | null, path: ByteString, forDirectory: boolean): number {
    const answer = this.vacancy(task, at, path, forDirectory)
    return answer < 0 ? answer : this.mayAdd(task)
  }

  /**
   * Walks to where a new entry is to be. 0, and the walk stands at the directory; or an error: EEXIST before all others
   * that concern the entry.
   */
  vacancy(task: TaskContext, at: Path | null, path: ByteString, forDirectory: boolean): number {
    const { walk } = this
    const answer = walk.parent(task, at, path)
    if (answer < 0) return answer
    if (walk.lastKind !== Last.NAME) return -Errno.EEXIST
    const there = walk.lookupLast()
    if (typeof there !== 'number') return -Errno.EEXIST
    if (there !== -Errno.ENOENT) return there
    if (walk.trailingSlash && !forDirectory) return -Errno.ENOENT
    return isReadOnly(walk.mount) ? -Errno.EROFS : 0
  }

  /** Whether the task may make an entry in the directory that the walk stands at. */
  mayAdd(task: TaskContext): number {
    const { dentry } = this.walk
    return dentry.removed ? -Errno.ENOENT : permission(task.credentials, inodeOf(dentry), Access.W_OK | Access.X_OK)
  }

  /** An entry has been made in a directory: it is remembered, and told. */
  made(parent: Dentry, name: ByteString, inode: Inode, event: number): void {
    this.entries.forgetAbsence(parent, name)
    this.notifier.entry(inodeOf(parent), name, inode, event)
  }

  /** A file has been read, a directory listed, a link followed: stamps atime if the mount's rule says so. */
  touch(mount: Mount, inode: Inode): void {
    const { flags } = mount
    if (flags & (MountFlag.NOATIME | MountFlag.RDONLY) || inode.fs.readOnly) return
    if (flags & MountFlag.NODIRATIME && isDirectory(inode.mode)) return
    if (flags & MountFlag.RELATIME && !this.#isStale(inode)) return
    inode.fs.accessed(inode)
  }

  /** relatime: whether atime is not later than a change, or a day old. */
  #isStale(inode: Inode): boolean {
    const { stat } = this
    if (inode.fs.getattr(inode, stat) < 0) return false
    const { atimeSeconds, atimeNanoseconds, mtimeSeconds, mtimeNanoseconds, ctimeSeconds, ctimeNanoseconds } = stat
    const notAfter = (seconds: number, nanoseconds: number) =>
      atimeSeconds < seconds || (atimeSeconds === seconds && atimeNanoseconds <= nanoseconds)
    if (notAfter(mtimeSeconds, mtimeNanoseconds) || notAfter(ctimeSeconds, ctimeNanoseconds)) return true
    return this.time.seconds - atimeSeconds >= 24 * 60 * 60
  }

  /** Before a file's contents change: takes set-id bits and file capabilities from it. 0 or an error. */
  removePrivileges(who: Credentials, inode: Inode): number {
    const mode = modeAfterWrite(who, inode)
    if (mode !== inode.mode) {
      const answer = this.changeMode(inode, mode)
      if (answer < 0) return answer
    }
    return this.removeFileCapability(inode)
  }

  /** Takes `security.capability` from a file that has it. */
  removeFileCapability(inode: Inode): number {
    const state = knownState(inode)
    if (state?.withoutCapability) return 0
    if (typeof inode.fs.getxattr(inode, capabilityAttribute) !== 'number') {
      const answer = inode.fs.removexattr(inode, capabilityAttribute)
      if (answer < 0) return answer
    }
    if (state !== undefined) state.withoutCapability = true
    return 0
  }

  changeMode(inode: Inode, mode: number): number {
    this.changes.mask = Change.MODE
    this.changes.mode = mode
    return inode.fs.setattr(inode, this.changes)
  }
}

/** Whether nothing can be changed through a mount. */
export function isReadOnly(mount: Mount): boolean {
  return (mount.flags & MountFlag.RDONLY) !== 0 || mount.super.fs.readOnly
}

/** Whether writing to an inode through a mount is EROFS: FIFOs, sockets and devices are written elsewhere. */
export function isWriteRefused(mount: Mount, inode: Inode): boolean {
  return isReadOnly(mount) && isStored(inode.mode)
}
