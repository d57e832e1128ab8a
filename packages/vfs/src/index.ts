/**
 * `@vmexit/vfs`: a POSIX file system layer, and tmpfs.
 *
 * @packageDocumentation
 */

export { Errno, type ErrnoName, errnoName, NOT_YET } from './errno.ts'
export {
  type DirectoryVisitor,
  type EntryCaching,
  FIRST_COOKIE,
  type FileOperations,
  type FileSystem,
  type Inode,
} from './file-system.ts'
export {
  Access,
  At,
  EntryType,
  Fallocate,
  isDirectory,
  isRegular,
  isSymlink,
  Mode,
  majorOf,
  makeDevice,
  minorOf,
  NAME_MAX,
  Open,
  PATH_MAX,
  Rename,
  Resolve,
  Seek,
  Xattr,
} from './flags.ts'
export { type ByteString, byteStringOf, bytesOf, toByteString, toText } from './names.ts'
export { Change, Changes, Stat, StatFs } from './stat.ts'
export { SettableTime, type TimeSource } from './time.ts'
export type { TmpInode } from './tmpfs/inode.ts'
export type { ChargeKind, Charges } from './tmpfs/space.ts'
export { TmpFs, type TmpFsOptions } from './tmpfs/tmpfs.ts'
