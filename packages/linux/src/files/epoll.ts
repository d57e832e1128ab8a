/** epoll(7). Readiness is asked when somebody waits; edge-triggered entries remember what they told. */
import { Open } from '@vmexit/vfs'
import { Answer, Errno } from '../errno.ts'
import type { Kernel, Task } from '../system.ts'
import { WaitQueue } from '../tasks/wait-queue.ts'
import { AnonymousFile } from './anonymous-file.ts'
import { install } from './control.ts'
import { type OpenFile, Poll } from './open-file.ts'

const Flag = { ET: 0x8000_0000 | 0, ONESHOT: 0x4000_0000, EXCLUSIVE: 0x1000_0000, WAKEUP: 0x2000_0000 } as const
const Control = { ADD: 1, DEL: 2, MOD: 3 } as const
/** `struct epoll_event` on i386. */
const EVENT_BYTES = 12
/** What may stand beside EPOLLEXCLUSIVE: IN, OUT, ERR, HUP, WAKEUP, ET. */
const EXCLUSIVE_OK = Flag.EXCLUSIVE | Poll.IN | Poll.OUT | Poll.ERR | Poll.HUP | Flag.WAKEUP | Flag.ET
/** In place of what was told: EPOLLONESHOT has told. */
const DISABLED = -1
/** More events than anybody has room for (EP_MAX_EVENTS). */
const MOST_EVENTS = Math.floor(0x7fff_ffff / EVENT_BYTES)
/** Epolls in epolls. */
const DEEPEST = 5

interface Interest {
  readonly fd: number
  readonly file: OpenFile
  events: number
  low: number
  high: number
  /** What was told of an edge-triggered entry, and holds still; and which news of the file had come by then. */
  told: number
  edges: number
}

/** An epoll instance. */
class Epoll extends AnonymousFile {
  protected readonly kind = 'eventpoll'
  /** (Those who wait for the instance itself are woken by the files that it watches: it has them wait there.) */
  readonly queue: WaitQueue = new WaitQueue()
  /** (By descriptor and file: a number may mean another file by now.) */
  readonly #interests = new Set<Interest>()
  readonly #byNumber = new Map<number, Interest[]>()

  constructor(kernel: Kernel) {
    super(kernel, 2)
  }

  override poll(): number {
    for (const interest of this.#live()) if (this.#events(interest) !== 0) return Poll.IN | Poll.RDNORM
    return 0
  }

  #events({ file, events, told, edges }: Interest): number {
    // (Of one that has told once, and tells no more, not even errors are told.)
    if ((events & ~(Flag.ET | Flag.ONESHOT | Flag.EXCLUSIVE | Flag.WAKEUP)) === 0 && told === DISABLED) return 0
    const now = file.poll() & (events | Poll.ERR | Poll.HUP)
    return (events & Flag.ET) !== 0 && file.edges === edges ? now & ~told : now
  }

