/** What file systems have in common whose files are made by the kernel as somebody looks: most changes are refused. */
import {
  type ByteString,
  type Changes,
  type DirectoryVisitor,
  Errno,
  type FileOperations,
  type FileSystem,
  type Inode,
  type Stat,
  type StatFs,
  type TimeSource,
} from '@vmexit/vfs'

/** A file system without storage. Subclasses say what there is. */
export abstract class MemorylessFs implements FileSystem {
  abstract readonly type: string
  abstract readonly root: Inode
  readonly caching = 'none'
  readonly readOnly: boolean = false
  readonly maxNameBytes = 255
  readonly maxFileBytes: number = 2 ** 31
  readonly #magic: number

  constructor(magic: number) {
    this.#magic = magic
  }

  abstract lookup(dir: Inode, name: ByteString): Inode | number
  abstract getattr(inode: Inode, into: Stat): number

  /** A record for an inode, as of now. */
  protected fill(inode: Inode, into: Stat, { seconds, nanoseconds }: TimeSource): void {
    const { ino, mode, nlink, uid, gid } = inode
    Object.assign(into, { ino, mode, nlink, uid, gid, rdev: 0, size: 0, blocks: 0 })
    into.blksize = 4096
    into.atimeSeconds = into.mtimeSeconds = into.ctimeSeconds = seconds
    into.atimeNanoseconds = into.mtimeNanoseconds = into.ctimeNanoseconds = nanoseconds
    into.btimeSeconds = -1
  }

  open(_inode: Inode, _flags: number): FileOperations | number {
    return 0
  }
  release(_inode: Inode): void {}
  readdir(_dir: Inode, _cookie: number, _visitor: DirectoryVisitor): number {
    return 0
  }
  readlink(_inode: Inode): ByteString | number {
    return -Errno.EINVAL
  }
  setattr(_inode: Inode, _changes: Changes): number {
    return -Errno.EPERM
  }
  accessed(): void {}
  statfs(into: StatFs): number {
    const none = { blocks: 0, bfree: 0, bavail: 0, files: 0, ffree: 0 }
    Object.assign(into, { type: this.#magic, bsize: 4096, ...none, namelen: 255 })
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
  create(_dir: Inode, _name: ByteString, _mode: number): Inode | number {
    return -Errno.EPERM
  }
  mkdir(_dir: Inode, _name: ByteString): Inode | number {
    return -Errno.EPERM
  }
  symlink(): Inode | number {
    return -Errno.EPERM
  }
  tmpfile(): Inode | number {
    return -Errno.EOPNOTSUPP
  }
  link(): number {
    return -Errno.EPERM
  }
  unlink(_dir: Inode, _name: ByteString): number {
    return -Errno.EPERM
  }
  rmdir(_dir: Inode, _name: ByteString): number {
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
