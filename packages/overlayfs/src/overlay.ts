/**
 * overlayfs: a file system that shows several directories as one, and keeps what is changed in the topmost of them, as
 * Linux's does (Documentation/filesystems/overlayfs.rst).
 */
import {
  type ByteString,
  type Changes,
  type DirectoryVisitor,
  type EntryCaching,
  type FileOperations,
  type FileSystem,
  type Inode,
  isDirectory,
  isRegular,
  Open,
  type Stat,
  type StatFs,
} from '@vmexit/vfs'
import { CopyUp } from './copy-up.ts'
import { isOverlayDirectory, type OverlayDirectory, type OverlayFile, type OverlayInode } from './inode.ts'
import { LazyCopyUp } from './lazy.ts'
import { Listing } from './listing.ts'
import { Lookup } from './lookup.ts'
import { Names } from './names.ts'
import { Renames } from './rename.ts'
import { type OverlayOptions, Union } from './union.ts'

/** Linux's magic number of overlayfs. */
const magic = 0x794c_7630

/** A union of directories with copy-on-write. Throws `OverlayError` for options that make none. */
export class OverlayFs implements FileSystem {
  readonly type = 'overlay'
  readonly caching: EntryCaching
  readonly readOnly: boolean
  readonly maxNameBytes: number
  readonly maxFileBytes: number
  readonly #union: Union
  readonly #lookup: Lookup
  readonly #copyUp: CopyUp
  readonly #listing: Listing
  readonly #names: Names
  readonly #renames: Renames
  readonly #lazy: LazyCopyUp

  constructor(options: OverlayOptions) {
    this.#union = new Union(this, options)
    this.#lookup = new Lookup(this.#union)
    this.#copyUp = new CopyUp(this.#union)
    this.#listing = new Listing(this.#union)
    this.#names = new Names(this.#union, this.#lookup, this.#copyUp, this.#listing)
    this.#renames = new Renames(this.#union, this.#lookup, this.#copyUp, this.#listing, this.#names)
    this.#lazy = new LazyCopyUp(this.#union, this.#lookup, this.#copyUp)
    this.readOnly = options.upper === undefined
    // Absent names have to be looked for in each layer.
    this.caching = options.lower.every(({ fs }) => fs.caching === 'none') ? 'none' : 'entries'
    const top = this.root.real.fs
    this.maxNameBytes = top.maxNameBytes
    this.maxFileBytes = top.maxFileBytes
  }

  get root(): OverlayDirectory {
    return this.#union.root
  }

  lookup(dir: OverlayDirectory, name: ByteString): OverlayInode | number {
    return this.#lookup.lookup(dir, name)
  }

  create(
    dir: OverlayDirectory,
    name: ByteString,
    mode: number,
    uid: number,
    gid: number,
    rdev: number,
  ): OverlayInode | number {
    return this.#names.create(dir, name, mode, uid, gid, rdev)
  }

  mkdir(dir: OverlayDirectory, name: ByteString, mode: number, uid: number, gid: number): OverlayInode | number {
    return this.#names.mkdir(dir, name, mode, uid, gid)
  }

  symlink(
    dir: OverlayDirectory,
    name: ByteString,
    target: ByteString,
    uid: number,
    gid: number,
  ): OverlayInode | number {
    return this.#names.symlink(dir, name, target, uid, gid)
  }

  tmpfile(dir: OverlayDirectory, mode: number, uid: number, gid: number): OverlayInode | number {
    return this.#names.tmpfile(dir, mode, uid, gid)
  }

  link(inode: OverlayFile, dir: OverlayDirectory, name: ByteString): number {
    return this.#names.link(inode, dir, name)
  }

  unlink(dir: OverlayDirectory, name: ByteString): number {
    return this.#names.unlink(dir, name)
  }

  rmdir(dir: OverlayDirectory, name: ByteString): number {
    return this.#names.rmdir(dir, name)
  }

  rename(
    oldDir: OverlayDirectory,
    oldName: ByteString,
    newDir: OverlayDirectory,
    newName: ByteString,
    flags: number,
  ): number {
    return this.#renames.rename(oldDir, oldName, newDir, newName, flags)
  }

  getattr(inode: OverlayInode, into: Stat): number {
    const { dev } = into
    const { real } = inode
    const answer = real.fs.getattr(real, into)
    into.dev = dev
    into.ino = inode.ino
    if (isDirectory(into.mode)) into.nlink = inode.nlink
    else if (inode.links >= 0) into.nlink = inode.links
    return answer
  }

  setattr(inode: OverlayInode, changes: Changes): number {
    const answer = this.#copyUp.attributes(inode)
    return answer < 0 ? answer : inode.real.fs.setattr(inode.real, changes)
  }

  accessed(inode: OverlayInode): void {
    if (inode.upper !== null) inode.real.fs.accessed(inode.upper)
  }

