/** copy_file_range(2). */
import { isDirectory, type Open } from '@vmexit/vfs'
import { Errno } from '../errno.ts'
import type { Task } from '../system.ts'
import { isPlain, writeBytes } from './io.ts'

/** Bytes that are moved at a time, and by one call. */
const PIECE = 65_536
const MOST = 0x7fff_f000
const O_APPEND: (typeof Open)['O_APPEND'] = 0o2000

/** The offsets are addresses of 64-bit numbers, or 0 for the files' own positions. */
export function copyFileRange(
  task: Task,
  from: number,
  fromOffset: number,
  to: number,
  toOffset: number,
  length: number,
  flags: number,
): number {
  const { memory, vfs, pageCache } = task.kernel
  const source = task.files.get(from)
  const target = task.files.get(to)
  if (source === undefined || target === undefined) return -Errno.EBADF
  if (flags !== 0) return -Errno.EINVAL
  const input = source.file
  const output = target.file
  for (const file of [input, output]) if (file !== undefined && isDirectory(file.inode.mode)) return -Errno.EISDIR
  if (!isPlain(source) || !isPlain(target) || input === undefined || output === undefined) return -Errno.EINVAL
  if (!source.isReadable || !target.isWritable || (output.flags & O_APPEND) !== 0) return -Errno.EBADF
  const start = fromOffset === 0 ? input.position : memory.get64(fromOffset)
  const place = toOffset === 0 ? output.position : memory.get64(toOffset)
  if (start < 0 || place < 0) return -Errno.EINVAL
  const wanted = Math.min(length, MOST)
  if (input.inode === output.inode && start < place + wanted && place < start + wanted) return -Errno.EINVAL
  pageCache.known(input.inode)?.flush()
  const bytes = new Uint8Array(Math.min(wanted, PIECE))
  let done = 0
  while (done < wanted) {
    const got = vfs.pread(input, bytes, 0, Math.min(bytes.length, wanted - done), start + done)
    if (got <= 0) {
      if (got < 0 && done === 0) return got
      break
    }
    const put = writeBytes(task, target, bytes, 0, got, place + done)
    if (put < 0 && done === 0) return put
    if (put <= 0) break
    done += put
  }
  if (fromOffset === 0) input.position = start + done
  else memory.set64(fromOffset, start + done)
  if (toOffset === 0) output.position = place + done
  else memory.set64(toOffset, place + done)
  return done
}
