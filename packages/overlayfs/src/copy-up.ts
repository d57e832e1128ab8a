/**
 * Copy-up (fs/overlayfs/copy_up.c): a file of a lower layer gets an inode in the upper one, with the data, mode, owner,
 * times and extended attributes that it has, its directories first.
 *
 * No work directory is needed: a regular file is made without a name and gets one when it is complete; what is made under
 * its name at once is not seen before the call has ended, and is removed again if that fails.
 */
import { Change, Changes, Errno, type Inode, isDirectory, isRegular, isSymlink, NOT_YET, Open, Stat } from '@vmexit/vfs'
import { copyData } from './copy-data.ts'
import { isOverlayDirectory, type OverlayDirectory, type OverlayFile, type OverlayInode } from './inode.ts'
import type { Union } from './union.ts'

const stat = new Stat()
const changes = new Changes()
const times = new Changes()

/** Copies files of one overlay up. */
export class CopyUp {
  readonly #union: Union

  constructor(union: Union) {
    this.#union = union
  }

  /** A directory and those above it; 0 or an error. */
  directory(dir: OverlayDirectory): number {
    if (dir.upper !== null) return 0
    if (this.#union.upper === null) return -Errno.EROFS
    const missing: OverlayDirectory[] = []
    for (let at = dir; at.upper === null; at = at.parent) missing.push(at)
    for (const one of missing.reverse()) {
      const answer = one.removed ? -Errno.ENOENT : this.#node(one, one.parent, one.name)
      if (answer < 0) return answer
    }
    return 0
  }

  /** A file of any type; 0 or an error. Where `size` is less than it has, it is truncated to that with it. */
  whole(inode: OverlayInode, size: number = Number.POSITIVE_INFINITY): number {
    if (isOverlayDirectory(inode)) return this.directory(inode)
    if (inode.upper === null) return this.#file(inode, size, false)
    return inode.data === inode.upper ? 0 : this.#dataOf(inode, size)
  }

  /** So much of a file that its attributes can be changed; 0 or an error. */
  attributes(inode: OverlayInode): number {
    if (inode.upper !== null) return 0
    if (isOverlayDirectory(inode)) return this.directory(inode)
    return this.#file(inode, Number.POSITIVE_INFINITY, this.#union.options.metacopy ?? false)
  }

  /** As `attributes`, and sees to it that the upper layer has an indexed file under this name, too. */
  named(inode: OverlayInode, dir: OverlayDirectory, name: string): number {
    const answer = this.attributes(inode) || this.directory(dir)
    if (answer < 0 || isOverlayDirectory(inode) || inode.links < 0) return answer
    const there = this.#union.inUpper(dir, name)
    if (typeof there === 'number') return there
    return there === null ? this.#linkUnseen(inode.upper!, dir, name) : 0
  }

  #file(file: OverlayFile, size: number, attributesAlone: boolean): number {
    if (this.#union.upper === null) return -Errno.EROFS
    const place = file.places[0]
    // A removed file is copied to the root's file system, and stays without a name.
    const dir = place?.dir ?? this.#union.root
    const answer = this.directory(dir)
    if (answer < 0) return answer
    return isRegular(file.mode)
      ? this.#regular(file, dir, size, attributesAlone)
      : this.#node(file, dir, place?.name ?? '')
  }

  /** A directory, symbolic link or special file: made under its name. */
  #node(inode: OverlayInode, dir: OverlayDirectory, name: string): number {
    const { store } = this.#union
    const { real } = inode
    const parent = dir.upper!
    const nameless = name === ''
    if (nameless) name = this.#union.temporaryName(parent)
    const kept = this.#timesOf(parent)
    const copy = isDirectory(real.mode)
      ? store.mkdir(parent, name, real.mode & 0o7777, real.uid, real.gid)
      : isSymlink(real.mode)
        ? this.#symlink(real, parent, name)
        : store.create(parent, name, real.mode, real.uid, real.gid, real.rdev)
    if (typeof copy === 'number') return copy
    const answer = this.#dress(inode, copy) || this.#markParent(inode, dir) || this.#openAs(inode, copy)
    if (answer < 0) {
      if (isDirectory(real.mode)) store.rmdir(parent, name)
      else store.unlink(parent, name)
    } else {
      this.#rise(inode, copy, copy)
      if (nameless) store.unlink(parent, name)
    }
    if (kept) store.setattr(parent, times)
    if (answer === 0 && !isOverlayDirectory(inode)) this.#index(inode, copy)
    return answer
  }