  open(inode: OverlayInode, flags: number): FileOperations | number {
    const writes = (flags & Open.O_ACCMODE) !== Open.O_RDONLY || (flags & Open.O_TRUNC) !== 0
    if (writes && isRegular(inode.mode) && !isOverlayDirectory(inode) && inode.data !== inode.upper) {
      const answer = flags & Open.O_TRUNC ? this.truncate(inode, 0) : this.#lazy.begin(inode)
      if (answer < 0) return answer
    }
    const { real } = inode
    const answer = real.fs.open(real, flags)
    if (typeof answer === 'number' && answer < 0) return answer
    if (!isOverlayDirectory(inode) && inode.data !== real) {
      const opened = inode.data.fs.open(inode.data, flags)
      if (typeof opened === 'number' && opened < 0) {
        real.fs.release(real)
        return opened
      }
    }
    inode.opens++
    return answer
  }

  release(inode: OverlayInode): void {
    inode.opens--
    const { real } = inode
    real.fs.release(real)
    if (isOverlayDirectory(inode)) {
      if (inode.opens === 0) inode.entries = null
    } else if (inode.data !== real) inode.data.fs.release(inode.data)
    if (inode.opens === 0) this.#union.settle(inode)
  }

  read(inode: OverlayFile, into: Uint8Array, start: number, length: number, position: number): number {
    const { data, chunks } = inode
    if (chunks !== null) return this.#lazy.read(inode, chunks, into, start, length, position)
    return data.fs.read(data, into, start, length, position)
  }

  write(inode: OverlayFile, from: Uint8Array, start: number, length: number, position: number): number {
    if (inode.data !== inode.upper) {
      const answer = this.#lazy.range(inode, position, length)
      if (answer < 0) return answer
    }
    const upper = inode.upper!
    return upper.fs.write(upper, from, start, length, position)
  }

  realInode(inode: OverlayFile): Inode {
    const { data, upper, chunks } = inode
    if (data === upper || chunks !== null) return inode
    return data.fs.realInode?.(data) ?? data
  }

  truncate(inode: OverlayFile, size: number): number {
    if (inode.chunks !== null) return this.#lazy.truncate(inode, inode.chunks, size)
    const below = inode.data !== inode.upper && size < inode.data.size
    const answer = this.#copyUp.whole(inode, size)
    return answer < 0 || below ? answer : inode.data.fs.truncate(inode.data, size)
  }

  fallocate(inode: OverlayFile, mode: number, offset: number, length: number): number {
    const answer = this.#lazy.range(inode, offset, length)
    const upper = inode.upper!
    return answer < 0 ? answer : upper.fs.fallocate(upper, mode, offset, length)
  }

  seek(inode: OverlayFile, offset: number, whence: number): number {
    if (inode.chunks !== null) return this.#lazy.seek(inode, inode.chunks, offset, whence)
    return inode.data.fs.seek(inode.data, offset, whence)
  }

  readdir(dir: OverlayDirectory, cookie: number, visitor: DirectoryVisitor): number {
    return this.#listing.readdir(dir, cookie, visitor)
  }

  readlink(inode: OverlayInode): ByteString | number {
    return inode.real.fs.readlink(inode.real)
  }

  getxattr(inode: OverlayInode, name: ByteString): Uint8Array | number {
    return inode.real.fs.getxattr(inode.real, this.#union.marks.inLayer(name))
  }

  setxattr(inode: OverlayInode, name: ByteString, value: Uint8Array, flags: number): number {
    const answer = this.#copyUp.attributes(inode)
    if (answer < 0) return answer
    return inode.real.fs.setxattr(inode.real, this.#union.marks.inLayer(name), value, flags)
  }

  listxattr(inode: OverlayInode): readonly ByteString[] | number {
    const { marks } = this.#union
    const names = inode.real.fs.listxattr(inode.real)
    if (typeof names === 'number' || names.length === 0) return names
    return names.filter((name) => !marks.isPrivate(name)).map((name) => marks.toUser(name))
  }

  removexattr(inode: OverlayInode, name: ByteString): number {
    const layerName = this.#union.marks.inLayer(name)
    const value = inode.real.fs.getxattr(inode.real, layerName)
    if (typeof value === 'number') return value
    const answer = this.#copyUp.attributes(inode)
    return answer < 0 ? answer : inode.real.fs.removexattr(inode.real, layerName)
  }

  statfs(into: StatFs): number {
    const answer = this.root.real.fs.statfs(into)
    into.type = magic
    into.namelen = this.maxNameBytes
    return answer
  }

  /**
   * Copies what is missing of files that are being copied up lazily, so that the upper layer can be understood by Linux.
   * 0, or the error that ended it, after which it can be called again.
   */
  complete(): number {
    return this.#lazy.completeAll(this.root)
  }

  sync(inode?: OverlayInode): number {
    if (this.#union.upper === null || inode?.upper === null) return 0
    return this.#union.store.sync(inode?.upper)
  }
}
