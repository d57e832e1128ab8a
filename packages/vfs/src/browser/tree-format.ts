/**
 * A tree of files as one blob: `VMXTREE1`, the length of a JSON header (32 bits, little-endian), the header in UTF-8, and
 * the data of all files one after the other, without their holes. Names, targets and values of attributes are byte strings.
 */

/** The first bytes of a saved tree. */
export const magic = 'VMXTREE1'

/** Bytes before the header. */
export const prefixBytes: number = magic.length + 4

/** Bytes of data that are held at a time. */
export const pieceBytes: number = 1 << 22

/** What the header holds: all inodes, the root first. */
export interface TreeHeader {
  readonly inodes: readonly SavedInode[]
}

/** An inode. A file with many names is there once. */
export interface SavedInode {
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** atime and mtime, in seconds and nanoseconds. */
  readonly times: readonly [number, number, number, number]
  readonly xattrs?: Readonly<Record<string, string>>
  /** Of device nodes. */
  readonly rdev?: number
  /** Of symbolic links. */
  readonly target?: string
  /** Of directories: names, and indexes of inodes. */
  readonly entries?: readonly (readonly [string, number])[]
  /** Of regular files. */
  readonly size?: number
  /** Of regular files: offset and length of each part that has data. */
  readonly extents?: readonly (readonly [number, number])[]
}
