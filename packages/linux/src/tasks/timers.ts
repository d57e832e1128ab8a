/** Timers of the kernel, by virtual time: a heap, in order of time and of being set. */

/** A timer. One that is not set has `index` −1. */
export class Timer {
  when = 0
  order = 0
  index = -1
  readonly fire: () => void

  constructor(fire: () => void) {
    this.fire = fire
  }

  get isSet(): boolean {
    return this.index >= 0
  }
}

/** Nanoseconds that lie between two ends of a timer with a period, at least: shorter periods end several at a time. */
const SHORTEST = 1000

/** When a timer with a period ends next after it has ended, and how many ends were passed over for that. */
export function nextEnd(when: number, period: number, now: number): { next: number; missed: number } {
  const missed = Math.max(0, Math.ceil((now + SHORTEST - when) / period) - 1)
  return { next: when + (missed + 1) * period, missed }
}

/** All timers that are set. Times are nanoseconds of virtual time. */
export class Timers {
  readonly #heap: Timer[] = []
  #order = 0
  /** Told when a timer is the first to come. */
  onEarlier: (when: number) => void = () => {}

  /** When the next one comes; infinity where none is set. */
  get next(): number {
    return this.#heap[0]?.when ?? Number.POSITIVE_INFINITY
  }

  set(timer: Timer, when: number): void {
    this.cancel(timer)
    timer.when = when
    timer.order = this.#order++
    timer.index = this.#heap.length
    this.#heap.push(timer)
    this.#up(timer.index)
    if (this.#heap[0] === timer) this.onEarlier(when)
  }

  cancel(timer: Timer): void {
    const { index } = timer
    if (index < 0) return
    timer.index = -1
    const last = this.#heap.pop()!
    if (last === timer) return
    this.#put(last, index)
    this.#up(index)
    this.#down(last.index)
  }

  /** Fires what has come by `now`. */
  run(now: number): void {
    while (this.#heap.length > 0 && this.#heap[0]!.when <= now) {
      const timer = this.#heap[0]!
      this.cancel(timer)
      timer.fire()
    }
  }

  #before(a: Timer, b: Timer): boolean {
    return a.when < b.when || (a.when === b.when && a.order < b.order)
  }
  #put(timer: Timer, index: number): void {
    this.#heap[index] = timer
    timer.index = index
  }
  #up(index: number): void {
    const timer = this.#heap[index]!
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!this.#before(timer, this.#heap[parent]!)) break
      this.#put(this.#heap[parent]!, index)
      index = parent
    }
    this.#put(timer, index)
  }
  #down(index: number): void {
    const timer = this.#heap[index]!
    for (;;) {
      let child = index * 2 + 1
      if (child >= this.#heap.length) break
      if (child + 1 < this.#heap.length && this.#before(this.#heap[child + 1]!, this.#heap[child]!)) child++
      if (!this.#before(this.#heap[child]!, timer)) break
      this.#put(this.#heap[child]!, index)
      index = child
    }
    this.#put(timer, index)
  }
}
