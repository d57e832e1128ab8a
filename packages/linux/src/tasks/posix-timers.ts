/** Timers that send signals: timer_create(2), timer_settime(2), timer_gettime(2), timer_getoverrun(2), timer_delete(2). */
import { readTimespec, writeTimespec } from '../abi/i386/structs.ts'
import { Errno } from '../errno.ts'
import { Code, type SignalInfo } from '../signals/queue.ts'
import { sendToProcess, sendToTask } from '../signals/send.ts'
import { Signal } from '../signals/set.ts'
import type { Kernel, Process, Task } from '../system.ts'
import { type CpuClock, cpuClockOf, cpuTime, hasEnded } from './cpu-clock.ts'
import { CpuTimer } from './cpu-timers.ts'
import { Limit } from './limits.ts'
import { taskOf } from './numbers.ts'
import { clockStart, hasTimers, isWallClock } from './time-calls.ts'
import { nextEnd, Timer } from './timers.ts'

const Notify = { SIGNAL: 0, NONE: 1, THREAD: 2, THREAD_ID: 4 } as const
const ABSOLUTE = 1
/** DELAYTIMER_MAX. */
const MOST_OVERRUNS = 0x7fff_ffff

/** What a timer counts by: virtual time or CPU time, in nanoseconds. */
interface Countdown {
  readonly when: number
  readonly isSet: boolean
  now(): number
  /** False where nothing counts any more. */
  set(when: number): boolean
  cancel(): void
}

function byVirtualTime(kernel: Kernel, fire: () => void): Countdown {
  const timer = new Timer(fire)
  return {
    get when() {
      return timer.when
    },
    get isSet() {
      return timer.isSet
    },
    now: () => kernel.now,
    set(when) {
      kernel.timers.set(timer, when)
      return true
    },
    cancel: () => kernel.timers.cancel(timer),
  }
}

function byCpuTime(clock: CpuClock, owner: Process, fire: () => void): Countdown {
  const timer = new CpuTimer(clock, owner, fire)
  return {
    get when() {
      return timer.when
    },
    get isSet() {
      return timer.isSet && !hasEnded(clock)
    },
    now: () => cpuTime(clock),
    set(when) {
      if (hasEnded(clock)) return false
      timer.set(when)
      return true
    },
    cancel: () => timer.cancel(),
  }
}

/** Of a timer that tells nobody when it ends (SIGEV_NONE): it keeps no more than when that is. */
function silent(kernel: Kernel, clock: CpuClock | undefined): Countdown {
  let end: number | undefined
  const ended = (): boolean => clock !== undefined && hasEnded(clock)
  return {
    get when() {
      return end ?? 0
    },
    get isSet() {
      return end !== undefined && !ended()
    },
    now: () => (clock === undefined ? kernel.now : cpuTime(clock)),
    set(when) {
      if (ended()) return false
      end = when
      return true
    },
    cancel: () => {
      end = undefined
    },
  }
}

