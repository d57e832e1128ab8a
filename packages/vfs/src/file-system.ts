/**
 * The seam below which file systems live: inodes and what can be done with them (Linux's `inode_operations`,
 * `file_operations` and `super_operations` in one).
 *
 * **Answers.** A call answers a value, or a number below 0: a negated error number (`Errno`), or `NOT_YET`. Calls never
 * wait, and never throw for what a guest can cause. A call that answers below 0 has changed nothing that can be seen,
 * and keeps nothing of its arguments. `NOT_YET` is for stores that must fetch: they start to, say so, wake the caller
 * when it has come, and the caller makes the same call again.
 *
 * **What lives above.** Path walk, `.` and `..`, mounts, permissions, read-only mounts, set-id bits, which owner and
 * mode a new file gets, access times by the mount's rule, locks, and notification are the layer's (`Vfs`). A file system
 * checks no permission. It may rely on the preconditions that each call states, and on being called by one layer.
 *
 * **Names** are byte strings (`ByteString`) of 1 to `maxNameBytes` bytes without `/` and 0, and never `.` or `..`.
 *
 * **Times.** The file system stamps with its own clock. It sets mtime and ctime of a directory whose entries change,
 * ctime of an inode whose attributes, link count or extended attributes change, mtime and ctime of a file that is
 * written, truncated (even to the size that it has) or has a hole punched. atime changes by `accessed` and `setattr`
 * alone. A new inode has one time in all four.
 */
import type { ByteString } from './names.ts'
import type { Changes, Stat, StatFs } from './stat.ts'

/**
 * A file, as long as anyone knows it: the file system answers the same object for the same file each time. Fields may be
 * getters. The layer reads them and changes nothing but `state`.
 */
export interface Inode {
  /** The file system that it is on. */
  readonly fs: FileSystem
  /** Its number: no other inode of the file system has it while this one lives. 1 to 2⁵³ − 1. */
  readonly ino: number
  /** Type and permission bits: `Mode`. The type never changes. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Names that it has; of a directory 2 and one more per subdirectory, or 1 where that is not counted. */
  readonly nlink: number
  /** Bytes; of a symbolic link those of its target; of a directory as the file system likes. */
  readonly size: number
  /** What a device node stands for (`makeDevice`); 0 of others. */
  readonly rdev: number
  /** The layer's: locks, watches, writers. `undefined` at first; a file system leaves it alone. */
  state: object | undefined
}

/** What an open file does that is not simply its inode's data: made anew by each open. */
export interface FileOperations {
  /** As `FileSystem.read`. `position` is 0 where `seekable` is false. */
  read(into: Uint8Array, start: number, length: number, position: number): number
  /** As `FileSystem.write`. */
  write(from: Uint8Array, start: number, length: number, position: number): number
  /** Whether there are positions; without, lseek and pread answer ESPIPE. */
  readonly seekable: boolean
  /** The last descriptor has been closed. */
  release(): void
}

/** Takes the entries of a directory. An object that stays rather than a closure per call. */
export interface DirectoryVisitor {
  /**
   * One entry: `type` is `EntryType`, `next` the cookie that goes on after it. Answers whether there is room for more; if
   * not, this entry has not been taken.
   */
  entry(name: ByteString, ino: number, type: number, next: number): boolean
}

/** The first cookie of entries proper: 0 and 1 are `.` and `..`, which the layer adds. */
export const FIRST_COOKIE = 2

/**
 * How long the layer may believe an entry that it has looked up:
 * - `none`: `lookup` is as fast as a cache, ask it. Directories that are in use are remembered all the same.
 * - `entries`: entries, and that there are none, stay as they are unless they are changed through the layer.
 * - `revalidate`: as `entries`, but `revalidate` is asked before each use. For what changes underneath.
 */
export type EntryCaching = 'none' | 'entries' | 'revalidate'

/**
 * A file system, at the level of inodes.
 *
 * `dir` is always a live directory of this file system, `name` a name as above, `inode` one of its inodes. Where the text
 * says *the caller has seen to it*, the file system need not check.
 */
