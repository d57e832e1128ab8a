/** Requests of ioctl(2) for files and directories of file systems: ioctl_ficlonerange(2), ioctl_fideduperange(2), and older ones. */
import { type File, isDirectory, isRegular, Open } from '@vmexit/vfs'
import { Errno } from '../errno.ts'
import type { Task } from '../system.ts'
import { Cap } from '../tasks/capabilities.ts'

// biome-ignore format: a table
const Request = {
  FIBMAP: 1, FIGETBSZ: 2, FIONREAD: 0x541b, FIOQSIZE: 0x5460, FIEMAP: 0xc020_660b, FICLONE: 0x4004_9409,
  FICLONERANGE: 0x4020_940d, FIDEDUPERANGE: 0xc018_9436,
} as const
const BLOCK = 4096

/** Undefined where the request is none of files. `argument` is an address or a descriptor. */
export function fileIoctl(task: Task, file: File, request: number, argument: number): number | undefined {
  const { memory } = task.kernel
  const { inode } = file
  const isPlain = isRegular(inode.mode)
  switch (request) {
    case Request.FIGETBSZ:
      memory.set32(argument, BLOCK)
      return 0
    case Request.FIOQSIZE:
      if (!isPlain && !isDirectory(inode.mode)) return -Errno.ENOTTY
      memory.set64(argument, inode.size)
      return 0
    case Request.FIONREAD:
      if (!isPlain) return undefined
      memory.set32(argument, inode.size - file.position)
      return 0
    case Request.FIBMAP:
      if (!isPlain) return undefined
      // Nobody is told where blocks lie: there are none.
      return task.capable(Cap.SYS_RAWIO) ? -Errno.EINVAL : -Errno.EPERM
    case Request.FIEMAP:
      return -Errno.EOPNOTSUPP
    case Request.FICLONE:
      return clone(task, file, argument)
    case Request.FICLONERANGE:
      return clone(task, file, memory.get32(argument) | 0)
    case Request.FIDEDUPERANGE:
      if (!file.readable) return -Errno.EINVAL
      return isDirectory(inode.mode) ? -Errno.EISDIR : isPlain ? -Errno.EOPNOTSUPP : -Errno.EINVAL
    default:
      return undefined
  }
}

/** No file system shares blocks of files: whoever asks is told what else is wrong first. */
function clone(task: Task, to: File, descriptor: number): number {
  const given = task.files.get(descriptor)
  const from = given?.file
  if (given === undefined || from?.isPath) return -Errno.EBADF
  if (from === undefined || from.inode.fs !== to.inode.fs) return -Errno.EXDEV
  const { mode } = from.inode
  if (isDirectory(mode) || isDirectory(to.inode.mode)) return -Errno.EISDIR
  if (!isRegular(mode) || !isRegular(to.inode.mode)) return -Errno.EINVAL
  const mayClone = from.readable && to.writable && (to.flags & Open.O_APPEND) === 0
  return mayClone ? -Errno.EOPNOTSUPP : -Errno.EBADF
}