/** A timer. Of one whose signal waits still, ends are counted: overruns. */
class PosixTimer {
  readonly id: number
  readonly proc: Process
  readonly clock: number
  readonly countdown: Countdown
  period = 0
  /** Of the signal that was delivered last. */
  overrun = 0
  readonly #signal: number
  readonly #value: number
  /** The thread that is told; without, the process is. */
  readonly #thread: Task | undefined
  /** What was sent and waits, and how often the timer has ended since. */
  #sent: { info: SignalInfo; overrun: number } | undefined
  readonly #clockSet = (ahead: number): void => {
    if (this.countdown.isSet) this.countdown.set(this.countdown.when - ahead)
  }

  constructor(id: number, task: Task, clock: number, signal: number, value: number, thread: Task | undefined) {
    const { kernel } = task
    this.id = id
    this.proc = task.process
    this.clock = clock
    this.#signal = signal
    this.#value = value
    this.#thread = thread
    const fire = (): void => {
      if (this.period === 0) {
        this.#fire(0)
        return
      }
      const { countdown } = this
      const { next, missed } = nextEnd(countdown.when, this.period, countdown.now())
      this.#fire(missed)
      countdown.set(next)
    }
    const ofCpu = cpuClockOf(task, clock)
    if (signal === 0) this.countdown = silent(kernel, ofCpu)
    else this.countdown = ofCpu === undefined ? byVirtualTime(kernel, fire) : byCpuTime(ofCpu, this.proc, fire)
  }

  /** It has ended, and `missed` times more. */
  #fire(missed: number): void {
    const waiting = (this.#thread ?? this.proc).pending.find(this.#signal)
    if (this.#sent !== undefined && waiting === this.#sent.info) {
      this.#sent.overrun = Math.min(MOST_OVERRUNS, this.#sent.overrun + 1 + missed)
      this.overrun = this.#sent.overrun
      return
    }
    const sent = { overrun: Math.min(MOST_OVERRUNS, missed), info: undefined as never as SignalInfo }
    const { id } = this
    sent.info = {
      signal: this.#signal,
      code: Code.SI_TIMER,
      timer: id,
      value: this.#value,
      get overrun() {
        return sent.overrun
      },
    }
    this.#sent = sent
    this.overrun = sent.overrun
    if (this.#thread !== undefined) sendToTask(this.#thread, sent.info)
    else sendToProcess(this.proc, sent.info)
  }

  /**
   * `when` is by the countdown, and undefined for never. `isByWallClock`: the time moves when that is set. False where the clock has
   * ended.
   */
  set(when: number | undefined, period: number, isByWallClock = false): boolean {
    this.period = when === undefined ? 0 : period
    // A signal of before is not sent any more.
    if (this.#sent !== undefined) {
      const { pending } = this.#thread ?? this.proc
      if (pending.find(this.#signal) === this.#sent.info) pending.take(this.#signal)
      this.#sent = undefined
    }
    this.end()
    if (isByWallClock && when !== undefined) this.proc.leader.kernel.time.listeners.add(this.#clockSet)
    return when === undefined || this.countdown.set(when)
  }

  /** What is left until it ends, and its period, in nanoseconds. */
  get left(): { value: number; period: number } {
    const { countdown, period } = this
    if (!countdown.isSet) return { value: 0, period }
    const value = countdown.when - countdown.now()
    if (value > 0) return { value, period }
    // What tells nobody has not been set anew, or is over; anything else fires at once.
    if (this.#signal !== 0) return { value: 1, period }
    return { value: period === 0 ? 0 : period - (-value % period), period }
  }

  end(): void {
    this.countdown.cancel()
    this.proc.leader.kernel.time.listeners.delete(this.#clockSet)
  }
}

function timerOf(task: Task, id: number): PosixTimer | undefined {
  const timer = task.process.timers.get(id)
  return timer instanceof PosixTimer ? timer : undefined
}

/** `struct sigevent` at `event`, or 0: SIGALRM, with the timer's number as value. */
export function timerCreate(task: Task, clock: number, event: number, at: number): number {
  const { memory } = task.kernel
  const word = (n: number): number => memory.get32(event + n * 4) | 0
  const [value, signal, notify, tid] =
    event === 0 ? [0, Signal.SIGALRM, Notify.SIGNAL, 0] : [word(0), word(1), word(2), word(3)]
  const isPossible = hasTimers(task, clock)
  if (isPossible === undefined) return -Errno.EINVAL
  if (!isPossible) return -Errno.EOPNOTSUPP
  if (notify !== Notify.NONE && (signal! < 1 || signal! > 64)) return -Errno.EINVAL
  if (notify !== Notify.SIGNAL && notify !== Notify.NONE && notify !== Notify.THREAD && notify !== Notify.THREAD_ID)
    return -Errno.EINVAL
  const thread = notify === Notify.THREAD_ID ? taskOf(task, tid!) : undefined
  if (notify === Notify.THREAD_ID && thread?.process !== task.process) return -Errno.EINVAL
  if (task.process.timers.size >= task.process.limits.soft[Limit.SIGPENDING]!) return -Errno.EAGAIN
  let id = 0
  while (task.process.timers.has(id)) id++
  memory.set32(at, id)
  const what = notify === Notify.NONE ? 0 : signal!
  task.process.timers.set(id, new PosixTimer(id, task, clock, what, event === 0 ? id : value!, thread))
  return 0
}

export function timerSettime(task: Task, id: number, flags: number, at: number, old: number, wide: boolean): number {
  const { kernel } = task
  if (at === 0) return -Errno.EINVAL
  const period = readTimespec(kernel.memory, at, wide)
  const value = readTimespec(kernel.memory, at + (wide ? 16 : 8), wide)
  const timer = timerOf(task, id)
  if (period === undefined || value === undefined || timer === undefined) return -Errno.EINVAL
  const before = timer.left
  const isAbsolute = (flags & ABSOLUTE) !== 0
  const start = isAbsolute ? clockStart(task, timer.clock) : timer.countdown.now()
  const isByWallClock = isAbsolute && isWallClock(timer.clock)
  if (!timer.set(value === 0 ? undefined : start + value, period, isByWallClock)) return -Errno.ESRCH
  if (old !== 0) write(task, old, before, wide)
  return 0
}

export function timerGettime(task: Task, id: number, at: number, wide: boolean): number {
  const timer = timerOf(task, id)
  if (timer === undefined) return -Errno.EINVAL
  write(task, at, timer.left, wide)
  return 0
}

function write(task: Task, at: number, { value, period }: { value: number; period: number }, wide: boolean): void {
  const { memory } = task.kernel
  writeTimespec(memory, at, period, wide)
  writeTimespec(memory, at + (wide ? 16 : 8), value, wide)
}

export function timerGetoverrun(task: Task, id: number): number {
  return timerOf(task, id)?.overrun ?? -Errno.EINVAL
}

export function timerDelete(task: Task, id: number): number {
  const timer = timerOf(task, id)
  if (timer === undefined) return -Errno.EINVAL
  timer.set(undefined, 0)
  task.process.timers.delete(id)
  return 0
}

/** exec and the end of a process: its timers end. */
export function endTimers(proc: Process): void {
  for (const timer of proc.timers.values()) timer.end()
  proc.timers.clear()
}