  #symlink(real: Inode, parent: Inode, name: string): Inode | number {
    const target = real.fs.readlink(real)
    return typeof target === 'number' ? target : this.#union.store.symlink(parent, name, target, real.uid, real.gid)
  }

  #regular(file: OverlayFile, dir: OverlayDirectory, size: number, attributesAlone: boolean): number {
    const { store } = this.#union
    const { real } = file
    const place = file.places[0]
    const parent = dir.upper!
    const kept = this.#timesOf(parent)
    const wanted = Math.min(size, file.data.size)
    if (file.pending !== null && file.pending.size !== wanted) this.#abandon(file)
    let named = false
    if (file.pending === null) {
      let copy = store.tmpfile(parent, real.mode, real.uid, real.gid)
      named = copy === -Errno.EOPNOTSUPP
      const name = place?.name ?? this.#union.temporaryName(parent)
      if (named) copy = store.create(parent, name, real.mode, real.uid, real.gid, 0)
      if (typeof copy === 'number') return copy
      const held = store.open(copy, Open.O_RDWR)
      if (named && (place === undefined || (typeof held === 'number' && held < 0))) store.unlink(parent, name)
      if (typeof held === 'number' && held < 0) return held
      file.pending = { copy, size: wanted, done: 0 }
    }
    const { pending } = file
    const { copy } = pending
    let answer = attributesAlone ? 0 : copyData(file.data, copy, wanted, pending)
    // A store that is to be waited for goes on with the same copy, if nobody can see it.
    if (answer === NOT_YET && !named) return answer
    if (answer === 0 && copy.size !== wanted) answer = store.truncate(copy, wanted)
    if (answer === 0 && attributesAlone) answer = this.#union.marks.setEmpty(copy, this.#union.marks.metacopy)
    answer ||=
      this.#dress(file, copy, wanted < file.data.size) || this.#markParent(file, dir) || this.#openAs(file, copy)
    if (answer === 0 && place !== undefined && !named) {
      answer = store.link(copy, parent, place.name)
      if (answer < 0) for (let i = 0; i < file.opens; i++) store.release(copy)
    }
    if (answer < 0) {
      if (named && place !== undefined) store.unlink(parent, place.name)
      this.#abandon(file)
    } else {
      file.pending = null
      this.#rise(file, copy, attributesAlone ? file.data : copy)
      store.release(copy)
    }
    if (kept) store.setattr(parent, times)
    if (answer === 0) this.#index(file, copy)
    return answer
  }

  /** The data of a file whose attributes are in the upper layer already. */
  #dataOf(file: OverlayFile, size: number): number {
    const { store, marks } = this.#union
    const upper = file.upper!
    const whole = file.data.size
    const copy = () => {
      let copied = copyData(file.data, upper, Math.min(size, whole), { done: 0 })
      if (copied === 0 && size < whole) copied = store.truncate(upper, size)
      return copied || store.removexattr(upper, marks.metacopy)
    }
    const answer = this.keepingTimes(upper, () => {
      const copied = copy()
      if (copied < 0) {
        store.truncate(upper, 0)
        store.truncate(upper, whole)
      }
      return copied
    })
    if (answer < 0) return answer
    this.dataHaveRisen(file)
    // That it has been truncated is to be seen by its times.
    return size < whole ? store.truncate(upper, size) : 0
  }

  /** The data of a file are in the upper layer, too, and those below are no longer needed. */
  dataHaveRisen(file: OverlayFile): void {
    this.#release(file, file.data)
    file.dataHaveRisen()
  }

  /** Does something to an inode of the upper layer that nobody is to see by its times. */
  keepingTimes(inode: Inode, act: () => number): number {
    const kept = new Changes()
    stat.dev = 0
    const answer = inode.fs.getattr(inode, stat)
    if (answer < 0) return answer
    timesInto(kept)
    const done = act()
    inode.fs.setattr(inode, kept)
    return done
  }

  /** Gives a copy the attributes of what it is made from; but not mtime, if it has been truncated. */
  #dress(inode: OverlayInode, copy: Inode, truncated = false): number {
    const { store, marks } = this.#union
    const { real } = inode
    const names = real.fs.listxattr(real)
    if (typeof names === 'number' && names !== -Errno.EOPNOTSUPP) return names
    for (const name of typeof names === 'number' ? [] : names) {
      if (marks.isPrivate(name)) continue
      const value = real.fs.getxattr(real, name)
      if (typeof value === 'number') return value
      const answer = store.setxattr(copy, name, value, 0)
      const needed = answer !== -Errno.EOPNOTSUPP || name.startsWith('security.') || name.startsWith('system.posix_acl')
      if (answer < 0 && needed) return answer
    }
    if (isOverlayDirectory(inode) || inode.lower === null || !this.#union.parts(inode.lower)) {
      const answer = marks.setEmpty(copy, marks.origin)
      if (answer < 0) return answer
    }
    stat.dev = 0
    const answer = real.fs.getattr(real, stat)
    if (answer < 0) return answer
    timesInto(changes)
    changes.mode = stat.mode
    if (!isSymlink(stat.mode)) changes.mask |= Change.MODE
    if (truncated) changes.mask &= ~Change.MTIME
    return store.setattr(copy, changes)
  }

  #markParent(inode: OverlayInode, dir: OverlayDirectory): number {
    const parted = !isOverlayDirectory(inode) && inode.lower !== null && this.#union.parts(inode.lower)
    return parted ? 0 : this.#union.markImpure(dir)
  }

  /** Opens the copy as often as the inode is open. */
  #openAs(inode: OverlayInode, copy: Inode): number {
    for (let i = 0; i < inode.opens; i++) {
      const answer = this.#union.store.open(copy, Open.O_RDWR)
      if (typeof answer === 'object' || answer === 0) continue
      while (i-- > 0) this.#union.store.release(copy)
      return answer
    }
    return 0
  }

  /** From now on the upper layer has it, with data that are there, too, or where they have been. */
  #rise(inode: OverlayInode, copy: Inode, data: Inode): void {
    const { linked, numbers } = this.#union
    const { real } = inode
    if (isOverlayDirectory(inode)) {
      inode.upper = inode.real = copy
      numbers.keep(copy, inode.ino)
      this.#release(inode, real)
      return
    }
    const before = inode.data
    inode.rise(copy, data)
    if (inode.lower !== null && this.#union.parts(inode.lower)) {
      inode.ino = numbers.of(0, copy.ino)
      for (const { dir, name } of inode.places) {
        dir.entries?.renumber(name, inode.ino)
      }
    } else {
      // Names of an indexed file lead to it through either; it stays, whether it has one in the upper layer or not.
      if (inode.links > 0) {
        linked.set(copy, inode)
        inode.held = this.#union.store.open(copy, Open.O_RDWR) === 0
      }
      numbers.keep(copy, inode.ino)
    }
    if (real !== data) this.#release(inode, real)
    if (before !== real && before !== data) this.#release(inode, before)
  }

  #release(inode: OverlayInode, real: Inode): void {
    for (let i = 0; i < inode.opens; i++) real.fs.release(real)
  }

  /** A further name in the upper layer for what has it already here: the directory's times stay. */
  #linkUnseen(copy: Inode, dir: OverlayDirectory, name: string): number {
    const upper = dir.upper!
    return this.keepingTimes(upper, () => this.#union.store.link(copy, upper, name))
  }

  /** Links an indexed file to the other names that are known of it. */
  #index(file: OverlayFile, copy: Inode): void {
    if (!file.held) return
    for (const { dir, name } of file.places.slice(1)) {
      if (this.directory(dir) === 0) this.#linkUnseen(copy, dir, name)
    }
  }

  #abandon(file: OverlayFile): void {
    if (file.pending !== null) this.#union.store.release(file.pending.copy)
    file.pending = null
  }

  /** Remembers the times of a directory in `times`: copy-up changes its entries, which nobody is to see. */
  #timesOf(dir: Inode): boolean {
    stat.dev = 0
    if (dir.fs.getattr(dir, stat) < 0) return false
    timesInto(times)
    return true
  }
}

/** Takes the times from `stat`. */
function timesInto(into: Changes): void {
  into.mask = Change.ATIME | Change.MTIME
  into.atimeSeconds = stat.atimeSeconds
  into.atimeNanoseconds = stat.atimeNanoseconds
  into.mtimeSeconds = stat.mtimeSeconds
  into.mtimeNanoseconds = stat.mtimeNanoseconds
}
