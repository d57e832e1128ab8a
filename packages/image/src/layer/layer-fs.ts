/**
 * A layer as a read-only file system, to be a lower layer of an overlay: its tree is the catalog's, and data is read from the uncompressed
 * archive when it is asked for. Whiteouts are character devices 0:0, opaque directories have `trusted.overlay.opaque`.
 */
import {
  type ByteString,
  type DirectoryVisitor,
  type EntryCaching,
  Errno,
  FIRST_COOKIE,
  type FileSystem,
  isDirectory,
  Seek,
  type Stat,
  type StatFs,
} from '@vmexit/vfs'
import type { RandomAccess } from '../store/store.ts'
import type { Catalog } from './catalog.ts'
import { LayerInode } from './layer-inode.ts'

const { EIO, ENODATA, ENOENT, ENXIO, EROFS } = Errno
const BLOCK = 4096
const CLOSED: RandomAccess = { size: 0, read: () => -EIO, close() {} }

/** One layer of an image. Many overlays may have it at once. */
export class LayerFs implements FileSystem {
  readonly type = 'layer'
  readonly caching: EntryCaching = 'none'
  readonly readOnly = true
  readonly maxNameBytes = 255
  readonly maxFileBytes: number = Number.MAX_SAFE_INTEGER
  readonly root: LayerInode
  readonly #inodes: LayerInode[]
  #data: RandomAccess

  /** Made of a catalog and the archive that it is of. */
  constructor(catalog: Catalog, data: RandomAccess) {
    this.#data = data
    this.#inodes = catalog.map((said, index) => new LayerInode(this, index + 1, said))
    this.root = this.#inodes[0]!
    this.root.nlink = 1
    for (const inode of this.#inodes)
      for (const [, child] of inode.said.entries ?? []) {
        const entry = this.#inodes[child]!
        entry.nlink++
        if (!isDirectory(entry.mode)) continue
        entry.nlink++
        inode.nlink++
      }
    this.root.nlink++
  }

  /** The archive is open again. */
  opened(data: RandomAccess): void {
    this.#data = data
  }
  /** The archive is closed, unless it is open by another: data cannot be read until it is opened. */
  closed(data: RandomAccess): void {
    if (this.#data === data) this.#data = CLOSED
  }

  lookup(dir: LayerInode, name: ByteString): LayerInode | number {
    const index = dir.entries.get(name)
    return index === undefined ? -ENOENT : this.#inodes[index]!
  }

  getattr(inode: LayerInode, into: Stat): number {
    const [atimeSeconds, atimeNanoseconds, mtimeSeconds, mtimeNanoseconds] = inode.said.times
    into.ino = inode.ino
    into.mode = inode.mode
    into.nlink = inode.nlink
    into.uid = inode.uid
    into.gid = inode.gid
    into.rdev = inode.rdev
    into.size = inode.size
    into.blksize = BLOCK
    into.blocks = Math.ceil(inode.stored / BLOCK) * (BLOCK / 512)
    into.atimeSeconds = atimeSeconds
    into.atimeNanoseconds = atimeNanoseconds
    into.mtimeSeconds = mtimeSeconds
    into.mtimeNanoseconds = mtimeNanoseconds
    into.ctimeSeconds = mtimeSeconds
    into.ctimeNanoseconds = mtimeNanoseconds
    into.btimeSeconds = -1
    into.btimeNanoseconds = 0
    return 0
  }

  open(): number {
    return 0
  }
  release(): void {}
  accessed(): void {}

  read(inode: LayerInode, into: Uint8Array, start: number, length: number, position: number): number {
    const wanted = Math.min(length, inode.size - position)
    if (wanted <= 0) return 0
    const { extents } = inode
    let done = 0
    for (let n = inode.extentAt(position); done < wanted; ) {
      const here = position + done
      const extent = extents[n]
      const hole = Math.min(extent === undefined ? wanted : extent[0] - here, wanted - done)
      if (hole > 0) {
        into.fill(0, start + done, start + done + hole)
        done += hole
        continue
      }
      const [from, at, stored] = extent!
      const part = Math.min(from + stored - here, wanted - done)
      const answer = this.#data.read(into, start + done, part, at + here - from)
      // What has been read counts; the next call meets the error again.
      if (answer <= 0) return done > 0 ? done : answer === 0 ? -EIO : answer
      done += answer
      if (here + answer === from + stored) n++
    }
    return done
  }

  seek(inode: LayerInode, offset: number, whence: number): number {
    const { extents, size } = inode
    if (offset >= size) return -ENXIO
    let n = inode.extentAt(offset)
    const extent = extents[n]
    if (whence === Seek.SEEK_DATA) return extent === undefined ? -ENXIO : Math.max(extent[0], offset)
    let end = offset
    for (; n < extents.length && extents[n]![0] <= end; n++) end = extents[n]![0] + extents[n]![2]
    return Math.min(end, size)
  }

  readdir(dir: LayerInode, cookie: number, visitor: DirectoryVisitor): number {
    const entries = dir.said.entries ?? []
    for (let at = cookie - FIRST_COOKIE; at < entries.length; at++) {
      const [name, index] = entries[at]!
      const { ino, mode } = this.#inodes[index]!
      if (!visitor.entry(name, ino, mode >> 12, at + 1 + FIRST_COOKIE)) break
    }
    return 0
  }

  readlink(inode: LayerInode): ByteString {
    return inode.said.target ?? ''
  }

  getxattr(inode: LayerInode, name: ByteString): Uint8Array | number {
    return inode.attributes.get(name) ?? -ENODATA
  }

  listxattr(inode: LayerInode): readonly ByteString[] {
    return [...inode.attributes.keys()]
  }

  statfs(into: StatFs): number {
    into.type = 0
    into.bsize = BLOCK
    into.blocks = Math.ceil(this.#data.size / BLOCK)
    into.bfree = 0
    into.bavail = 0
    into.files = this.#inodes.length
    into.ffree = 0
    into.namelen = this.maxNameBytes
    return 0
  }

  sync(): number {
    return 0
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
  setxattr(): number {
    return -EROFS
  }
  removexattr(): number {
    return -EROFS
  }
}
