/** Vectors of reads and writes (readv(2), `struct iovec`). */
import { Errno } from '../errno.ts'
import type { Task } from '../system.ts'

/** The most that one call moves (MAX_RW_COUNT). */
export const MOST = 0x7fff_f000
/** Vectors of one call (IOV_MAX). */
export const MOST_VECTORS = 1024

/** A place in the memory of a program. */
export type Part = readonly [address: number, length: number]

/** The vectors at an address, their lengths cut to what one call moves. @throws BAD_ADDRESS. */
export function vectors(task: Task, address: number, count: number): Part[] | number {
  const { memory } = task.kernel
  if (count < 0 || count > MOST_VECTORS) return -Errno.EINVAL
  const parts: Part[] = []
  let left = MOST
  for (let n = 0; n < count; n++) {
    const length = memory.get32(address + n * 8 + 4)
    if (length > 0x7fff_ffff) return -Errno.EINVAL
    parts.push([memory.get32(address + n * 8), Math.min(length, left)])
    left -= Math.min(length, left)
  }
  return parts
}
