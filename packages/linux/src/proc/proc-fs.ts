/** /proc as a file system (proc(5)): what it shows is made of nodes, as somebody looks. */
import {
  type ByteString,
  type Changes,
  type DirectoryVisitor,
  EntryType,
  Errno,
  FIRST_COOKIE,
  type FileOperations,
  type FileSystem,
  type Inode,
  Mode,
  type Stat,
  type StatFs,
} from '@vmexit/vfs'
import type { Kernel } from '../system.ts'
import type { ProcFile, ProcNode } from './node.ts'
import { rootNode } from './root.ts'

const MAGIC = 0x9fa0
const TYPES = { directory: Mode.IFDIR, file: Mode.IFREG, link: Mode.IFLNK } as const
const ENTRY_TYPES = { directory: EntryType.DT_DIR, file: EntryType.DT_REG, link: EntryType.DT_LNK } as const
const encoder = new TextEncoder()

/** An inode of /proc. */
export class ProcInode implements Inode {
  readonly fs: ProcFs
  readonly ino: number
  readonly node: ProcNode
  readonly uid = 0
  readonly gid = 0
  readonly size = 0
  readonly rdev = 0
  state: object | undefined = undefined
  /** Inodes of its entries, as they were asked for. */
  readonly entries: Map<string, ProcInode> = new Map()

  constructor(fs: ProcFs, ino: number, node: ProcNode) {
    this.fs = fs
    this.ino = ino
    this.node = node
  }
  get mode(): number {
    const { node } = this
    const permissions = node.kind === 'link' ? 0o777 : (node.mode ?? (node.kind === 'directory' ? 0o555 : 0o444))
    return TYPES[node.kind] | permissions
  }
  get nlink(): number {
    return this.node.kind === 'directory' ? 2 : 1
  }
}

/** Cookies from here on are those of numbers. */
const NUMBERS = 2 ** 20

/**
 * Names with their cookies, in order: first those that are always there, then numbers, each of which has its place however others come and
 * go. Programs close descriptors while they list them.
 */
function placed(names: Iterable<string>): { name: string; place: number }[] {
  let others = FIRST_COOKIE
  return [...names]
    .map((name) => ({ name, place: /^[0-9]+$/.test(name) ? NUMBERS + Number(name) : others++ }))
    .sort((a, b) => a.place - b.place)
}

/** /proc of a kernel. */
export class ProcFs implements FileSystem {
  readonly type = 'proc'
  readonly caching = 'none'
  readonly readOnly = false
  readonly maxNameBytes = 255
  readonly maxFileBytes: number = 2 ** 31
  readonly root: ProcInode
  readonly #kernel: Kernel
  #nextInode = 1

  constructor(kernel: Kernel) {
    this.#kernel = kernel
    this.root = this.#inode(rootNode(kernel))
  }

  #inode(node: ProcNode): ProcInode {
    return new ProcInode(this, this.#nextInode++, node)
  }

  lookup(dir: Inode, name: ByteString): Inode | number {
    const parent = dir as ProcInode
    const { node } = parent
    const found = node.kind === 'directory' ? node.entry(name) : undefined
    if (found === undefined) {
      parent.entries.delete(name)
      return -Errno.ENOENT
    }
    const known = parent.entries.get(name)
    if (known?.node === found) return known
    const inode = this.#inode(found)
    parent.entries.set(name, inode)
    return inode
  }

  readdir(dir: Inode, cookie: number, visitor: DirectoryVisitor): number {
    const { node } = dir as ProcInode
    if (node.kind !== 'directory') return -Errno.ENOTDIR
    for (const { name, place } of placed(node.names())) {
      if (place < cookie) continue
      const inode = this.lookup(dir, name)
      if (typeof inode === 'number') continue
      if (!visitor.entry(name, inode.ino, ENTRY_TYPES[(inode as ProcInode).node.kind], place + 1)) break
    }
    return 0
  }

  readlink(inode: Inode): ByteString | number {
    const { node } = inode as ProcInode
    return node.kind === 'link' ? node.target() : -Errno.EINVAL
  }
  magicLink(inode: Inode): object | number | undefined {
    const { node } = inode as ProcInode
    return node.kind === 'link' ? node.place?.() : undefined
  }

  open(inode: Inode): FileOperations | number {
    const { node } = inode as ProcInode
    return node.kind === 'file' ? new TextOperations(node) : 0
  }
  release(): void {}
  getattr(inode: Inode, into: Stat): number {
    const { seconds, nanoseconds } = this.#kernel.time
    Object.assign(into, {
      ino: inode.ino,
      mode: inode.mode,
      nlink: inode.nlink,
      uid: 0,
      gid: 0,
      rdev: 0,
      size: 0,
      blocks: 0,
    })
    into.blksize = 1024
    into.atimeSeconds = into.mtimeSeconds = into.ctimeSeconds = seconds
    into.atimeNanoseconds = into.mtimeNanoseconds = into.ctimeNanoseconds = nanoseconds
    into.btimeSeconds = -1
    return 0
  }
  setattr(_inode: Inode, _changes: Changes): number {
    return -Errno.EPERM
  }
  accessed(): void {}
  statfs(into: StatFs): number {
    Object.assign(into, { type: MAGIC, bsize: 4096, blocks: 0, bfree: 0, bavail: 0, files: 0, ffree: 0, namelen: 255 })
    return 0
  }
  sync(): number {
    return 0
  }

  read(): number {
    return -Errno.EINVAL
  }
  write(): number {
    return -Errno.EINVAL
  }
  truncate(): number {
    return 0
  }
  fallocate(): number {
    return -Errno.EOPNOTSUPP
  }
  seek(): number {
    return -Errno.EINVAL
  }
  create(): number {
    return -Errno.EPERM
  }
  mkdir(): number {
    return -Errno.EPERM
  }
  symlink(): number {
    return -Errno.EPERM
  }
  tmpfile(): number {
    return -Errno.EOPNOTSUPP
  }
  link(): number {
    return -Errno.EPERM
  }
  unlink(): number {
    return -Errno.EPERM
  }
  rmdir(): number {
    return -Errno.EPERM
  }
  rename(): number {
    return -Errno.EPERM
  }
  getxattr(): number {
    return -Errno.EOPNOTSUPP
  }
  setxattr(): number {
    return -Errno.EOPNOTSUPP
  }
  listxattr(): number {
    return -Errno.EOPNOTSUPP
  }
  removexattr(): number {
    return -Errno.EOPNOTSUPP
  }
}

class TextOperations implements FileOperations {
  readonly seekable = true
  readonly #node: ProcFile
  #bytes: Uint8Array | undefined

  constructor(node: ProcFile) {
    this.#node = node
  }
  read(into: Uint8Array, start: number, length: number, position: number): number {
    // At the beginning it is made anew, so that a program may look again by seeking.
    if (position === 0 || this.#bytes === undefined) this.#bytes = encoder.encode(this.#node.text())
    const piece = this.#bytes.subarray(position, position + length)
    into.set(piece, start)
    return piece.length
  }
  write(from: Uint8Array, start: number, length: number): number {
    if (this.#node.write === undefined) return -Errno.EACCES
    const answer = this.#node.write(new TextDecoder().decode(from.slice(start, start + length)))
    return answer < 0 ? answer : length
  }
  release(): void {}
}
