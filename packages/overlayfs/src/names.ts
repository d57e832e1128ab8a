/**
 * Names that come and go (fs/overlayfs/dir.c): making files, linking, unlinking, rmdir. A name that a lower layer has is
 * hidden by a whiteout; a directory that comes where one has been is opaque.
 *
 * Where two steps are needed in the upper layer, the first is done under a name that nobody sees, and the second is a
 * rename.
 */
import { type ByteString, Errno, type FileSystem, type Inode, isDirectory, Mode, NOT_YET, Rename } from '@vmexit/vfs'
import type { CopyUp } from './copy-up.ts'
import { isOverlayDirectory, OverlayDirectory, OverlayFile, type OverlayInode } from './inode.ts'
import type { Listing } from './listing.ts'
import type { Lookup } from './lookup.ts'
import type { Union } from './union.ts'

const { EEXIST, EOPNOTSUPP, EPERM, EROFS } = Errno

/** Makes an inode of the upper layer's under a name that is free there. */
type Maker = (store: FileSystem, parent: Inode, name: ByteString) => Inode | number

/** The names of one overlay. */
export class Names {
  readonly #union: Union
  readonly #lookup: Lookup
  readonly #copyUp: CopyUp
  readonly #listing: Listing

  constructor(union: Union, lookup: Lookup, copyUp: CopyUp, listing: Listing) {
    this.#union = union
    this.#lookup = lookup
    this.#copyUp = copyUp
    this.#listing = listing
  }

  /** A new file that is no directory. */
  create(
    dir: OverlayDirectory,
    name: ByteString,
    mode: number,
    uid: number,
    gid: number,
    rdev: number,
  ): OverlayInode | number {
    if ((mode & Mode.IFMT) === Mode.IFCHR && rdev === 0) return -EPERM
    if (dir.upper !== null && dir.lowers.length === 0) {
      const upper = this.#union.store.create(dir.upper, name, mode, uid, gid, rdev)
      if (typeof upper !== 'number') return this.#made(dir, name, upper)
      // Unless it is a whiteout that is in the way.
      if (upper !== -EEXIST) return upper
    }
    const whiteout = this.#vacant(dir, name)
    if (whiteout < 0) return whiteout
    const { store } = this.#union
    const upper = whiteout
      ? this.#overWhiteout(dir, name, (store, parent, name) => store.create(parent, name, mode, uid, gid, rdev))
      : store.create(dir.upper!, name, mode, uid, gid, rdev)
    return typeof upper === 'number' ? upper : this.#made(dir, name, upper)
  }

  symlink(
    dir: OverlayDirectory,
    name: ByteString,
    target: ByteString,
    uid: number,
    gid: number,
  ): OverlayInode | number {
    const whiteout = this.#vacant(dir, name)
    if (whiteout < 0) return whiteout
    const { store } = this.#union
    const upper = whiteout
      ? this.#overWhiteout(dir, name, (store, parent, name) => store.symlink(parent, name, target, uid, gid))
      : store.symlink(dir.upper!, name, target, uid, gid)
    return typeof upper === 'number' ? upper : this.#made(dir, name, upper)
  }

