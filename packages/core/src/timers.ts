/** A heap of timers, ordered by time and then by the order in which they were set. */

/** A call that is due at a virtual time. */
export interface ScheduledTimer {
  /** In ticks. */
  readonly time: number
  /** Orders timers of one time: the lower goes first. */
  readonly sequence: number
  readonly wake: (now: number) => void
}

interface Slot {
  readonly timer: ScheduledTimer
  /** Where it is in the heap. */
  index: number
}

/** A binary heap that also removes from its middle, in O(log n): devices re-arm far timers often. */
export class Timers {
  readonly #heap: Slot[] = []
  readonly #slots = new Map<ScheduledTimer, Slot>()

  /** The timer that is due first. */
  get first(): ScheduledTimer | undefined {
    return this.#heap[0]?.timer
  }

  has(timer: ScheduledTimer): boolean {
    return this.#slots.has(timer)
  }

  add(timer: ScheduledTimer): void {
    const slot = { timer, index: this.#heap.length }
    this.#slots.set(timer, slot)
    this.#heap.push(slot)
    this.#rise(slot)
  }

  /** Removes a timer; nothing happens if it is not there. */
  remove(timer: ScheduledTimer): void {
    const slot = this.#slots.get(timer)
    if (slot === undefined) return
    this.#slots.delete(timer)
    const last = this.#heap.pop()!
    if (last === slot) return
    this.#put(last, slot.index)
    this.#rise(last)
    this.#sink(last)
  }

  clear(): void {
    this.#heap.length = 0
    this.#slots.clear()
  }

  #put(slot: Slot, index: number): void {
    this.#heap[index] = slot
    slot.index = index
  }

  #rise(slot: Slot): void {
    while (slot.index > 0) {
      const at = slot.index
      const parent = this.#heap[(at - 1) >> 1]!
      if (!before(slot, parent)) return
      this.#put(slot, parent.index)
      this.#put(parent, at)
    }
  }

  #sink(slot: Slot): void {
    for (;;) {
      const at = slot.index
      const left = this.#heap[2 * at + 1]
      const right = this.#heap[2 * at + 2]
      const child = right !== undefined && before(right, left!) ? right : left
      if (child === undefined || !before(child, slot)) return
      this.#put(slot, child.index)
      this.#put(child, at)
    }
  }
}

function before({ timer: a }: Slot, { timer: b }: Slot): boolean {
  return a.time < b.time || (a.time === b.time && a.sequence < b.sequence)
}
