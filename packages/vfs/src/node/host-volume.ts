/// <reference types="node" />
/**
 * A directory of the host, or one file of it, as a file system that writes through: for volumes of containers.
 *
 * Symbolic links are shown and never followed by the host, devices are not opened there, and no name leads above the volume's root. How entries
 * are reached says `anchors.ts`: on Linux no directory on the way can be exchanged for something else; on other systems one who may
 * change the volume from outside at the same time could have a name looked up elsewhere.
 *
 * Owners are the host's. As root a new file gets the owner that it is to have; otherwise it belongs to whoever runs this.
 * There are no FIFOs, sockets or devices to be made (EPERM), no files without names and no extended attributes (EOPNOTSUPP): Node cannot.
 */
import {
  type BigIntStats,
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  lchownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readSync,
  realpathSync,
  renameSync,
  rmdirSync,
  statfsSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { VmexitError } from '@vmexit/core'
import { Errno, errnoName } from '../errno.ts'
import { type DirectoryVisitor, type EntryCaching, FIRST_COOKIE, type FileSystem } from '../file-system.ts'
import { isDirectory, isRegular, isSymlink, Rename, Seek } from '../flags.ts'
import { type ByteString, toByteString } from '../names.ts'
import { Change, type Changes, type Stat, type StatFs } from '../stat.ts'
import { Anchors } from './anchors.ts'
import { answerOf, hostPath, isPlainName, lstat, namesIn, targetOf } from './host-calls.ts'
import { HostInodes } from './host-inode.ts'
import { HostListing } from './host-listing.ts'
import { VolumeFiles } from './volume-files.ts'
import { VolumeInode } from './volume-inode.ts'

const { EEXIST, EINVAL, ENOENT, ENXIO, EOPNOTSUPP, EPERM, EROFS, ESTALE } = Errno
const { O_CREAT, O_EXCL, O_NOFOLLOW = 0, O_RDWR } = constants
const PERMISSIONS = 0o7777

/** How a volume is shown. */
export interface HostVolumeOptions {
  /** Nothing can be changed. */
  readonly readOnly?: boolean
  /** The most files, and the most directories, that are open on the host while nobody uses them; 64 unless stated. */
  readonly descriptors?: number
}

/** A volume. Disposing it closes what it has open. */
export interface HostVolume extends FileSystem, Disposable {
  /** The name of the file in its root, where the volume is one file. Nothing else is in there. */
  readonly file: ByteString | undefined
}

/**
 * A directory of the host, or a file; a symbolic link to one is followed once, now. Throws a `VmexitError` `vfs-host` where there is none,
 * or where it is something else.
 */
export function hostVolume(path: string, { readOnly = false, descriptors = 64 }: HostVolumeOptions = {}): HostVolume {
  try {
    const real = realpathSync(resolve(path))
    const stats = statSync(real)
    if (!stats.isDirectory() && !stats.isFile()) throw new Error('it is neither a directory nor a file')
    const [root, file] = stats.isDirectory() ? [real, undefined] : [dirname(real), toByteString(basename(real))]
    return new Volume(root, file, readOnly, Math.max(descriptors, 1))
  } catch (cause) {
    throw new VmexitError('vfs-host', {
      problem: `${path} cannot be shown (${(cause as Error).message})`,
      remedy: 'give a directory or a file that exists and that you may read',
      cause,
    })
  }
}

class Volume implements HostVolume {
  readonly type = 'host'
  readonly caching: EntryCaching = 'revalidate'
  /** One file is mounted by itself, without what it lies in. */
  readonly isBoundFromOutside: boolean
  readonly readOnly: boolean
  readonly maxNameBytes = 255
  readonly maxFileBytes: number = Number.MAX_SAFE_INTEGER
  readonly root: VolumeInode
  readonly file: ByteString | undefined
  readonly #inodes: HostInodes<VolumeInode>
  readonly #anchors: Anchors
  readonly #files: VolumeFiles
  readonly #isRoot = process.getuid?.() === 0
  /** Where a new inode has been found, for whoever makes its object. */
  #foundIn: VolumeInode | null = null

  constructor(path: string, file: ByteString | undefined, readOnly: boolean, descriptors: number) {
    const bytes = toByteString(path)
    const stats = lstat(bytes)
    if (typeof stats === 'number' || !stats.isDirectory()) throw new Error('it is no directory')
    this.file = file
    this.isBoundFromOutside = file !== undefined
    this.readOnly = readOnly
    this.#inodes = new HostInodes(
      (ino, name, found) => new VolumeInode(this, ino, this.#foundIn, name, found),
      stats.dev,
    )
    this.#anchors = new Anchors(bytes, descriptors)
    this.#files = new VolumeFiles(descriptors, readOnly, (inode) => this.#place(inode))
    this.root = this.#inodes.at('', stats)
    if (file !== undefined) this.#hold(file)
  }

  lookup(dir: VolumeInode, name: ByteString): VolumeInode | number {
    this.#anchors.trim()
    const path = this.#entry(dir, name)
    if (typeof path === 'number') return path
    const stats = lstat(path)
    return typeof stats === 'number' ? stats : this.#found(dir, name, stats)
  }

  revalidate(dir: VolumeInode, name: ByteString, inode: VolumeInode | null): number {
    const found = this.lookup(dir, name)
    return Number(inode === null ? found === -ENOENT : found === inode)
  }

  getattr(inode: VolumeInode, into: Stat): number {
    this.#anchors.trim()
    const answer = this.#look(inode)
    if (answer === 0) inode.fill(into)
    return answer
  }

  open(inode: VolumeInode, flags: number): number {
    this.#anchors.trim()
    if (isRegular(inode.mode)) {
      const descriptor = this.#files.get(inode, (flags & 3) !== 0)
      if (descriptor < 0) return descriptor
    }
    inode.opens++
    return 0
  }

  release(inode: VolumeInode): void {
    if (--inode.opens === 0 && this.file === undefined) this.#files.close(inode)
  }

  read(inode: VolumeInode, into: Uint8Array, start: number, length: number, position: number): number {
    if (length === 0) return 0
    return this.#withFile(inode, false, (descriptor) => readSync(descriptor, into, start, length, position))
  }

  write(inode: VolumeInode, from: Uint8Array, start: number, length: number, position: number): number {
    if (length === 0) return 0
    return this.#withFile(inode, true, (descriptor) => {
      const count = writeSync(descriptor, from, start, length, position)
      inode.stats = fstatSync(descriptor, { bigint: true })
      return count
    })
  }

  truncate(inode: VolumeInode, size: number): number {
    return this.#withFile(inode, true, (descriptor) => {
      ftruncateSync(descriptor, size)
      inode.stats = fstatSync(descriptor, { bigint: true })
      return 0
    })
  }

  /** Node does not tell holes: all counts as data. */
  seek(inode: VolumeInode, offset: number, whence: number): number {
    if (offset >= inode.size) return -ENXIO
    return whence === Seek.SEEK_DATA ? offset : inode.size
  }

  readdir(dir: VolumeInode, cookie: number, visitor: DirectoryVisitor): number {
    this.#anchors.trim()
    const path = this.#anchors.directory(dir)
    if (typeof path === 'number') return path
    if (cookie === FIRST_COOKIE || dir.listing === undefined) {
      const names = namesIn(path)
      if (typeof names === 'number') return names
      const shown = this.file === undefined ? names : names.filter((name) => name === this.file)
      dir.listing = new HostListing(shown, dir.listing)
    }
    const { entries } = dir.listing
    for (let at = dir.listing.from(cookie); at < entries.length; at++) {
      const { name, offset } = entries[at]!
      const stats = lstat(`${path}/${name}`)
      if (typeof stats === 'number') continue
      if (!visitor.entry(name, this.#inodes.number(stats), Number(stats.mode >> 12n) & 15, offset + 1)) break
    }
    return 0
  }

  readlink(inode: VolumeInode): ByteString | number {
    this.#anchors.trim()
    const path = this.#place(inode)
    return typeof path === 'number' ? path : targetOf(path)
  }

  statfs(into: StatFs): number {
    const path = this.#anchors.directory(this.root)
    if (typeof path === 'number') return path
    return answered(() => {
      const { type, bsize, blocks, bfree, bavail, files, ffree } = statfsSync(hostPath(path))
      Object.assign(into, { type, bsize, blocks, bfree, bavail, files, ffree, namelen: this.maxNameBytes })
    })
  }

  accessed(): void {}

  sync(inode?: VolumeInode): number {
    const descriptor = inode === undefined ? undefined : this.#files.peek(inode)
    return descriptor === undefined || this.readOnly ? 0 : answered(() => fsyncSync(descriptor))
  }

  create(
    dir: VolumeInode,
    name: ByteString,
    mode: number,
    uid: number,
    gid: number,
    _rdev: number,
  ): VolumeInode | number {
    if (!isRegular(mode)) return this.readOnly ? -EROFS : -EPERM
    let made: VolumeInode | undefined
    const answer = this.#change(dir, name, (path) => {
      const descriptor = openSync(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
      try {
        if (this.#isRoot) fchownSync(descriptor, uid, gid)
        fchmodSync(descriptor, mode & PERMISSIONS)
        made = this.#found(dir, name, fstatSync(descriptor, { bigint: true }))
      } catch (error) {
        closeSync(descriptor)
        throw error
      }
      this.#files.add(made, descriptor, true)
    })
    return answer < 0 ? answer : made!
  }

  mkdir(dir: VolumeInode, name: ByteString, mode: number, uid: number, gid: number): VolumeInode | number {
    const answer = this.#change(dir, name, (path) => mkdirSync(path, 0o700))
    if (answer < 0) return answer
    const made = this.lookup(dir, name)
    if (typeof made === 'number') return made
    const path = this.#anchors.directory(made)
    if (typeof path === 'number') return path
    const owned = answered(() => {
      if (this.#isRoot) chownSync(hostPath(path), uid, gid)
      chmodSync(hostPath(path), mode & PERMISSIONS)
    })
    return owned < 0 ? owned : this.#look(made) || made
  }

  symlink(dir: VolumeInode, name: ByteString, target: ByteString, uid: number, gid: number): VolumeInode | number {
    const answer = this.#change(dir, name, (path) => {
      symlinkSync(hostPath(target), path)
      if (this.#isRoot) lchownSync(path, uid, gid)
    })
    return answer < 0 ? answer : this.lookup(dir, name)
  }

  tmpfile(): number {
    return -EOPNOTSUPP
  }

  link(inode: VolumeInode, dir: VolumeInode, name: ByteString): number {
    const from = this.#place(inode)
    if (typeof from === 'number') return from
    const stats = lstat(from)
    if (typeof stats === 'number' || !inode.is(stats)) return -ESTALE
    return this.#change(dir, name, (path) => linkSync(hostPath(from), path)) || this.#look(inode)
  }

  unlink(dir: VolumeInode, name: ByteString): number {
    const going = this.#keepOpen(dir, name)
    return this.#change(dir, name, (path) => unlinkSync(path)) || this.#gone(going)
  }

  rmdir(dir: VolumeInode, name: ByteString): number {
    const inode = this.lookup(dir, name)
    const answer = this.#change(dir, name, (path) => rmdirSync(path))
    if (answer === 0 && typeof inode !== 'number') {
      this.#anchors.drop(inode)
      inode.stats.nlink = 0n
    }
    return answer
  }

  /** Node has no `renameat2`: nothing is exchanged, and that a name is free is looked at a moment before. */
  rename(oldDir: VolumeInode, oldName: ByteString, newDir: VolumeInode, newName: ByteString, flags: number): number {
    if ((flags & ~Rename.RENAME_NOREPLACE) !== 0) return this.readOnly ? -EROFS : -EINVAL
    const moved = this.lookup(oldDir, oldName)
    if (typeof moved === 'number') return moved
    const target = this.lookup(newDir, newName)
    if (typeof target !== 'number' && flags !== 0) return -EEXIST
    const going = this.#keepOpen(newDir, newName)
    const to = this.#entry(newDir, newName)
    if (typeof to === 'number') return to
    const answer = this.#change(oldDir, oldName, (path) => renameSync(path, hostPath(to)))
    if (answer < 0) return answer
    this.#gone(going)
    if (typeof target !== 'number' && isDirectory(target.mode)) this.#anchors.drop(target)
    moved.parent = newDir
    moved.path = newName
    return this.#look(moved)
  }

  setattr(inode: VolumeInode, changes: Changes): number {
    if (this.readOnly) return -EROFS
    this.#anchors.trim()
    if (isSymlink(inode.mode)) return this.#setLink(inode, changes)
    if (isDirectory(inode.mode)) {
      const path = this.#anchors.directory(inode)
      return typeof path === 'number' ? path : this.#setAt(inode, path, changes)
    }
    if (!isRegular(inode.mode)) return -EPERM
    return this.#withFile(inode, false, (descriptor) =>
      process.platform === 'linux'
        ? this.#setAt(inode, `/proc/self/fd/${descriptor}`, changes)
        : this.#setPlace(inode, changes),
    )
  }

  fallocate(): number {
    return this.readOnly ? -EROFS : -EOPNOTSUPP
  }
  getxattr(): number {
    return -EOPNOTSUPP
  }
  listxattr(): number {
    return -EOPNOTSUPP
  }
  setxattr(): number {
    return -EOPNOTSUPP
  }
  removexattr(): number {
    return -EOPNOTSUPP
  }

  [Symbol.dispose](): void {
    this.#files.closeAll()
    this.#anchors.close()
  }

  /** The file is the one that it is now, also where another one gets its name: it is held open. */
  #hold(file: ByteString): void {
    const inode = this.lookup(this.root, file)
    const answer = typeof inode === 'number' ? inode : this.#files.get(inode, false)
    if (answer < 0) throw new Error(`it cannot be opened: ${errnoName(answer)}`)
    if (typeof inode !== 'number') inode.isNameless = true
  }

  #found(dir: VolumeInode, name: ByteString, stats: BigIntStats): VolumeInode {
    this.#foundIn = dir
    const inode = this.#inodes.at(name, stats)
    if (inode !== this.root) inode.parent = dir
    return inode
  }

  /** The path of an entry, which exists or not. */
  #entry(dir: VolumeInode, name: ByteString): ByteString | number {
    if (!isPlainName(name) || (this.file !== undefined && name !== this.file)) return -ENOENT
    return this.#anchors.entry(dir, name)
  }

  /** The path that an inode was last found by. */
  #place(inode: VolumeInode): ByteString | number {
    return inode.parent === null ? this.#anchors.directory(inode) : this.#anchors.entry(inode.parent, inode.path)
  }

  /** Looks at an inode again. A file that is open is found even where its name is gone. */
  #look(inode: VolumeInode): number {
    const descriptor = this.#files.peek(inode)
    if (descriptor !== undefined)
      return answered(() => {
        inode.stats = fstatSync(descriptor, { bigint: true })
      })
    const isDir = isDirectory(inode.mode)
    const path = isDir ? this.#anchors.directory(inode) : this.#place(inode)
    if (typeof path === 'number') return path
    // (The path of a directory may be a link to it, which `.` stands behind.)
    const found = lstat(isDir ? `${path}/.` : path)
    if (typeof found === 'number' || !inode.is(found)) return -ESTALE
    inode.stats = found
    return 0
  }

  /** Changes an entry of a directory. */
  #change(dir: VolumeInode, name: ByteString, change: (path: string | Buffer) => void): number {
    if (this.readOnly) return -EROFS
    if (this.file !== undefined) return -EPERM
    this.#anchors.trim()
    const path = this.#entry(dir, name)
    if (typeof path === 'number') return path
    return answered(() => change(hostPath(path))) || this.#look(dir)
  }

  #withFile(inode: VolumeInode, isWriting: boolean, call: (descriptor: number) => number): number {
    this.#anchors.trim()
    const descriptor = this.#files.get(inode, isWriting)
    if (descriptor < 0) return descriptor
    try {
      return call(descriptor)
    } catch (error) {
      return answerOf(error)
    }
  }

  /** A file is about to lose a name: if it is open, it is held from now on. */
  #keepOpen(dir: VolumeInode, name: ByteString): VolumeInode | undefined {
    const inode = this.lookup(dir, name)
    if (typeof inode === 'number' || !isRegular(inode.mode) || inode.opens === 0) return undefined
    this.#files.get(inode, false)
    return inode
  }

  #gone(inode: VolumeInode | undefined): number {
    if (inode !== undefined && this.#look(inode) === 0) inode.isNameless = inode.stats.nlink === 0n
    return 0
  }

  /** At a path that leads to the inode itself. */
  #setAt(inode: VolumeInode, path: ByteString, changes: Changes): number {
    const { mask, mode, uid, gid } = changes
    const at = hostPath(path)
    const answer = answered(() => {
      if (mask & (Change.UID | Change.GID))
        chownSync(at, mask & Change.UID ? uid : inode.uid, mask & Change.GID ? gid : inode.gid)
      // (An owner that changes takes set-id bits with it.)
      if (mask & (Change.MODE | Change.UID | Change.GID))
        chmodSync(at, (mask & Change.MODE ? mode : inode.mode) & PERMISSIONS)
      if (mask & (Change.ATIME | Change.MTIME)) utimesSync(at, ...timesOf(inode, changes))
    })
    return answer || this.#look(inode)
  }

  /** The same by its name, where descriptors are no paths. */
  #setPlace(inode: VolumeInode, changes: Changes): number {
    const path = this.#place(inode)
    return typeof path === 'number' ? path : this.#setAt(inode, path, changes)
  }

  #setLink(inode: VolumeInode, changes: Changes): number {
    const { mask, uid, gid } = changes
    const path = this.#place(inode)
    if (typeof path === 'number') return path
    const at = hostPath(path)
    const answer = answered(() => {
      if (mask & (Change.UID | Change.GID))
        lchownSync(at, mask & Change.UID ? uid : inode.uid, mask & Change.GID ? gid : inode.gid)
      if (mask & (Change.ATIME | Change.MTIME)) lutimesSync(at, ...timesOf(inode, changes))
    })
    return answer || this.#look(inode)
  }
}

/** Access and modification in seconds, which is what Node takes: exact to a microsecond. */
function timesOf({ stats }: VolumeInode, changes: Changes): [atime: number, mtime: number] {
  const { mask, atimeSeconds, atimeNanoseconds, mtimeSeconds, mtimeNanoseconds } = changes
  return [
    mask & Change.ATIME ? atimeSeconds + atimeNanoseconds / 1e9 : Number(stats.atimeNs) / 1e9,
    mask & Change.MTIME ? mtimeSeconds + mtimeNanoseconds / 1e9 : Number(stats.mtimeNs) / 1e9,
  ]
}

/** 0, or the error number of what Node throws. */
function answered(call: () => void): number {
  try {
    call()
    return 0
  } catch (error) {
    return answerOf(error)
  }
}
