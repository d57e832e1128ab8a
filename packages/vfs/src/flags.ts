/**
 * Numbers of the file system calls, as Linux has them on x86: sys_stat.h(0p), open(2), openat2(2), rename(2),
 * fallocate(2), lseek(2), xattr(7), mount(2). i386 and amd64 agree on all of them.
 */

/** Bits of a mode: the type under `IFMT`, set-id bits, the sticky bit, permissions. */
// biome-ignore format: a table
export const Mode = {
  IFMT: 0o170000, IFSOCK: 0o140000, IFLNK: 0o120000, IFREG: 0o100000, IFBLK: 0o060000, IFDIR: 0o040000,
  IFCHR: 0o020000, IFIFO: 0o010000,
  ISUID: 0o4000, ISGID: 0o2000, ISVTX: 0o1000,
  IRWXU: 0o700, IRUSR: 0o400, IWUSR: 0o200, IXUSR: 0o100,
  IRWXG: 0o070, IRGRP: 0o040, IWGRP: 0o020, IXGRP: 0o010,
  IRWXO: 0o007, IROTH: 0o004, IWOTH: 0o002, IXOTH: 0o001,
} as const

/** Flags of open(2). `O_TMPFILE` has `O_DIRECTORY` in it, as on Linux. */
// biome-ignore format: a table
export const Open = {
  O_RDONLY: 0, O_WRONLY: 1, O_RDWR: 2, O_ACCMODE: 3,
  O_CREAT: 0o100, O_EXCL: 0o200, O_NOCTTY: 0o400, O_TRUNC: 0o1000, O_APPEND: 0o2000, O_NONBLOCK: 0o4000,
  O_DSYNC: 0o10000, O_DIRECT: 0o40000, O_LARGEFILE: 0o100000, O_DIRECTORY: 0o200000, O_NOFOLLOW: 0o400000,
  O_NOATIME: 0o1000000, O_CLOEXEC: 0o2000000, O_SYNC: 0o4010000, O_PATH: 0o10000000, O_TMPFILE: 0o20200000,
} as const

/** Flags of the calls that end in *at*. */
// biome-ignore format: a table
export const At = {
  AT_FDCWD: -100,
  AT_SYMLINK_NOFOLLOW: 0x100, AT_EACCESS: 0x200, AT_REMOVEDIR: 0x200, AT_SYMLINK_FOLLOW: 0x400, AT_NO_AUTOMOUNT: 0x800,
  AT_EMPTY_PATH: 0x1000,
} as const

/** `resolve` of openat2(2). */
// biome-ignore format: a table
export const Resolve = {
  RESOLVE_NO_XDEV: 1, RESOLVE_NO_MAGICLINKS: 2, RESOLVE_NO_SYMLINKS: 4, RESOLVE_BENEATH: 8, RESOLVE_IN_ROOT: 0x10,
  RESOLVE_CACHED: 0x20,
} as const

/** Flags of renameat2(2). */
export const Rename = { RENAME_NOREPLACE: 1, RENAME_EXCHANGE: 2, RENAME_WHITEOUT: 4 } as const

/** `mode` of fallocate(2). */
// biome-ignore format: a table
export const Fallocate = {
  FALLOC_FL_KEEP_SIZE: 1, FALLOC_FL_PUNCH_HOLE: 2, FALLOC_FL_COLLAPSE_RANGE: 8, FALLOC_FL_ZERO_RANGE: 0x10,
  FALLOC_FL_INSERT_RANGE: 0x20,
} as const

/** `whence` of lseek(2). */
export const Seek = { SEEK_SET: 0, SEEK_CUR: 1, SEEK_END: 2, SEEK_DATA: 3, SEEK_HOLE: 4 } as const

/** Flags of setxattr(2). */
export const Xattr = { XATTR_CREATE: 1, XATTR_REPLACE: 2 } as const

/** Bits of access(2). */
export const Access = { F_OK: 0, X_OK: 1, W_OK: 2, R_OK: 4 } as const

/** `d_type` of a directory's entry: the type bits of the mode, shifted down by 12. */
// biome-ignore format: a table
export const EntryType = {
  DT_UNKNOWN: 0, DT_FIFO: 1, DT_CHR: 2, DT_DIR: 4, DT_BLK: 6, DT_REG: 8, DT_LNK: 10, DT_SOCK: 12,
} as const

/** The most bytes that a name has. */
export const NAME_MAX = 255

/** The bytes that a path may have, with the zero that ends it: 4095 without. */
export const PATH_MAX = 4096

/** Whether a mode is a directory's. */
export function isDirectory(mode: number): boolean {
  return (mode & Mode.IFMT) === Mode.IFDIR
}

/** Whether a mode is a regular file's. */
export function isRegular(mode: number): boolean {
  return (mode & Mode.IFMT) === Mode.IFREG
}

/** Whether a mode is a symbolic link's. */
export function isSymlink(mode: number): boolean {
  return (mode & Mode.IFMT) === Mode.IFLNK
}

/** A device number as the kernel keeps it: 12 bits of major, 20 of minor. */
export function makeDevice(major: number, minor: number): number {
  return (major & 0xfff) * 0x10_0000 + (minor & 0xf_ffff)
}

/** The major number of a device. */
export function majorOf(device: number): number {
  return Math.floor(device / 0x10_0000)
}

/** The minor number of a device. */
export function minorOf(device: number): number {
  return device % 0x10_0000
}
