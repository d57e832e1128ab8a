/** Memory that is to stay: mlock(2), mlockall(2), mincore(2). Nothing is ever paged out, so locks change nothing. */
import { Errno } from '../errno.ts'
import type { Task } from '../system.ts'
import { PAGE } from './frames.ts'
import { KERNEL_PAGE } from './page-table.ts'

/** MCL_CURRENT, MCL_FUTURE, MCL_ONFAULT. */
const MCL = { CURRENT: 1, FUTURE: 2, ONFAULT: 4, ALL: 7 } as const
/** MLOCK_ONFAULT. */
const ONFAULT = 1

/** munlock(2) as well. */
export function mlock(task: Task, address: number, length: number): number {
  const first = Math.floor(address / PAGE)
  const count = Math.ceil((length + (address % PAGE)) / PAGE)
  if (count === 0) return 0
  if (first + count > KERNEL_PAGE || !task.space.isMapped(first, count)) return -Errno.ENOMEM
  return 0
}

export function mlock2(task: Task, address: number, length: number, flags: number): number {
  return (flags & ~ONFAULT) !== 0 ? -Errno.EINVAL : mlock(task, address, length)
}

export function mlockall(flags: number): number {
  return flags === 0 || flags === MCL.ONFAULT || (flags & ~MCL.ALL) !== 0 ? -Errno.EINVAL : 0
}

/** A byte for each page: whether it has a frame. */
export function mincore(task: Task, address: number, length: number, into: number): number {
  const { space, kernel } = task
  if (address % PAGE !== 0) return -Errno.EINVAL
  const first = address / PAGE
  const count = Math.ceil(length / PAGE)
  if (first + count > KERNEL_PAGE) return -Errno.ENOMEM
  const bytes = new Uint8Array(count)
  for (let n = 0; n < count; n++) {
    const area = space.areas.at(first + n)
    if (area === undefined) {
      if (n > 0) kernel.memory.write(into, bytes.subarray(0, n))
      return -Errno.ENOMEM
    }
    const cached = area.pages?.cached(area.offset + first + n - area.start) ?? 0
    bytes[n] = space.table.get(first + n) !== 0 || cached !== 0 ? 1 : 0
  }
  kernel.memory.write(into, bytes)
  return 0
}
