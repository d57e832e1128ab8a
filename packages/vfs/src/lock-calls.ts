/** Locks by open files: fcntl(2) with F_GETLK, F_SETLK, F_SETLKW and their F_OFD_ kin, and flock(2). */
import { Errno } from './errno.ts'
import type { File } from './file.ts'
import { Seek } from './flags.ts'
import { stateOf } from './inode-state.ts'
import type { Layer } from './layer.ts'
import { FileLocks, LockType, type RecordLock } from './locks/file-locks.ts'

const { EBADF, EINVAL, EOVERFLOW } = Errno

/** A lock as `struct flock` asks for it. */
export interface LockRequest {
  /** `LockType`. */
  readonly type: number
  /** SEEK_SET unless stated. */
  readonly whence?: number
  readonly start: number
  /** Bytes from `start` on, or before it if negative; 0 is *to the end, wherever that is*. */
  readonly length: number
}

/** F_GETLK: the lock of another that is in the way, with `end` infinite for *to the end*, or `null`. */
export function getLock(layer: Layer, file: File, owner: object, request: LockRequest): RecordLock | null | number {
  if (file.isPath) return -EBADF
  const lock = recordLock(file, owner, request)
  if (typeof lock === 'number') return lock
  if (lock.type !== LockType.F_RDLCK && lock.type !== LockType.F_WRLCK) return -EINVAL
  return locksOf(layer, file).conflict(lock) ?? null
}

/** F_SETLK, or with `wake` F_SETLKW. */
export function setLock(layer: Layer, file: File, owner: object, request: LockRequest, wake?: () => void): number {
  if (file.isPath) return -EBADF
  const lock = recordLock(file, owner, request)
  if (typeof lock === 'number') return lock
  if (lock.type === LockType.F_RDLCK && !file.readable) return -EBADF
  if (lock.type === LockType.F_WRLCK && !file.writable) return -EBADF
  return locksOf(layer, file).set(lock, wake, owner !== file)
}

export function flock(layer: Layer, file: File, operation: number, wake?: () => void): number {
  return file.isPath ? -EBADF : locksOf(layer, file).flock(file, operation, wake)
}

function locksOf(layer: Layer, file: File): FileLocks {
  const state = stateOf(file.inode)
  return (state.locks ??= new FileLocks(layer.lockWaits))
}

function recordLock(
  file: File,
  owner: object,
  { type, whence = Seek.SEEK_SET, start, length }: LockRequest,
): RecordLock | number {
  if (!(type >= LockType.F_RDLCK && type <= LockType.F_UNLCK)) return -EINVAL
  let from = start
  if (whence === Seek.SEEK_CUR) from += file.position
  else if (whence === Seek.SEEK_END) from += file.inode.size
  else if (whence !== Seek.SEEK_SET) return -EINVAL
  const first = length < 0 ? from + length : from
  if (first < 0) return -EINVAL
  const end = length === 0 ? Infinity : length < 0 ? from : from + length
  if (first > Number.MAX_SAFE_INTEGER || (end !== Infinity && end > Number.MAX_SAFE_INTEGER)) return -EOVERFLOW
  return { owner, type, start: first, end }
}