  mkdir(dir: OverlayDirectory, name: ByteString, mode: number, uid: number, gid: number): OverlayInode | number {
    const whiteout = this.#vacant(dir, name)
    if (whiteout < 0) return whiteout
    const { store, marks } = this.#union
    const parent = dir.upper!
    const temporary = whiteout ? this.#union.temporaryName(parent) : name
    const upper = store.mkdir(parent, temporary, mode, uid, gid)
    if (typeof upper === 'number') return upper
    let answer = 0
    if (whiteout || (dir.merged && this.#union.lowersStay)) {
      answer = marks.set(upper, marks.opaque)
      // Where no lower layer has the name it only saves looking there.
      if (!whiteout && answer === -EOPNOTSUPP) answer = 0
    }
    if (answer === 0 && whiteout) {
      answer = store.rename(parent, temporary, parent, name, Rename.RENAME_EXCHANGE, 0, 0)
      if (answer === 0) answer = store.unlink(parent, temporary)
    }
    if (answer < 0) {
      store.rmdir(parent, temporary)
      return answer
    }
    return this.#made(dir, name, upper)
  }

  tmpfile(dir: OverlayDirectory, mode: number, uid: number, gid: number): OverlayInode | number {
    const answer = this.#copyUp.directory(dir)
    if (answer < 0) return answer
    const upper = this.#union.store.tmpfile(dir.upper!, mode, uid, gid)
    if (typeof upper === 'number') return upper
    return this.#fresh(upper)
  }

  link(file: OverlayFile, dir: OverlayDirectory, name: ByteString): number {
    const whiteout = this.#vacant(dir, name)
    if (whiteout < 0) return whiteout
    const { store } = this.#union
    let answer = this.#copyUp.attributes(file)
    if (answer < 0) return answer
    const upper = file.upper!
    if (file.lower !== null && !this.#union.parts(file.lower)) answer = this.#union.markImpure(dir)
    if (answer === 0 && file.data !== upper) answer = this.setRedirect(file, false)
    if (answer < 0) return answer
    if (whiteout) {
      const made = this.#overWhiteout(dir, name, (store, parent, name) => store.link(upper, parent, name) || upper)
      if (typeof made === 'number') return made
    } else {
      answer = store.link(upper, dir.upper!, name)
      if (answer < 0) return answer
    }
    if (file.links >= 0) file.links++
    if (file.nlink > 1) this.#union.linked.set(upper, file)
    this.#union.entered(dir, name, file)
    return 0
  }

  unlink(dir: OverlayDirectory, name: ByteString): number {
    if (dir.upper !== null && dir.lowers.length === 0 && !this.#union.options.index) return this.#unlinkUpper(dir, name)
    const file = this.#lookup.lookup(dir, name)
    if (typeof file === 'number') return file
    const answer = this.#copyUp.directory(dir) || this.#removeOrHide(dir, name, file)
    if (answer < 0) return answer
    this.#union.left(dir, name)
    this.lostName(file as OverlayFile, dir, name)
    return 0
  }

  rmdir(dir: OverlayDirectory, name: ByteString): number {
    const inode = this.#lookup.lookup(dir, name)
    if (typeof inode === 'number') return inode
    const child = inode as OverlayDirectory
    const answer = this.#listing.empty(child) || this.#copyUp.directory(dir) || this.clear(child)
    if (answer < 0) return answer
    const removed = this.#removeOrHide(dir, name, child)
    if (removed < 0) return removed
    this.#union.left(dir, name)
    child.removed = true
    this.#union.settle(child)
    return 0
  }

  /** A file has one name less. */
  lostName(file: OverlayFile, dir: OverlayDirectory, name: ByteString): void {
    if (file.links > 0) {
      file.links--
      file.places = file.places.filter((place) => place.dir !== dir || place.name !== name)
    } else if (file.upper === null) {
      file.links = 0
      file.places = []
    }
    this.#union.settle(file)
  }

  /** Removes the whiteouts from a directory of the upper layer that shows nothing, which it keeps doing. */
  clear(dir: OverlayDirectory): number {
    if (dir.upper === null) return 0
    const { store, marks } = this.#union
    const whiteouts = this.#listing.upperNames(dir.upper)
    if (typeof whiteouts === 'number') return whiteouts
    if (whiteouts.length === 0) return 0
    if (dir.lowers.length > 0) {
      const answer = marks.set(dir.upper, marks.opaque)
      if (answer < 0) return answer
      dir.lowers = []
    }
    for (const name of whiteouts) {
      const answer = store.unlink(dir.upper, name)
      if (answer < 0) return answer
    }
    return 0
  }

  /**
   * Tells the lower layers, in an attribute, where to look for what is about to get another name: by that name, or where
   * it leaves its directory by the path. EXDEV where that does not fit: then it is copied by whoever moves it.
   */
  setRedirect(inode: OverlayInode, sameDirectory: boolean): number {
    const { store, marks } = this.#union
    const absolute = !sameDirectory || (!isOverlayDirectory(inode) && inode.lower!.nlink > 1)
    if (inode.redirect !== null && (!absolute || inode.redirect.startsWith('/'))) return 0
    const place = isOverlayDirectory(inode) ? { dir: inode.parent, name: inode.name } : inode.places[0]
    if (place === undefined) return -Errno.EXDEV
    const redirect = absolute ? pathOf(place.dir, inode.redirect ?? place.name) : place.name
    if (redirect.length > maxRedirect) return -Errno.EXDEV
    const bytes = Uint8Array.from(redirect, (byte) => byte.charCodeAt(0))
    const answer = store.setxattr(inode.upper!, marks.redirect, bytes, 0)
    if (answer < 0) return answer === NOT_YET ? answer : -Errno.EXDEV
    inode.redirect = redirect
    return 0
  }

  /** Sees to it that a name is free: 1 if the upper layer has a whiteout there, 0 if not, or an error. */
  #vacant(dir: OverlayDirectory, name: ByteString): number {
    if (this.#union.upper === null) return -EROFS
    const upper = this.#union.inUpper(dir, name)
    if (typeof upper === 'number') return upper
    const whiteout = upper === null ? 0 : this.#union.marks.whiteout(upper)
    if (whiteout < 0) return whiteout
    const taken = upper !== null ? 1 - whiteout : this.#union.isAbsent(dir, name) ? 0 : this.#union.inLower(dir, name)
    if (taken !== 0) return taken < 0 ? taken : -EEXIST
    return this.#copyUp.directory(dir) || whiteout
  }

  /** Makes a file that is no directory in the place of a whiteout. */
  #overWhiteout(dir: OverlayDirectory, name: ByteString, make: Maker): Inode | number {
    const { store } = this.#union
    const parent = dir.upper!
    const temporary = this.#union.temporaryName(parent)
    const made = make(store, parent, temporary)
    if (typeof made === 'number') return made
    const answer = store.rename(parent, temporary, parent, name, 0, 0, 0)
    if (answer === 0) return made
    store.unlink(parent, temporary)
    return answer
  }

  #made(dir: OverlayDirectory, name: ByteString, upper: Inode): OverlayInode {
    const inode = isDirectory(upper.mode) ? this.#freshDirectory(upper, dir, name) : this.#fresh(upper)
    this.#union.entered(dir, name, inode)
    return inode
  }

  #freshDirectory(upper: Inode, parent: OverlayDirectory, name: ByteString): OverlayDirectory {
    const { fs, numbers } = this.#union
    return new OverlayDirectory(fs, numbers.of(0, upper.ino), upper, [], parent, name)
  }

