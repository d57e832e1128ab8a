/**
 * A tree of files as one blob: `VMXTREE1`, the length of a JSON header (32 bits, little-endian), the header in UTF-8, and
 * the data of all files one after the other, without their holes. Names, targets and values of attributes are byte strings.
 */
import { Mode } from '../flags.ts'

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

const { IFBLK, IFCHR, IFDIR, IFIFO, IFLNK, IFREG, IFSOCK } = Mode
const types: ReadonlySet<number> = new Set([IFBLK, IFCHR, IFDIR, IFIFO, IFLNK, IFREG, IFSOCK])

/** Whether a part of a header is an inode, as far as that can be seen from it alone. */
export function isSavedInode(value: unknown): value is SavedInode {
  if (typeof value !== 'object' || value === null) return false
  const { mode, uid, gid, times, rdev, size, extents, entries, target, xattrs } = value as Record<string, unknown>
  return (
    [mode, uid, gid].every((part) => isCount(part) && part < 2 ** 32) &&
    types.has((mode as number) & Mode.IFMT) &&
    [rdev, size].every((part) => part === undefined || isCount(part)) &&
    Array.isArray(times) &&
    times.length === 4 &&
    times.every(Number.isSafeInteger) &&
    (target === undefined || (isBytes(target) && target !== '')) &&
    (xattrs === undefined || (isObject(xattrs) && Object.entries(xattrs).every((pair) => pair.every(isBytes)))) &&
    (extents === undefined || arePairs(extents, isCount, isCount)) &&
    (entries === undefined || arePairs(entries, isName, isCount))
  )
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function isBytes(value: unknown): value is string {
  return typeof value === 'string' && !/[\u0100-\uffff]/.test(value)
}

function isName(value: unknown): value is string {
  return isBytes(value) && /^[^/\0]+$/.test(value) && value !== '.' && value !== '..'
}

function arePairs(value: unknown, isFirst: (part: unknown) => boolean, isSecond: (part: unknown) => boolean): boolean {
  if (!Array.isArray(value)) return false
  return value.every((pair) => Array.isArray(pair) && pair.length === 2 && isFirst(pair[0]) && isSecond(pair[1]))
}
