/**
 * Entries: what a path is made of (Linux's dentries). They say where a directory is in its file system's tree, carry
 * mount points and open files along when directories are renamed, and remember look-ups, those that found nothing too.
 *
 * Directories that have been walked through stay. Of other entries those stay that are in use, and, where the file system
 * says so by its `caching`, up to a limit those that have been looked up last.
 */
import { Errno } from './errno.ts'
import type { FileSystem, Inode } from './file-system.ts'
import { isDirectory } from './flags.ts'
import type { ByteString } from './names.ts'

/** An entry of a directory. */
export class Dentry {
  /** The directory that it is in; `null` at the root of a file system, and of a file without a name. */
  parent: Dentry | null
  name: ByteString
  /** `null` of an entry that says that there is none. */
  readonly inode: Inode | null
  children: Map<ByteString, Dentry> | undefined = undefined
  /** Uses that keep it among its parent's children: open files, mounts on it or of it. */
  pins = 0
  /** Mounts on it, in any tree of mounts. */
  mounts = 0
  /** The name is gone; of a directory: nothing can be created in it any more. */
  removed = false
  /** Looked up since the cache was last swept. */
  recent = true

  constructor(parent: Dentry | null, name: ByteString, inode: Inode | null) {
    this.parent = parent
    this.name = name
    this.inode = inode
  }

  /** Whether it is `other` or lies below it. */
  isWithin(other: Dentry): boolean {
    for (let at: Dentry | null = this; at !== null; at = at.parent) if (at === other) return true
    return false
  }
}

/** The inode of an entry that is there. */
export function inodeOf(dentry: Dentry): Inode {
  return dentry.inode!
}

/** The entries of all file systems of a layer. */
export class DentryCache {
  readonly #limit: number
  #queue: Dentry[] = []

  /** `limit`: how many entries are remembered that are no directories and not in use. */
  constructor(limit: number) {
    this.#limit = limit
  }

  /**
   * The entry of a name in a directory, which must have an inode; ENOENT, ENAMETOOLONG, or what the file system answers.
   * `cachedOnly`: EAGAIN rather than to ask a file system that is not as fast as a cache.
   */
  lookup(parent: Dentry, name: ByteString, cachedOnly = false): Dentry | number {
    const dir = inodeOf(parent)
    const { fs } = dir
    const known = parent.children?.get(name)
    if (known !== undefined) {
      const valid = fs.caching === 'revalidate' ? fs.revalidate!(dir, name, known.inode) : 1
      if (valid < 0) return valid
      if (valid > 0) {
        known.recent = true
        return known.inode === null ? -Errno.ENOENT : known
      }
    }
    if (cachedOnly && fs.caching !== 'none') return -Errno.EAGAIN
    if (name.length > fs.maxNameBytes) return -Errno.ENAMETOOLONG
    const found = parent.removed ? -Errno.ENOENT : fs.lookup(dir, name)
    if (known !== undefined && (typeof found !== 'number' || found === -Errno.ENOENT)) {
      if (found === known.inode) return known
      this.remove(known)
    }
    if (typeof found !== 'number') return this.add(parent, name, found)
    if (found === -Errno.ENOENT && fs.caching !== 'none' && !parent.removed)
      this.#hash(new Dentry(parent, name, null), fs)
    return found
  }

  /** The entry of a name that has just been found or made. */
  add(parent: Dentry, name: ByteString, inode: Inode): Dentry {
    const dentry = new Dentry(parent, name, inode)
    if (isDirectory(inode.mode) || inode.fs.caching !== 'none') this.#hash(dentry, inode.fs)
    return dentry
  }

  /** The name is gone, and its entry with it. */
  remove(dentry: Dentry): void {
    dentry.removed = true
    const siblings = dentry.parent?.children
    if (siblings?.get(dentry.name) === dentry) siblings.delete(dentry.name)
  }

  /** A name is taken that was remembered as absent. */
  forgetAbsence(parent: Dentry, name: ByteString): void {
    if (parent.children?.get(name)?.inode === null) parent.children.delete(name)
  }

  /** The entry has got another name. What the name had before has been removed. */
  move(dentry: Dentry, parent: Dentry, name: ByteString): void {
    const siblings = dentry.parent!.children
    const known = siblings?.get(dentry.name) === dentry
    if (known) siblings.delete(dentry.name)
    dentry.parent = parent
    dentry.name = name
    if (known) this.#put(dentry)
    else this.forgetAbsence(parent, name)
  }

  /** Two entries have changed places. */
  exchange(a: Dentry, b: Dentry): void {
    const [parent, name] = [a.parent!, a.name]
    const both = [a, b].filter((dentry) => dentry.parent!.children?.get(dentry.name) === dentry)
    for (const dentry of both) dentry.parent!.children!.delete(dentry.name)
    a.parent = b.parent
    a.name = b.name
    b.parent = parent
    b.name = name
    for (const dentry of both) this.#put(dentry)
  }

  /** An entry is in use, and will move along when its name changes. */
  pin(dentry: Dentry): void {
    if (dentry.pins++ === 0 && dentry.parent !== null && !dentry.removed) this.#put(dentry)
  }

  /** A use has ended. */
  unpin(dentry: Dentry): void {
    const inode = inodeOf(dentry)
    if (--dentry.pins > 0 || dentry.removed || dentry.parent === null || isDirectory(inode.mode)) return
    if (inode.fs.caching === 'none') dentry.parent.children?.delete(dentry.name)
  }

  #put(dentry: Dentry): void {
    const parent = dentry.parent!
    parent.children ??= new Map()
    parent.children.set(dentry.name, dentry)
  }

  #hash(dentry: Dentry, fs: FileSystem): void {
    this.#put(dentry)
    if (fs.caching === 'none' || (dentry.inode !== null && isDirectory(dentry.inode.mode))) return
    this.#queue.push(dentry)
    if (this.#queue.length > this.#limit) this.#sweep()
  }

  /** Drops half of the entries: first those that have not been looked up since the last time. */
  #sweep(): void {
    const kept: Dentry[] = []
    const room = this.#limit >>> 1
    const living = this.#queue.filter((dentry) => dentry.parent?.children?.get(dentry.name) === dentry)
    const old = living.filter(({ recent, pins }) => !recent && pins === 0).length
    let drop = Math.max(living.length - room, 0)
    let dropRecent = Math.max(drop - old, 0)
    for (const dentry of living) {
      const { pins, recent } = dentry
      if (pins === 0 && drop > 0 && (!recent || dropRecent > 0)) {
        if (recent) dropRecent--
        drop--
        dentry.parent!.children!.delete(dentry.name)
      } else {
        dentry.recent = false
        kept.push(dentry)
      }
    }
    this.#queue = kept
  }
}
