/**
 * tmpfs: a file system in memory, as Linux's is (tmpfs(5), mm/shmem.c), on an inode table of its own.
 *
 * Its habits are Linux's: a directory's size is 20 bytes an entry, an empty one's 40; entries are listed newest first; a
 * further name of a file counts as an inode against `nr_inodes`; a link's target of 128 bytes or more takes a page.
 */
import { Errno } from '../errno.ts'
import type { DirectoryVisitor, EntryCaching, FileSystem } from '../file-system.ts'
import { isDirectory, isRegular, isSymlink, Mode, Rename } from '../flags.ts'
import type { ByteString } from '../names.ts'
import { Change, type Changes, type Stat, type StatFs } from '../stat.ts'
import type { TimeSource } from '../time.ts'
import { FileData } from './data.ts'
import { Directory } from './directory.ts'
import { TmpInode } from './inode.ts'
import { PAGE } from './page-store.ts'
import { type Charges, Space } from './space.ts'
import { Attributes } from './xattrs.ts'

/** What a tmpfs is made with. */
export interface TmpFsOptions {
  /** Its clock. */
  readonly time: TimeSource
  /** Bytes that file data may take, rounded up to pages of 4096: `size=`. 1 GiB unless stated. */
  readonly sizeBytes?: number
  /** Inodes that it may have, the root among them: `nr_inodes=`. No limit unless stated. */
  readonly inodes?: number
  /** The root directory's permissions, 01777 unless stated, and owner, 0 unless stated. */
  readonly mode?: number
  readonly uid?: number
  readonly gid?: number
  /** Who pays for what it takes. */
  readonly charges?: Charges
}

const { EEXIST, EINVAL, ENOENT, ENOTEMPTY } = Errno

/** A target of so many bytes, with the zero at its end, is kept beside the inode. */
const shortTarget = 128

/** A file system in memory. */
export class TmpFs implements FileSystem {
  readonly type = 'tmpfs'
  readonly caching: EntryCaching = 'none'
  readonly readOnly = false
  readonly maxNameBytes = 255
  readonly maxFileBytes: number = Number.MAX_SAFE_INTEGER
  readonly root: TmpInode
  readonly #time: TimeSource
  readonly #space: Space
  readonly #data: FileData
  readonly #attributes: Attributes
  #nextNumber = 1

  constructor({
    time,
    sizeBytes = 2 ** 30,
    inodes = Infinity,
    mode = 0o1777,
    uid = 0,
    gid = 0,
    charges,
  }: TmpFsOptions) {
    this.#time = time
    this.#space = new Space(Math.ceil(sizeBytes / PAGE), inodes, charges)
    this.#data = new FileData(this.#space, time)
    this.#attributes = new Attributes(this.#space, time)
    const root = this.#make(Mode.IFDIR | (mode & 0o7777), uid, gid, 0, new Directory())
    if (typeof root === 'number') throw new RangeError('a tmpfs of no inodes: its root directory takes one')
    root.nlink = 2
    root.size = directoryOf(root).size
    this.root = root
  }

  lookup(dir: TmpInode, name: ByteString): TmpInode | number {
    return directoryOf(dir).get(name) ?? -ENOENT
  }

  create(dir: TmpInode, name: ByteString, mode: number, uid: number, gid: number, rdev: number): TmpInode | number {
    if (directoryOf(dir).get(name) !== undefined) return -EEXIST
    const inode = this.#make(mode, uid, gid, rdev, undefined)
    if (typeof inode !== 'number') this.#enter(dir, name, inode)
    return inode
  }

  mkdir(dir: TmpInode, name: ByteString, mode: number, uid: number, gid: number): TmpInode | number {
    if (directoryOf(dir).get(name) !== undefined) return -EEXIST
    const inode = this.#make(Mode.IFDIR | (mode & 0o7777), uid, gid, 0, new Directory())
    if (typeof inode === 'number') return inode
    inode.nlink = 2
    inode.size = directoryOf(inode).size
    dir.nlink++
    this.#enter(dir, name, inode)
    return inode
  }

  symlink(dir: TmpInode, name: ByteString, target: ByteString, uid: number, gid: number): TmpInode | number {
    if (directoryOf(dir).get(name) !== undefined) return -EEXIST
    const inode = this.#make(Mode.IFLNK | 0o777, uid, gid, 0, target)
    if (typeof inode === 'number') return inode
    inode.size = target.length
    const answer = this.#space.takePages(pagesOfTarget(inode))
    if (answer < 0) {
      this.#space.giveInode()
      return answer
    }
    this.#enter(dir, name, inode)
    return inode
  }

