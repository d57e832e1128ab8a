/** eventfd(2) and timerfd(2). */
import { Open } from '@vmexit/vfs'
import { readTimespec, writeTimespec } from '../abi/i386/structs.ts'
import { Errno } from '../errno.ts'
import type { Kernel, Task } from '../system.ts'
import { clockStart, isWallClock } from '../tasks/time-calls.ts'
import { nextEnd, Timer } from '../tasks/timers.ts'
import { WaitQueue } from '../tasks/wait-queue.ts'
import { AnonymousFile } from './anonymous-file.ts'
import { install } from './control.ts'
import { Poll } from './open-file.ts'

const SEMAPHORE = 1
/** TFD_TIMER_CANCEL_ON_SET. */
const CANCEL_ON_SET = 2
const MOST = 2n ** 64n - 2n
const viewOf = (bytes: Uint8Array, at: number): DataView => new DataView(bytes.buffer, bytes.byteOffset + at, 8)

class EventFd extends AnonymousFile {
  protected readonly kind = 'eventfd'
  readonly queue: WaitQueue = new WaitQueue()
  #count: bigint
  #writes = 0
  readonly #isSemaphore: boolean

  constructor(kernel: Kernel, count: number, flags: number) {
    super(kernel, 2 | (flags & Open.O_NONBLOCK))
    this.#count = BigInt(count)
    this.#isSemaphore = (flags & SEMAPHORE) !== 0
  }
  override read(into: Uint8Array, start: number, length: number): number {
    if (length < 8) return -Errno.EINVAL
    if (this.#count === 0n) return this.kernel.block(this.queue)
    const value = this.#isSemaphore ? 1n : this.#count
    this.#count -= value
    viewOf(into, start).setBigUint64(0, value, true)
    this.queue.wake()
    return 8
  }
  override write(from: Uint8Array, start: number, length: number): number {
    if (length !== 8) return -Errno.EINVAL
    const value = viewOf(from, start).getBigUint64(0, true)
    if (value > MOST) return -Errno.EINVAL
    if (this.#count + value > MOST) return this.kernel.block(this.queue)
    this.#count += value
    this.#writes++
    this.queue.wake()
    return 8
  }
  override get edges(): number {
    return this.#writes
  }
  override poll(): number {
    return (this.#count > 0n ? Poll.IN | Poll.RDNORM : 0) | (this.#count < MOST ? Poll.OUT | Poll.WRNORM : 0)
  }
  protected release(): void {}
}

export function eventfd(task: Task, count: number, flags: number): number {
  if ((flags & ~(SEMAPHORE | Open.O_CLOEXEC | Open.O_NONBLOCK)) !== 0) return -Errno.EINVAL
  return install(task, new EventFd(task.kernel, count, flags), flags)
}

class TimerFd extends AnonymousFile {
  protected readonly kind = 'timerfd'
  readonly queue: WaitQueue = new WaitQueue()
  readonly clock: number
  readonly timer: Timer
  period = 0
  #expirations = 0
  #fired = 0
  /** Told when the clock is set, as long as the time is absolute and by that clock. */
  #clockSet: ((ahead: number) => void) | undefined
  /** It was set, and nobody has been told. */
  #isCancelled = false

  constructor(kernel: Kernel, clock: number, flags: number) {
    super(kernel, Open.O_RDWR | (flags & Open.O_NONBLOCK))
    this.clock = clock
    this.timer = new Timer(() => {
      this.#expirations++
      this.#fired++
      if (this.period > 0) {
        const { next, missed } = nextEnd(this.timer.when, this.period, kernel.now)
        this.#expirations += missed
        kernel.timers.set(this.timer, next)
      }
      this.queue.wake()
    })
  }
  /**
   * `when` undefined is never. `byWallClock`: the time moves with CLOCK_REALTIME, or reading it is cancelled when that is set. Answers as
   * settime does.
   */
  set(when: number | undefined, period: number, byWallClock: 'no' | 'moves' | 'cancels'): number {
    const { timers, time } = this.kernel
    this.#expirations = 0
    this.period = period
    if (when !== undefined) timers.set(this.timer, when)
    else timers.cancel(this.timer)
    if (this.#clockSet !== undefined) time.listeners.delete(this.#clockSet)
    this.#clockSet = undefined
    if (byWallClock !== 'cancels') this.#isCancelled = false
    if (byWallClock === 'no') return 0
    this.#clockSet = (ahead) => {
      if (this.timer.isSet) timers.set(this.timer, this.timer.when - ahead)
      if (byWallClock === 'moves') return
      this.#isCancelled = true
      this.#expirations++
      this.#fired++
      this.queue.wake()
    }
    time.listeners.add(this.#clockSet)
    return when !== undefined && this.#wasCancelled() ? -Errno.ECANCELED : 0
  }
  #wasCancelled(): boolean {
    const was = this.#isCancelled
    this.#isCancelled = false
    return was
  }
  override read(into: Uint8Array, start: number, length: number): number {
    if (length < 8) return -Errno.EINVAL
    if (this.#expirations === 0) return this.kernel.block(this.queue)
    if (this.#wasCancelled()) {
      this.#expirations = 0
      return -Errno.ECANCELED
    }
    viewOf(into, start).setBigUint64(0, BigInt(this.#expirations), true)
    this.#expirations = 0
    return 8
  }
  override get edges(): number {
    return this.#fired
  }
  override poll(): number {
    return this.#expirations > 0 ? Poll.IN | Poll.RDNORM : 0
  }
  protected release(): void {
    this.set(undefined, 0, 'no')
  }
}

export function timerfdCreate(task: Task, clock: number, flags: number): number {
  if (![0, 1, 7, 8, 9].includes(clock) || (flags & ~(Open.O_CLOEXEC | Open.O_NONBLOCK)) !== 0) return -Errno.EINVAL
  return install(task, new TimerFd(task.kernel, clock, flags), flags)
}

export function timerfdSettime(task: Task, fd: number, flags: number, at: number, old: number, wide: boolean): number {
  const { kernel } = task
  const size = wide ? 16 : 8
  const period = readTimespec(kernel.memory, at, wide)
  const value = readTimespec(kernel.memory, at + size, wide)
  const file = task.files.get(fd)
  if ((flags & ~3) !== 0) return -Errno.EINVAL
  if (file === undefined) return -Errno.EBADF
  if (!(file instanceof TimerFd) || period === undefined || value === undefined) return -Errno.EINVAL
  const before = [file.period, file.timer.isSet ? Math.max(1, file.timer.when - kernel.now) : 0] as const
  const absolute = (flags & 1) !== 0
  const when = value === 0 ? undefined : value + (absolute ? clockStart(task, file.clock) : kernel.now)
  const byWallClock = !absolute || !isWallClock(file.clock) ? 'no' : (flags & CANCEL_ON_SET) !== 0 ? 'cancels' : 'moves'
  const answer = file.set(when, period, byWallClock)
  if (answer < 0) return answer
  if (old !== 0) {
    writeTimespec(kernel.memory, old, before[0], wide)
    writeTimespec(kernel.memory, old + size, before[1], wide)
  }
  return 0
}

export function timerfdGettime(task: Task, fd: number, at: number, wide: boolean): number {
  const { kernel } = task
  const file = task.files.get(fd)
  if (file === undefined) return -Errno.EBADF
  if (!(file instanceof TimerFd)) return -Errno.EINVAL
  writeTimespec(kernel.memory, at, file.period, wide)
  writeTimespec(
    kernel.memory,
    at + (wide ? 16 : 8),
    file.timer.isSet ? Math.max(1, file.timer.when - kernel.now) : 0,
    wide,
  )
  return 0
}