export interface FileSystem {
  /** The type, as in /proc/mounts: `tmpfs`. */
  readonly type: string
  /** The directory at its root, which always lives. */
  readonly root: Inode
  readonly caching: EntryCaching
  /** Whether its files may be bound to a place in any tree, though it is mounted in none: those of namespaces. */
  readonly isBoundFromOutside?: boolean
  /** Whether nothing can change: the layer answers EROFS for it. */
  readonly readOnly: boolean
  /** The most bytes of a name; the layer answers ENAMETOOLONG above. At most 255. */
  readonly maxNameBytes: number
  /** The largest size of a file; the layer answers EFBIG above. At most 2⁵³ − 1. */
  readonly maxFileBytes: number

  /** The inode of that name. ENOENT where there is none. */
  lookup(dir: Inode, name: ByteString): Inode | number
  /** With `caching: 'revalidate'`: whether `name` is still `inode`, or still absent (`null`). 1 yes, 0 no. */
  revalidate?(dir: Inode, name: ByteString, inode: Inode | null): number

  /**
   * A new regular file, or where `mode` says so a FIFO, a socket or a device node `rdev`, with exactly this mode and
   * owner. EEXIST where the name is taken. ENOSPC, EDQUOT.
   */
  create(dir: Inode, name: ByteString, mode: number, uid: number, gid: number, rdev: number): Inode | number
  /** A new empty directory. EEXIST, EMLINK, ENOSPC, EDQUOT. */
  mkdir(dir: Inode, name: ByteString, mode: number, uid: number, gid: number): Inode | number
  /** A new symbolic link of mode 0777, whose target is any bytes but none. EEXIST, ENOSPC, EDQUOT. */
  symlink(dir: Inode, name: ByteString, target: ByteString, uid: number, gid: number): Inode | number
  /**
   * A new regular file without a name, for O_TMPFILE. Its link count is 0: it lives until it is released, and
   * `link` may give it a name. EOPNOTSUPP where there is no such thing.
   */
  tmpfile(dir: Inode, mode: number, uid: number, gid: number): Inode | number
  /**
   * A further name of a file that is no directory. EEXIST, EMLINK, ENOSPC. The caller has seen to it that the inode has
   * a name, or is a nameless one that may get one.
   */
  link(inode: Inode, dir: Inode, name: ByteString): number
  /** Takes a name from a file that is no directory. ENOENT. The inode lives on while it has names or is open. */
  unlink(dir: Inode, name: ByteString): number
  /** Removes an empty directory. ENOENT, ENOTEMPTY. A removed directory has link count 0, and takes no new entries. */
  rmdir(dir: Inode, name: ByteString): number
  /**
   * Moves a name, replacing what the new one has, in one step. `flags` are `Rename`'s.
   *
   * The caller has seen to it that the old name exists; that source and target are not the same inode; that a directory
   * replaces only a directory and another file only another file, unless exchanged; that no directory comes below
   * itself; that both directories are of this file system; that no two flags are given that exclude each other.
   *
   * ENOTEMPTY where a directory with entries would be replaced. With RENAME_NOREPLACE EEXIST; with RENAME_EXCHANGE both
   * must exist: ENOENT; with RENAME_WHITEOUT a character device 0:0 of mode 0 and the owner of `uid` and `gid` is left
   * under the old name. EINVAL for a flag that is not known here. ctime of the moved inodes and of a replaced one change.
   */
  rename(
    oldDir: Inode,
    oldName: ByteString,
    newDir: Inode,
    newName: ByteString,
    flags: number,
    uid: number,
    gid: number,
  ): number

  /**
   * Fills in a record; 0. `into.dev` has been set to the number that the layer gave this file system; one that shows files
   * of several devices sets another.
   */
  getattr(inode: Inode, into: Stat): number
  /** Changes mode, owner and times as they stand in `changes`, and stamps ctime; 0. Nothing of it is kept. */
  setattr(inode: Inode, changes: Changes): number
  /** The file has been read, or the directory, or the link followed: stamps atime. */
  accessed(inode: Inode): void