  tmpfile(_dir: TmpInode, mode: number, uid: number, gid: number): TmpInode | number {
    const inode = this.#make(mode, uid, gid, 0, undefined)
    if (typeof inode !== 'number') inode.nlink = 0
    return inode
  }

  link(inode: TmpInode, dir: TmpInode, name: ByteString): number {
    if (directoryOf(dir).get(name) !== undefined) return -EEXIST
    const answer = inode.nlink === 0 ? 0 : this.#space.takeInode()
    if (answer < 0) return answer
    inode.nlink++
    inode.changed(this.#time)
    this.#enter(dir, name, inode)
    return 0
  }

  unlink(dir: TmpInode, name: ByteString): number {
    const inode = directoryOf(dir).get(name)
    if (inode === undefined) return -ENOENT
    this.#leave(dir, name)
    this.#dropName(inode)
    return 0
  }

  rmdir(dir: TmpInode, name: ByteString): number {
    const inode = directoryOf(dir).get(name)
    if (inode === undefined) return -ENOENT
    if (directoryOf(inode).count > 0) return -ENOTEMPTY
    this.#leave(dir, name)
    this.#dropDirectory(dir, inode)
    return 0
  }

  rename(
    oldDir: TmpInode,
    oldName: ByteString,
    newDir: TmpInode,
    newName: ByteString,
    flags: number,
    uid: number,
    gid: number,
  ): number {
    const { RENAME_EXCHANGE, RENAME_NOREPLACE, RENAME_WHITEOUT } = Rename
    if ((flags & ~(RENAME_EXCHANGE | RENAME_NOREPLACE | RENAME_WHITEOUT)) !== 0) return -EINVAL
    const inode = directoryOf(oldDir).get(oldName)
    const target = directoryOf(newDir).get(newName)
    if (inode === undefined) return -ENOENT
    if (flags & RENAME_EXCHANGE)
      return target ? this.#exchange(oldDir, oldName, inode, newDir, newName, target) : -ENOENT
    if (target !== undefined) {
      if (flags & RENAME_NOREPLACE) return -EEXIST
      if (isDirectory(target.mode) && directoryOf(target).count > 0) return -ENOTEMPTY
    }
    let whiteout: TmpInode | number = 0
    if (flags & RENAME_WHITEOUT) {
      whiteout = this.#make(Mode.IFCHR, uid, gid, 0, undefined)
      if (typeof whiteout === 'number') return whiteout
    }
    if (target !== undefined) {
      this.#leave(newDir, newName)
      if (isDirectory(target.mode)) this.#dropDirectory(newDir, target)
      else this.#dropName(target)
    }
    this.#leave(oldDir, oldName)
    this.#enter(newDir, newName, inode)
    if (isDirectory(inode.mode)) {
      oldDir.nlink--
      newDir.nlink++
    }
    inode.changed(this.#time)
    if (typeof whiteout !== 'number') this.#enter(oldDir, oldName, whiteout)
    return 0
  }

  getattr(inode: TmpInode, into: Stat): number {
    inode.fill(into)
    into.blksize = PAGE
    into.blocks = (isRegular(inode.mode) ? this.#data.pages(inode) : pagesOfTarget(inode)) * (PAGE / 512)
    return 0
  }

  setattr(inode: TmpInode, changes: Changes): number {
    const { mask } = changes
    if (mask & Change.MODE) inode.mode = (inode.mode & Mode.IFMT) | (changes.mode & 0o7777)
    if (mask & Change.UID) inode.uid = changes.uid
    if (mask & Change.GID) inode.gid = changes.gid
    if (mask & Change.ATIME) {
      inode.atimeSeconds = changes.atimeSeconds
      inode.atimeNanoseconds = changes.atimeNanoseconds
    }
    if (mask & Change.MTIME) {
      inode.mtimeSeconds = changes.mtimeSeconds
      inode.mtimeNanoseconds = changes.mtimeNanoseconds
    }
    inode.changed(this.#time)
    return 0
  }

  accessed(inode: TmpInode): void {
    inode.atimeSeconds = this.#time.seconds
    inode.atimeNanoseconds = this.#time.nanoseconds
  }

  open(inode: TmpInode, _flags: number): number {
    inode.opens++
    return 0
  }

  release(inode: TmpInode): void {
    if (--inode.opens === 0 && inode.nlink === 0) this.#free(inode)
  }

  read(inode: TmpInode, into: Uint8Array, start: number, length: number, position: number): number {
    return this.#data.read(inode, into, start, length, position)
  }

  write(inode: TmpInode, from: Uint8Array, start: number, length: number, position: number): number {
    return this.#data.write(inode, from, start, length, position)
  }

  truncate(inode: TmpInode, size: number): number {
    return this.#data.truncate(inode, size)
  }

  fallocate(inode: TmpInode, mode: number, offset: number, length: number): number {
    return this.#data.fallocate(inode, mode, offset, length)
  }

  seek(inode: TmpInode, offset: number, whence: number): number {
    return this.#data.seek(inode, offset, whence)
  }

  readdir(dir: TmpInode, cookie: number, visitor: DirectoryVisitor): number {
    directoryOf(dir).visit(cookie, visitor)
    return 0
  }

  readlink(inode: TmpInode): ByteString {
    return inode.content as ByteString
  }

  getxattr(inode: TmpInode, name: ByteString): Uint8Array | number {
    return this.#attributes.get(inode, name)
  }

  setxattr(inode: TmpInode, name: ByteString, value: Uint8Array, flags: number): number {
    return this.#attributes.set(inode, name, value, flags)
  }

  listxattr(inode: TmpInode): readonly ByteString[] {
    return this.#attributes.list(inode)
  }

  removexattr(inode: TmpInode, name: ByteString): number {
    return this.#attributes.remove(inode, name)
  }

  statfs(into: StatFs): number {
    const { maxPages, maxInodes, pages, freeInodes } = this.#space
    into.type = 0x0102_1994
    into.bsize = PAGE
    into.blocks = maxPages
    into.bfree = into.bavail = maxPages - pages
    into.files = maxInodes === Infinity ? 0 : maxInodes
    into.ffree = maxInodes === Infinity ? 0 : freeInodes
    into.namelen = this.maxNameBytes
    return 0
  }

  sync(): number {
    return 0
  }

  #make(mode: number, uid: number, gid: number, rdev: number, content: TmpInode['content']): TmpInode | number {
    const answer = this.#space.takeInode()
    if (answer < 0) return answer
    return new TmpInode(this, this.#nextNumber++, mode, uid, gid, rdev, content, this.#time)
  }

  #enter(dir: TmpInode, name: ByteString, inode: TmpInode): void {
    const directory = directoryOf(dir)
    directory.add(name, inode)
    dir.size = directory.size
    dir.modified(this.#time)
  }

  #leave(dir: TmpInode, name: ByteString): void {
    const directory = directoryOf(dir)
    directory.remove(name)
    dir.size = directory.size
    dir.modified(this.#time)
  }

  /** A file has lost a name. */
  #dropName(inode: TmpInode): void {
    inode.nlink--
    inode.changed(this.#time)
    if (inode.nlink > 0) this.#space.giveInode()
    else if (inode.opens === 0) this.#free(inode)
  }

  /** An empty directory has lost its name. */
  #dropDirectory(parent: TmpInode, inode: TmpInode): void {
    parent.nlink--
    inode.nlink = 0
    inode.changed(this.#time)
    if (inode.opens === 0) this.#free(inode)
  }

  #exchange(
    oldDir: TmpInode,
    oldName: ByteString,
    inode: TmpInode,
    newDir: TmpInode,
    newName: ByteString,
    target: TmpInode,
  ): number {
    directoryOf(oldDir).replace(oldName, target)
    directoryOf(newDir).replace(newName, inode)
    const moves = Number(isDirectory(inode.mode)) - Number(isDirectory(target.mode))
    oldDir.nlink -= moves
    newDir.nlink += moves
    for (const changed of [oldDir, newDir]) changed.modified(this.#time)
    for (const moved of [inode, target]) moved.changed(this.#time)
    return 0
  }

  #free(inode: TmpInode): void {
    if (isRegular(inode.mode)) this.#data.free(inode)
    this.#space.givePages(pagesOfTarget(inode))
    this.#attributes.free(inode)
    this.#space.giveInode()
  }
}

function directoryOf(inode: TmpInode): Directory {
  return inode.content as Directory
}

/** Pages that the target of a link takes. */
function pagesOfTarget(inode: TmpInode): number {
  return isSymlink(inode.mode) && inode.size + 1 > shortTarget ? 1 : 0
}
