/// <reference types="node" />
/**
 * A directory of the host and what lies below it, read-only, as a file system: to be the lower layer of an overlay, for
 * instance, which makes it copy-on-write.
 *
 * Symbolic links are shown and never followed by the host. Node has no `openat`: each call gives the host a whole path,
 * made of the names that were looked up one by one, and what is found must be the inode that was looked up (by device and
 * number), else the answer is ESTALE. What remains is a race: one who may change the directory meanwhile can put a
 * symbolic link in the place of a directory on the way between two looks, and so have the name below it looked up
 * elsewhere. Do not show a guest a directory of which another of its kind may be writing a part.
 */
import { fstatSync, readSync, realpathSync, statfsSync } from 'node:fs'
import { resolve } from 'node:path'
import { VmexitError } from '@vmexit/core'
import { Errno } from '../errno.ts'
import { type DirectoryVisitor, type EntryCaching, FIRST_COOKIE, type FileSystem } from '../file-system.ts'
import { isRegular, Seek } from '../flags.ts'
import { type ByteString, toByteString } from '../names.ts'
import type { Stat, StatFs } from '../stat.ts'
import { Descriptors } from './descriptors.ts'
import { answerOf, hostPath, isPlainName, lstat, namesIn, targetOf } from './host-calls.ts'
import { HostInode, HostInodes } from './host-inode.ts'
import { HostListing } from './host-listing.ts'

const { ENOENT, ENXIO, EOPNOTSUPP, EROFS, ESTALE } = Errno

/** How a directory of the host is shown. */
export interface HostDirectoryOptions {
  /** The most files that are open on the host at a time; 64 unless stated. */
  readonly descriptors?: number
}

/** A directory of the host as a file system. Disposing it closes the files that it has open. */
export interface HostDirectory extends FileSystem, Disposable {}

/**
 * A directory of the host, read-only; a symbolic link to one is followed once, now. What is changed on the host is seen.
 * There are no extended attributes: Node cannot read them. Throws a `VmexitError` `vfs-host` if there is no such directory.
 */
export function hostDirectory(path: string, { descriptors = 64 }: HostDirectoryOptions = {}): HostDirectory {
  try {
    return new OpenDirectory(realpathSync(resolve(path)), Math.max(descriptors, 1))
  } catch (cause) {
    throw new VmexitError('vfs-host', {
      problem: `${path} cannot be shown (${(cause as Error).message})`,
      remedy: 'give a directory that exists and that you may read',
      cause,
    })
  }
}

class OpenDirectory implements HostDirectory {
  readonly type = 'host'
  readonly caching: EntryCaching = 'revalidate'
  readonly readOnly = true
  readonly maxNameBytes = 255
  readonly maxFileBytes: number = Number.MAX_SAFE_INTEGER
  readonly root: HostInode
  readonly #inodes: HostInodes<HostInode>
  readonly #descriptors: Descriptors

  constructor(path: string, descriptors: number) {
    const bytes = toByteString(path)
    const stats = lstat(bytes)
    if (typeof stats === 'number' || !stats.isDirectory()) throw new Error('it is no directory')
    this.#inodes = new HostInodes((ino, at, found) => new HostInode(this, ino, at, found), stats.dev)
    this.#descriptors = new Descriptors(descriptors)
    this.root = this.#inodes.at(bytes, stats)
  }

  lookup(dir: HostInode, name: ByteString): HostInode | number {
    if (!isPlainName(name)) return -ENOENT
    const path = childPath(dir, name)
    const stats = lstat(path)
    return typeof stats === 'number' ? stats : this.#inodes.at(path, stats)
  }

  revalidate(dir: HostInode, name: ByteString, inode: HostInode | null): number {
    const found = this.lookup(dir, name)
    return Number(inode === null ? found === -ENOENT : found === inode)
  }

  getattr(inode: HostInode, into: Stat): number {
    const answer = this.#look(inode)
    if (answer === 0) inode.fill(into)
    return answer
  }

  open(inode: HostInode, _flags: number): number {
    if (isRegular(inode.mode)) {
      const descriptor = this.#descriptors.get(inode)
      if (descriptor < 0) return descriptor
    }
    inode.opens++
    return 0
  }

  release(inode: HostInode): void {
    if (--inode.opens === 0) this.#descriptors.close(inode)
  }

  read(inode: HostInode, into: Uint8Array, start: number, length: number, position: number): number {
    if (length === 0) return 0
    const descriptor = this.#descriptors.get(inode)
    if (descriptor < 0) return descriptor
    try {
      return readSync(descriptor, into, start, length, position)
    } catch (error) {
      return answerOf(error)
    }
  }

  /** Node does not tell holes: all counts as data. */
  seek(inode: HostInode, offset: number, whence: number): number {
    if (offset >= inode.size) return -ENXIO
    return whence === Seek.SEEK_DATA ? offset : inode.size
  }

  readdir(dir: HostInode, cookie: number, visitor: DirectoryVisitor): number {
    if (cookie === FIRST_COOKIE || dir.listing === undefined) {
      const names = this.#look(dir) || namesIn(dir.path)
      if (typeof names === 'number') return names
      dir.listing = new HostListing(names, dir.listing)
    }
    const { entries } = dir.listing
    for (let at = dir.listing.from(cookie); at < entries.length; at++) {
      const { name, offset } = entries[at]!
      const stats = lstat(childPath(dir, name))
      if (typeof stats === 'number') continue
      if (!visitor.entry(name, this.#inodes.number(stats), Number(stats.mode >> 12n) & 15, offset + 1)) break
    }
    return 0
  }

  readlink(inode: HostInode): ByteString | number {
    return this.#look(inode) || targetOf(inode.path)
  }

  statfs(into: StatFs): number {
    try {
      const { type, bsize, blocks, bfree, bavail, files, ffree } = statfsSync(hostPath(this.root.path))
      Object.assign(into, { type, bsize, blocks, bfree, bavail, files, ffree, namelen: this.maxNameBytes })
      return 0
    } catch (error) {
      return answerOf(error)
    }
  }

  accessed(): void {}
  sync(): number {
    return 0
  }

  getxattr(): number {
    return -EOPNOTSUPP
  }
  listxattr(): number {
    return -EOPNOTSUPP
  }
  setxattr(): number {
    return -EROFS
  }
  removexattr(): number {
    return -EROFS
  }

  create(): number {
    return -EROFS
  }
  mkdir(): number {
    return -EROFS
  }
  symlink(): number {
    return -EROFS
  }
  tmpfile(): number {
    return -EROFS
  }
  link(): number {
    return -EROFS
  }
  unlink(): number {
    return -EROFS
  }
  rmdir(): number {
    return -EROFS
  }
  rename(): number {
    return -EROFS
  }
  setattr(): number {
    return -EROFS
  }
  write(): number {
    return -EROFS
  }
  truncate(): number {
    return -EROFS
  }
  fallocate(): number {
    return -EROFS
  }

  [Symbol.dispose](): void {
    this.#descriptors.closeAll()
  }

  /** Looks at an inode again. A file that is open is found even where its name is gone. */
  #look(inode: HostInode): number {
    const found = lstat(inode.path)
    if (typeof found !== 'number' && inode.is(found)) {
      inode.stats = found
      return 0
    }
    const descriptor = this.#descriptors.peek(inode)
    if (descriptor === undefined) return -ESTALE
    inode.stats = fstatSync(descriptor, { bigint: true })
    return 0
  }
}

function childPath(dir: HostInode, name: ByteString): ByteString {
  return dir.path.endsWith('/') ? dir.path + name : `${dir.path}/${name}`
}
