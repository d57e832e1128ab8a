/** Futexes (futex(2)), and robust lists (set_robust_list(2)). */
import { Answer, Errno } from '../errno.ts'
import { store } from '../exec/load.ts'
import type { AddressSpace } from '../memory/address-space.ts'
import { PAGE } from '../memory/frames.ts'
import type { Kernel, Task } from '../system.ts'
import type { WaitQueue } from './wait-queue.ts'

/** Set apart from numbers of spaces. */
const PRIVATE_KEYS = 2 ** 20

/** Someone who waits for a word. */
interface Waiter {
  readonly task: Task
  key: number
  readonly mask: number
  isWoken: boolean
}

/** Who waits where. Words are known by where they are: of shared memory by its page, of private memory by its space. */
export class Futexes {
  readonly #waiters = new Map<number, Waiter[]>()

  /** What a word is known by. Who calls it private is not met by those that do not. */
  keyOf(space: AddressSpace, address: number, isPrivate = false): number {
    if (isPrivate) return (space.id + PRIVATE_KEYS) * 2 ** 32 + address
    const page = Math.floor(address / PAGE)
    const area = space.areas.at(page)
    if (area?.shared && area.pages !== undefined) {
      const offset = (area.offset + page - area.start) * PAGE + (address % PAGE)
      return -(area.pages.id * 2 ** 32 + offset)
    }
    return space.id * 2 ** 32 + address
  }

  /** Waits while the word is `value`. @throws BAD_ADDRESS. */
  wait(
    task: Task,
    address: number,
    value: number,
    mask: number,
    deadline: number,
    isPrivate = false,
    /** Wakes it when the deadline is another. */
    clockQueue: WaitQueue | undefined = undefined,
  ): number {
    const { kernel } = task
    if (mask === 0) return -Errno.EINVAL
    let waiter = task.scratch as Waiter | undefined
    if (waiter === undefined) {
      if ((kernel.memory.get32(address) | 0) !== (value | 0)) return -Errno.EAGAIN
      waiter = { task, key: this.keyOf(task.space, address, isPrivate), mask, isWoken: false }
    } else {
      if (waiter.isWoken) return 0
      if (kernel.now >= deadline) {
        this.#remove(waiter)
        return -Errno.ETIMEDOUT
      }
    }
    const isEndless = deadline === Number.POSITIVE_INFINITY
    const answer = kernel.blockUntil(deadline, clockQueue, isEndless ? Answer.RESTART : Answer.RESTART_NOHAND)
    if (task.scratch === undefined) {
      if (answer !== -4096) return answer
      task.scratch = waiter
      const list = this.#waiters.get(waiter.key)
      if (list === undefined) this.#waiters.set(waiter.key, [waiter])
      else list.push(waiter)
    } else if (answer !== -4096) this.#remove(waiter)
    return answer
  }

  /** Wakes the first `most` that wait for a word with one of `mask`. Answers how many. */
  wake(key: number, most: number, mask: number): number {
    const list = this.#waiters.get(key)
    if (list === undefined) return 0
    let count = 0
    for (const waiter of [...list]) {
      if (count > 0 && count >= most) break
      if ((waiter.mask & mask) === 0) continue
      this.#remove(waiter)
      waiter.isWoken = true
      waiter.task.wake()
      count++
    }
    return count
  }

  /** Wakes some, and has others wait for another word. */
  requeue(from: number, to: number, wake: number, move: number): number {
    const woken = wake > 0 ? this.wake(from, wake, -1) : 0
    let moved = 0
    for (const waiter of [...(this.#waiters.get(from) ?? [])]) {
      if (moved >= move) break
      this.#remove(waiter)
      waiter.key = to
      const list = this.#waiters.get(to)
      if (list === undefined) this.#waiters.set(to, [waiter])
      else list.push(waiter)
      moved++
    }
    return woken + moved
  }

  /** A task that ends waits no longer. */
  forget(task: Task): void {
    const waiter = task.scratch as Partial<Waiter> | undefined
    if (task.inCall && waiter?.key !== undefined && waiter.task === task) this.#remove(waiter as Waiter)
  }

  /** Words that are waited for: for checks. */
  get size(): number {
    return this.#waiters.size
  }

  #remove(waiter: Waiter): void {
    const list = this.#waiters.get(waiter.key)
    const index = list?.indexOf(waiter) ?? -1
    if (index < 0) return
    list!.splice(index, 1)
    if (list!.length === 0) this.#waiters.delete(waiter.key)
  }
}

const OWNER_DIED = 0x4000_0000
const WAITERS = 0x8000_0000 | 0
const TID = 0x3fff_ffff
const MOST_LOCKS = 2048

/** A task ends: locks that it holds by its robust list are free, and say that their owner has died. */
export function releaseRobustList(kernel: Kernel, task: Task): void {
  kernel.futexes.forget(task)
  const { robustList: head, space } = task
  if (head === 0 || task.state === 'ended') return
  const read = (address: number): number | undefined => {
    const physical = address % 4 === 0 ? space.physical(address, false) : -1
    return physical < 0 ? undefined : kernel.machine.memory.read32(physical)
  }
  const offset = read(head + 4)
  const pending = read(head + 8)
  if (offset === undefined) return
  const release = (entry: number): void => {
    const address = ((entry & ~1) + (offset | 0)) >>> 0
    const word = read(address)
    if (word === undefined || (word & TID) !== task.ns.pid.local(task.tid)) return
    const bytes = new Uint8Array(4)
    new DataView(bytes.buffer).setInt32(0, (word & WAITERS) | OWNER_DIED, true)
    if (store(kernel, space, address, bytes) && (word & WAITERS) !== 0)
      kernel.futexes.wake(kernel.futexes.keyOf(space, address), 1, -1)
  }
  let entry = read(head)
  for (let n = 0; n < MOST_LOCKS && entry !== undefined && (entry & ~1) >>> 0 !== head; n++) {
    const next = read((entry & ~1) >>> 0)
    if (entry !== pending) release(entry)
    entry = next
  }
  if (pending !== undefined && pending !== 0) release(pending)
}