  /** Those whose files are open still. */
  *#live(): Generator<Interest> {
    for (const interest of this.#interests) {
      if (interest.file.references > 0) yield interest
      else this.#forget(interest)
    }
  }

  #depth(): number {
    let deepest = 0
    for (const { file } of this.#live()) if (file instanceof Epoll) deepest = Math.max(deepest, file.#depth())
    return deepest + 1
  }

  #reaches(other: Epoll): boolean {
    if (other === this) return true
    for (const { file } of this.#live()) if (file instanceof Epoll && file.#reaches(other)) return true
    return false
  }

  control(fd: number, file: OpenFile, operation: number, events: number, low: number, high: number): number {
    const interest = this.#byNumber.get(fd)?.find((known) => known.file === file)
    if (file.file !== undefined && file.file.operations === null) return -Errno.EPERM
    if (file === this) return -Errno.EINVAL
    const isExclusive = operation !== Control.DEL && (events & Flag.EXCLUSIVE) !== 0
    const isRefused = operation === Control.MOD || (events & ~EXCLUSIVE_OK) !== 0 || file instanceof Epoll
    if (isExclusive && isRefused) return -Errno.EINVAL
    if (operation !== Control.ADD && operation !== Control.DEL && operation !== Control.MOD) return -Errno.EINVAL
    if (operation === Control.ADD) {
      if (interest !== undefined) return -Errno.EEXIST
      if (file instanceof Epoll && (file.#reaches(this) || file.#depth() >= DEEPEST)) return -Errno.ELOOP
      this.#remember({ fd, file, events, low, high, told: 0, edges: file.edges })
    } else if (interest === undefined) return -Errno.ENOENT
    else if (operation === Control.DEL) this.#forget(interest)
    else if ((interest.events & Flag.EXCLUSIVE) !== 0) return -Errno.EINVAL
    else Object.assign(interest, { events, low, high, told: 0 })
    this.queue.wake()
    return 0
  }

  #remember(interest: Interest): void {
    this.#interests.add(interest)
    const others = this.#byNumber.get(interest.fd)
    if (others === undefined) this.#byNumber.set(interest.fd, [interest])
    else others.push(interest)
  }

  #forget(interest: Interest): void {
    this.#interests.delete(interest)
    const others = this.#byNumber.get(interest.fd)!.filter((other) => other !== interest)
    if (others.length === 0) this.#byNumber.delete(interest.fd)
    else this.#byNumber.set(interest.fd, others)
  }

  /** Stores events that hold. Answers how many. */
  collect(task: Task, at: number, most: number): number {
    const { memory } = task.kernel
    let count = 0
    const seen: Interest[] = []
    for (const interest of this.#live()) {
      const all = interest.file.poll() & (interest.events | Poll.ERR | Poll.HUP)
      const events = this.#events(interest)
      if (interest.told !== DISABLED) interest.told &= all
      if (events === 0 || count >= most) continue
      if (seen.length === 0) memory.writable(at, 1)
      memory.set32(at + count * EVENT_BYTES, (interest.events & Flag.ET) !== 0 ? all : events)
      memory.set32(at + count * EVENT_BYTES + 4, interest.low)
      memory.set32(at + count * EVENT_BYTES + 8, interest.high)
      interest.told |= all
      interest.edges = interest.file.edges
      if ((interest.events & Flag.ONESHOT) !== 0) {
        interest.events &= Flag.ET | Flag.ONESHOT
        interest.told = DISABLED
      }
      seen.push(interest)
      count++
    }
    // Those that were told come last the next time.
    for (const interest of seen) {
      this.#interests.delete(interest)
      this.#interests.add(interest)
    }
    return count
  }

  /** The task waits for whatever is watched. */
  waitForAll(task: Task): void {
    this.queue.add(task)
    for (const { file } of this.#live()) {
      if (file instanceof Epoll) file.waitForAll(task)
      else file.queue?.add(task)
    }
  }

  protected release(): void {
    this.#interests.clear()
    this.#byNumber.clear()
  }
}

export function epollCreate(task: Task, flags: number): number {
  if ((flags & ~Open.O_CLOEXEC) !== 0) return -Errno.EINVAL
  return install(task, new Epoll(task.kernel), flags)
}

export function epollControl(task: Task, epfd: number, operation: number, fd: number, at: number): number {
  const { memory } = task.kernel
  const epoll = task.files.get(epfd)
  const file = task.files.get(fd)
  const [events, low, high] =
    operation === Control.DEL ? [0, 0, 0] : [memory.get32(at) | 0, memory.get32(at + 4), memory.get32(at + 8)]
  if (epoll === undefined || file === undefined) return -Errno.EBADF
  return epoll instanceof Epoll ? epoll.control(fd, file, operation, events, low, high) : -Errno.EINVAL
}

export function epollWait(task: Task, epfd: number, at: number, most: number, deadline: number | undefined): number {
  const { kernel } = task
  const epoll = task.files.get(epfd)
  if (epoll === undefined) return -Errno.EBADF
  if (!(epoll instanceof Epoll) || most <= 0 || most > MOST_EVENTS || deadline === undefined) return -Errno.EINVAL
  const count = epoll.collect(task, at, most)
  if (count > 0 || kernel.now >= deadline) return count
  const answer = kernel.blockUntil(deadline, undefined, -Errno.EINTR)
  if (answer === Answer.BLOCK) epoll.waitForAll(task)
  return answer
}
