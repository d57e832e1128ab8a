/** Seals of files in memory (fcntl(2), "File Sealing"): what is no longer to be done to them, by whomever. */
import { type Inode, TmpFs } from '@vmexit/vfs'
import { Errno } from '../errno.ts'
import type { OpenFile } from './open-file.ts'

/** Bits of F_ADD_SEALS. */
export const Seal = { SEAL: 1, SHRINK: 2, GROW: 4, WRITE: 8, FUTURE_WRITE: 0x10, EXEC: 0x20 } as const
const ALL = 0x3f

interface Sealed {
  seals: number
  /** Shared mappings through which it may be written. */
  writers: () => number
}
/** By inode: those that memfd_create(2) made. */
const known = new WeakMap<Inode, Sealed>()

/** A new file in memory: what is sealed of it, and how many shared mappings may write to it. */
export function beginSeals(inode: Inode, seals: number, writers: () => number): void {
  known.set(inode, { seals, writers })
}

/** Whether one of some seals is on an inode. */
export function isSealed(inode: Inode, seals: number): boolean {
  return ((known.get(inode)?.seals ?? 0) & seals) !== 0
}

/** F_GET_SEALS: files of tmpfs that memfd_create(2) has not made are sealed against seals. */
export function sealsOf({ file }: OpenFile): number {
  if (file === undefined || file.operations !== null) return -Errno.EINVAL
  return known.get(file.inode)?.seals ?? (file.inode.fs instanceof TmpFs ? Seal.SEAL : -Errno.EINVAL)
}

/** F_ADD_SEALS. */
export function addSeals(opened: OpenFile, seals: number): number {
  const before = sealsOf(opened)
  const { file } = opened
  if (before < 0 || file === undefined) return before < 0 ? before : -Errno.EINVAL
  if (!opened.isWritable) return -Errno.EPERM
  if ((seals & ~ALL) !== 0) return -Errno.EINVAL
  if ((before & Seal.SEAL) !== 0) return -Errno.EPERM
  const sealed = known.get(file.inode)
  if (sealed === undefined) return -Errno.EPERM
  if ((seals & Seal.WRITE) !== 0 && (before & Seal.WRITE) === 0 && sealed.writers() > 0) return -Errno.EBUSY
  sealed.seals |= seals
  return 0
}
