/** Memory of other programs: words for ptrace(2), and process_vm_readv(2) and process_vm_writev(2). */
import { Errno } from '../errno.ts'
import type { AddressSpace } from '../memory/address-space.ts'
import { PAGE } from '../memory/frames.ts'
import { KERNEL_PAGE } from '../memory/page-table.ts'
import { BAD_ADDRESS } from '../memory/user-memory.ts'
import { mayInspect } from '../namespaces/unshare.ts'
import type { Kernel, Task } from '../system.ts'
import { taskOf } from '../tasks/numbers.ts'

const TOP = KERNEL_PAGE * PAGE
const MOST_VECTORS = 1024
/** Bytes of one call (MAX_RW_COUNT). */
const MOST_BYTES = 0x7fff_f000

/** How a page of another space is reached: as a debugger, or as its own program. */
type Reach = 'forced' | 'physical'

/** Reads into `bytes` as far as there are pages; answers how many. */
export function readSpace(
  kernel: Kernel,
  space: AddressSpace,
  address: number,
  bytes: Uint8Array,
  reach: Reach,
): number {
  return eachPart(space, address, bytes, false, reach, (physical, part) => {
    kernel.machine.memory.readBytes(physical, part)
  })
}
/** Stores `bytes` as far as there are pages; answers how many. */
export function writeSpace(
  kernel: Kernel,
  space: AddressSpace,
  address: number,
  bytes: Uint8Array,
  reach: Reach,
): number {
  return eachPart(space, address, bytes, true, reach, (physical, part) => {
    kernel.machine.memory.writeBytes(physical, part)
  })
}

function eachPart(
  space: AddressSpace,
  address: number,
  bytes: Uint8Array,
  write: boolean,
  reach: Reach,
  body: (physical: number, part: Uint8Array) => void,
): number {
  let done = 0
  while (done < bytes.length) {
    const at = address + done
    if (at >= TOP) break
    const part = Math.min(PAGE - (at % PAGE), bytes.length - done)
    const physical = space[reach](at, write)
    if (physical < 0) break
    body(physical, bytes.subarray(done, done + part))
    done += part
  }
  return done
}

/** An `iovec`. */
type Vector = readonly [base: number, length: number]

function vectorsAt(task: Task, at: number, count: number): Vector[] | number {
  if (count < 0 || count > MOST_VECTORS) return -Errno.EINVAL
  const { memory } = task.kernel
  const vectors: Vector[] = []
  let total = 0
  for (let n = 0; n < count; n++) {
    const [base, length] = [memory.get32(at + n * 8), memory.get32(at + n * 8 + 4)]
    if (length > 0x7fff_ffff) return -Errno.EINVAL
    const taken = Math.min(length, MOST_BYTES - total)
    total += taken
    vectors.push([base, taken])
  }
  return vectors
}

/** Moves bytes between the caller's memory and another's, as far as both reach. */
export function moveBetween(
  task: Task,
  pid: number,
  [local, localCount, remote, remoteCount]: readonly [number, number, number, number],
  flags: number,
  write: boolean,
): number {
  if (flags !== 0) return -Errno.EINVAL
  const own = vectorsAt(task, local, localCount)
  if (typeof own === 'number') return own
  const theirs = vectorsAt(task, remote, remoteCount)
  if (typeof theirs === 'number') return theirs
  const target = taskOf(task, pid)
  if (target === undefined || target.state === 'ended') return -Errno.ESRCH
  if (!mayInspect(task, target)) return -Errno.EPERM
  return move(task, target, own, theirs, write)
}

function move(task: Task, target: Task, own: readonly Vector[], theirs: readonly Vector[], write: boolean): number {
  const { kernel } = task
  const { memory } = kernel
  let total = 0
  let [n, used] = [0, 0]
  for (const [base, length] of theirs) {
    for (let done = 0; done < length; ) {
      while (n < own.length && used === own[n]![1]) [n, used] = [n + 1, 0]
      if (n === own.length) return total
      const [ownBase, ownLength] = own[n]!
      const part = memory.part(base + done, Math.min(length - done, ownLength - used))
      const bytes = new Uint8Array(part)
      try {
        if (write) {
          memory.read(ownBase + used, bytes)
          if (writeSpace(kernel, target.space, base + done, bytes, 'physical') < part) return total || -Errno.EFAULT
        } else {
          if (readSpace(kernel, target.space, base + done, bytes, 'physical') < part) return total || -Errno.EFAULT
          memory.write(ownBase + used, bytes)
        }
      } catch (reason) {
        if (reason !== BAD_ADDRESS || total === 0) throw reason
        return total
      }
      done += part
      used += part
      total += part
    }
  }
  return total
}