  #fresh(upper: Inode): OverlayFile {
    const { fs, numbers } = this.#union
    return new OverlayFile(fs, numbers.of(0, upper.ino), upper, null, upper)
  }

  /** In a directory that the upper layer has alone there is nothing to hide. */
  #unlinkUpper(dir: OverlayDirectory, name: ByteString): number {
    const { store, marks } = this.#union
    const known = dir.children?.get(name)
    if (known === undefined) {
      const upper = store.lookup(dir.upper!, name)
      if (typeof upper === 'number') return upper
      const whiteout = marks.whiteout(upper)
      if (whiteout !== 0) return whiteout < 0 ? whiteout : -Errno.ENOENT
    }
    const answer = store.unlink(dir.upper!, name)
    if (answer < 0 || known === undefined) return answer
    this.#union.left(dir, name)
    this.#union.settle(known)
    return 0
  }

  /** Takes a name from the upper layer, if it has it, and puts a whiteout there if a lower layer has it. */
  #removeOrHide(dir: OverlayDirectory, name: ByteString, inode: OverlayInode): number {
    const { store } = this.#union
    const parent = dir.upper!
    const entry = this.#union.inUpper(dir, name)
    if (typeof entry === 'number') return entry
    const hide = entry === null ? 1 : this.#union.inLower(dir, name)
    if (hide < 0) return hide
    if (!hide) return isOverlayDirectory(inode) ? store.rmdir(parent, name) : store.unlink(parent, name)
    if (entry === null) return answerOf(this.#whiteout(parent, name))
    const temporary = this.#union.temporaryName(parent)
    const whiteout = this.#whiteout(parent, temporary)
    if (typeof whiteout === 'number') return whiteout
    const exchange = isOverlayDirectory(inode)
    const answer = store.rename(parent, temporary, parent, name, exchange ? Rename.RENAME_EXCHANGE : 0, 0, 0)
    if (answer < 0) {
      store.unlink(parent, temporary)
      return answer
    }
    return exchange ? store.rmdir(parent, temporary) : 0
  }

  #whiteout(parent: Inode, name: ByteString): Inode | number {
    return this.#union.store.create(parent, name, Mode.IFCHR, 0, 0, 0)
  }
}

/** The longest redirect that Linux makes: its parameter `redirect_max`. */
const maxRedirect = 256

/** The path of a name from the root of the lower layers: where a directory on the way is redirected, that of its place. */
function pathOf(dir: OverlayDirectory, name: ByteString): ByteString {
  let path = `/${name}`
  for (let at = dir; at.parent !== at; at = at.parent) {
    const own = at.redirect ?? at.name
    if (own.startsWith('/')) return own + path
    path = `/${own}${path}`
  }
  return path
}

function answerOf(made: Inode | number): number {
  return typeof made === 'number' ? made : 0
}
