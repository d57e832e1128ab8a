/** What is known of a file and of a file system: records that a call fills in (stat(2), statx(2), statfs(2)). */

/** The attributes of an inode. Made once and filled again and again. */
export class Stat {
  /** The device that the file is said to be on. The layer above sets it before the call; see `FileSystem.getattr`. */
  dev = 0
  ino = 0
  /** Type and permissions: `Mode`. */
  mode = 0
  nlink = 0
  uid = 0
  gid = 0
  /** What a device node stands for: `makeDevice`. */
  rdev = 0
  /** Bytes. */
  size = 0
  /** The best size of a transfer, in bytes. */
  blksize = 4096
  /** Blocks of 512 bytes that are taken; holes take none. */
  blocks = 0
  atimeSeconds = 0
  atimeNanoseconds = 0
  mtimeSeconds = 0
  mtimeNanoseconds = 0
  ctimeSeconds = 0
  ctimeNanoseconds = 0
  /** When the inode was made. A file system that does not keep it says −1 s. */
  btimeSeconds = 0
  btimeNanoseconds = 0
}

/** The state of a whole file system. */
export class StatFs {
  /** The magic number of its type: `0x01021994` is tmpfs. */
  type = 0
  /** Bytes of a block. */
  bsize = 4096
  /** Blocks in all, free, and free for those without privileges. 0 in all is *no limit*. */
  blocks = 0
  bfree = 0
  bavail = 0
  /** Inodes in all, and free. 0 in all is *no limit*. */
  files = 0
  ffree = 0
  /** The most bytes of a name. */
  namelen = 255
}

/** What `Changes.mask` may have in it. */
export const Change = { MODE: 1, UID: 2, GID: 4, ATIME: 8, MTIME: 16 } as const

/** Attributes to be changed: those that `mask` names. Made once and used again and again. */
export class Changes {
  /** Bits of `Change`. */
  mask = 0
  /** The permission bits; a type in it is ignored. */
  mode = 0
  uid = 0
  gid = 0
  atimeSeconds = 0
  atimeNanoseconds = 0
  mtimeSeconds = 0
  mtimeNanoseconds = 0
}
