/**
 * Rename (fs/overlayfs/dir.c, `ovl_rename`): one rename in the upper layer, whose flags leave a whiteout where a lower
 * layer has the old name, with attributes set before that keep the directories merged, or apart.
 */
import { type ByteString, Errno, Rename } from '@vmexit/vfs'
import type { CopyUp } from './copy-up.ts'
import { isOverlayDirectory, type OverlayDirectory, type OverlayFile, type OverlayInode } from './inode.ts'
import type { Listing } from './listing.ts'
import type { Lookup } from './lookup.ts'
import type { Names } from './names.ts'
import type { Union } from './union.ts'

const { EEXIST, EINVAL, ENOENT, EROFS, EXDEV } = Errno
const { RENAME_EXCHANGE, RENAME_NOREPLACE, RENAME_WHITEOUT } = Rename

/** Renames in one overlay. */
export class Renames {
  readonly #union: Union
  readonly #lookup: Lookup
  readonly #copyUp: CopyUp
  readonly #listing: Listing
  readonly #names: Names

  constructor(union: Union, lookup: Lookup, copyUp: CopyUp, listing: Listing, names: Names) {
    this.#union = union
    this.#lookup = lookup
    this.#copyUp = copyUp
    this.#listing = listing
    this.#names = names
  }

  rename(
    oldDir: OverlayDirectory,
    oldName: ByteString,
    newDir: OverlayDirectory,
    newName: ByteString,
    flags: number,
  ): number {
    // RENAME_WHITEOUT is for what lies below an overlay; Linux has none of it on one.
    if ((flags & ~(RENAME_EXCHANGE | RENAME_NOREPLACE)) !== 0) return -EINVAL
    if (this.#union.upper === null) return -EROFS
    const inode = this.#lookup.lookup(oldDir, oldName)
    if (typeof inode === 'number') return inode
    const found = this.#lookup.lookup(newDir, newName)
    if (typeof found === 'number' && found !== -ENOENT) return found
    const target = typeof found === 'number' ? null : found
    if (flags & RENAME_EXCHANGE) {
      return target === null ? -ENOENT : this.#exchange(oldDir, oldName, inode, newDir, newName, target)
    }
    if (target !== null && flags & RENAME_NOREPLACE) return -EEXIST
    return this.#move(oldDir, oldName, inode, newDir, newName, target)
  }

  #move(
    oldDir: OverlayDirectory,
    oldName: ByteString,
    inode: OverlayInode,
    newDir: OverlayDirectory,
    newName: ByteString,
    target: OverlayInode | null,
  ): number {
    if (!this.#movable(inode)) return -EXDEV
    let answer = 0
    if (target !== null && isOverlayDirectory(target)) answer = this.#listing.empty(target)
    answer ||= this.#copyUp.named(inode, oldDir, oldName) || this.#copyUp.directory(newDir)
    if (answer < 0) return answer
    const hide = this.#union.inLower(oldDir, oldName)
    if (hide < 0) return hide
    const there = this.#union.inUpper(newDir, newName)
    if (typeof there === 'number') return there
    const whiteout = target === null && there !== null
    if (target !== null && isOverlayDirectory(target)) answer = this.#names.clear(target)
    answer ||= this.#prepare(inode, oldDir, newDir)
    if (answer < 0) return answer
    const { store } = this.#union
    const [from, to] = [oldDir.upper!, newDir.upper!]
    let flags = 0
    if (hide) flags = whiteout ? RENAME_EXCHANGE : RENAME_WHITEOUT
    else if (whiteout && isOverlayDirectory(inode)) flags = RENAME_EXCHANGE
    answer = store.rename(from, oldName, to, newName, flags, 0, 0)
    if (answer < 0) return answer
    if (!hide && flags === RENAME_EXCHANGE) store.unlink(from, oldName)
    this.#union.left(oldDir, oldName)
    this.#arrived(inode, oldDir, oldName, newDir, newName)
    if (target === null) return 0
    if (isOverlayDirectory(target)) {
      target.removed = true
      this.#union.settle(target)
    } else this.#names.lostName(target, newDir, newName)
    return 0
  }

  #exchange(
    oldDir: OverlayDirectory,
    oldName: ByteString,
    inode: OverlayInode,
    newDir: OverlayDirectory,
    newName: ByteString,
    target: OverlayInode,
  ): number {
    if (!this.#movable(inode) || !this.#movable(target)) return -EXDEV
    const answer =
      this.#copyUp.named(inode, oldDir, oldName) ||
      this.#copyUp.named(target, newDir, newName) ||
      this.#prepare(inode, oldDir, newDir) ||
      this.#prepare(target, newDir, oldDir) ||
      this.#union.store.rename(oldDir.upper!, oldName, newDir.upper!, newName, RENAME_EXCHANGE, 0, 0)
    if (answer < 0) return answer
    this.#arrived(inode, oldDir, oldName, newDir, newName)
    this.#arrived(target, newDir, newName, oldDir, oldName)
    return 0
  }

  /** Directories that have something in lower layers move by being redirected. */
  #movable(inode: OverlayInode): boolean {
    if (!isOverlayDirectory(inode) || this.#union.options.redirectDir === 'on') return true
    return inode.upper !== null && inode.lowers.length === 0
  }

  /** Marks what is about to move so that lower layers show the same of it in its new place. */
  #prepare(inode: OverlayInode, from: OverlayDirectory, to: OverlayDirectory): number {
    const { marks } = this.#union
    if (from !== to && this.#hasOrigin(inode)) {
      const answer = this.#union.markImpure(to)
      if (answer < 0) return answer
    }
    if (isOverlayDirectory(inode) ? inode.lowers.length > 0 : inode.data !== inode.upper) {
      return this.#names.setRedirect(inode, from === to)
    }
    if (!isOverlayDirectory(inode) || !to.merged) return 0
    return marks.set(inode.upper!, marks.opaque) < 0 ? -EXDEV : 0
  }

  #hasOrigin(inode: OverlayInode): boolean {
    if (isOverlayDirectory(inode)) return inode.lowers.length > 0
    return inode.lower !== null && !this.#union.parts(inode.lower)
  }

  #arrived(
    inode: OverlayInode,
    oldDir: OverlayDirectory,
    oldName: ByteString,
    newDir: OverlayDirectory,
    newName: ByteString,
  ): void {
    this.#union.entered(newDir, newName, inode)
    if (isOverlayDirectory(inode)) {
      inode.parent = newDir
      inode.name = newName
    } else if (inode.places.length > 0) movePlace(inode, oldDir, oldName, newDir, newName)
  }
}

function movePlace(
  file: OverlayFile,
  oldDir: OverlayDirectory,
  oldName: ByteString,
  dir: OverlayDirectory,
  name: ByteString,
): void {
  file.places = file.places.map((place) => (place.dir === oldDir && place.name === oldName ? { dir, name } : place))
}
