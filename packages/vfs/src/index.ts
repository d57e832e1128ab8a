/**
 * `@vmexit/vfs`: a POSIX file system layer, and tmpfs.
 *
 * @packageDocumentation
 */

export { type Timespec, UTIME_NOW, UTIME_OMIT } from './attribute-calls.ts'
export { TaskContext } from './context.ts'
export {
  Capability,
  type Credentials,
  type Owned,
  privilegedCredentials,
  rootCredentials,
  userCredentials,
} from './credentials.ts'
export { Dentry, type DentryCache } from './dentry.ts'
export { Errno, type ErrnoName, errnoName, NOT_YET } from './errno.ts'
export { File } from './file.ts'
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
export { Inotify, type InotifyEvent, type Watches } from './inotify/inotify.ts'
export { InotifyMask, type Watch } from './inotify/watch.ts'
export type { VfsHooks } from './layer.ts'
export type { LockRequest } from './lock-calls.ts'
export { Flock, LockType, type RecordLock } from './locks/file-locks.ts'
export { Mount, MountFlag, type Path, PeerGroup, type Super } from './mount/mount.ts'
export type { Propagation } from './mount/propagation.ts'
export { MountTree, type MountWorld } from './mount/tree.ts'
export { type ByteString, byteStringOf, bytesOf, toByteString, toText } from './names.ts'
export { Change, Changes, Stat, StatFs } from './stat.ts'
export { SettableTime, type TimeSource } from './time.ts'
export type { TmpInode } from './tmpfs/inode.ts'
export type { ChargeKind, Charges } from './tmpfs/space.ts'
export { TmpFs, type TmpFsOptions } from './tmpfs/tmpfs.ts'
export { type InotifyOptions, type StartingPoint, Vfs, type VfsOptions } from './vfs.ts'
