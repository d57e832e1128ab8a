/** A heap of timers, ordered by time and then by the order in which they were set. */

/** A call that is due at a virtual time. */
export interface ScheduledTimer {
  /** In ticks. */
  readonly time: number
  /** Orders timers of one time: the lower goes first. */
  readonly sequence: number
  readonly wake: (now: number) => void
  /** Where it is in the heap; −1 where it is in none. The heap's to set. */
  index: number
}

/** A binary heap that also removes from its middle, in O(log n): devices re-arm far timers often. */
export class Timers {
  readonly #heap: ScheduledTimer[] = []

  /** The timer that is due first. */
  get first(): ScheduledTimer | undefined {
    return this.#heap[0]
  }

  add(timer: ScheduledTimer): void {
    this.#put(timer, this.#heap.length)
    this.#rise(timer)
  }

  /** Removes a timer; nothing happens if it is not there. */
  remove(timer: ScheduledTimer): void {
    const { index } = timer
    if (index < 0) return
    timer.index = -1
    const last = this.#heap.pop()!
    if (last === timer) return
    this.#put(last, index)
    this.#rise(last)
    this.#sink(last)
  }

  clear(): void {
    for (const timer of this.#heap) timer.index = -1
    this.#heap.length = 0
  }

  #put(timer: ScheduledTimer, index: number): void {
    this.#heap[index] = timer
    timer.index = index
  }

  #rise(timer: ScheduledTimer): void {
    while (timer.index > 0) {
      const at = timer.index
      const parent = this.#heap[(at - 1) >> 1]!
      if (!before(timer, parent)) return
      this.#put(timer, parent.index)
      this.#put(parent, at)
    }
  }

  #sink(timer: ScheduledTimer): void {
    for (;;) {
      const at = timer.index
      const left = this.#heap[2 * at + 1]
      const right = this.#heap[2 * at + 2]
      const child = right !== undefined && before(right, left!) ? right : left
      if (child === undefined || !before(child, timer)) return
      this.#put(timer, child.index)
      this.#put(child, at)
    }
  }
}

function before(a: ScheduledTimer, b: ScheduledTimer): boolean {
  return a.time < b.time || (a.time === b.time && a.sequence < b.sequence)
}