  /**
   * Opens an inode of any type: it lives on without names until as many `release` have come. 0, or operations of its own
   * for files that are more than their data. `flags` are open(2)'s; creation, truncation and permissions have been dealt
   * with; with O_PATH the inode is only kept. What FIFOs, sockets and device nodes do is the layer's business where the
   * answer is 0.
   */
  open(inode: Inode, flags: number): FileOperations | number
  /** One open has ended, whichever. With the last one of a file without names, its inode and data are freed. */
  release(inode: Inode): void

  /**
   * Reads up to `length` bytes of a regular file from `position` into `into` at `start`. Answers how many; 0 at and
   * beyond the end. Holes read as zeros.
   */
  read(inode: Inode, into: Uint8Array, start: number, length: number, position: number): number
  /**
   * Writes up to `length` bytes of `from` at `start` to `position`. Answers how many; fewer than asked where space ran
   * out on the way, and ENOSPC, EDQUOT or ENOMEM where there was none for the first byte. Nothing else is changed then.
   */
  write(inode: Inode, from: Uint8Array, start: number, length: number, position: number): number
  /**
   * The file of another file system whose data a regular file has: as it is now, and for whoever has it mapped even when it gets data of its
   * own here. So a cache of pages has one copy for all file systems that show it. The file itself where its data are its own.
   */
  realInode?(inode: Inode): Inode
  /** Sets the size: what is cut off is gone, what is added is a hole. 0 ≤ `size` ≤ `maxFileBytes`. */
  truncate(inode: Inode, size: number): number
  /**
   * fallocate(2) of a regular file, `length` > 0, the end within `maxFileBytes`. `mode` 0, KEEP_SIZE, PUNCH_HOLE |
   * KEEP_SIZE, ZERO_RANGE with or without KEEP_SIZE; EOPNOTSUPP for those that are not known here. All or nothing:
   * where space runs out, nothing has been taken.
   */
  fallocate(inode: Inode, mode: number, offset: number, length: number): number
  /** SEEK_DATA or SEEK_HOLE of a regular file from `offset` ≥ 0: ENXIO where `offset` is not before the end. */
  seek(inode: Inode, offset: number, whence: number): number

  /**
   * Visits entries from a cookie on: FIRST_COOKIE, or `next` of an entry. 0 when there are no more or the visitor has had
   * enough. Cookies are below 2⁵³ and stay: entries that are there all the time are seen once, however others come and go
   * between two calls; those may be seen or not. During the call the directory does not change.
   */
  readdir(dir: Inode, cookie: number, visitor: DirectoryVisitor): number
  /** The target of a symbolic link. */
  readlink(inode: Inode): ByteString | number
  /**
   * With a link that is more than its text (/proc/self/fd/1): the place that it leads to, a `Path` of the layer, or an
   * error. `undefined` of links that are simply text.
   */
  magicLink?(inode: Inode): object | number | undefined

  /** The value of an extended attribute; the caller does not change it. ENODATA; EOPNOTSUPP where there are none. */
  getxattr(inode: Inode, name: ByteString): Uint8Array | number
  /** Sets one to a copy of `value`. `flags` are `Xattr`'s: EEXIST, ENODATA. ENOSPC, EDQUOT, EOPNOTSUPP. */
  setxattr(inode: Inode, name: ByteString, value: Uint8Array, flags: number): number
  /** The names of all, of all name spaces. */
  listxattr(inode: Inode): readonly ByteString[] | number
  /** Removes one. ENODATA. */
  removexattr(inode: Inode, name: ByteString): number

  /** Fills in a record; 0. */
  statfs(into: StatFs): number
  /** Brings what has been written to where it is kept: of one file, or of all. 0 where there is nothing to do. */
  sync(inode?: Inode): number
}
