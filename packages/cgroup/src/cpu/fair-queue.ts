/**
 * Who has run least for its weight: a heap of entities by virtual runtime. Tasks and groups are entities alike; each
 * group has a queue of its own for what is below it.
 */

/** What competes for CPU time in a queue. */
export interface Entity {
  /** CPU time so far, in nanoseconds at the weight of 100. */
  vruntime: number
  /** Orders entities that have run equally long: the one that came first. */
  readonly sequence: number
  /** Where it is in the heap of its queue; −1 where it is in none. The queue's to set. */
  index: number
}

/** A queue of entities that want the CPU. */
export class FairQueue<E extends Entity> {
  readonly #heap: E[] = []
  /** The virtual runtime of whom was picked last: who wakes starts no lower, so that sleep saves up no time. */
  floor = 0

  get length(): number {
    return this.#heap.length
  }

  /** Who has run least. */
  get first(): E | undefined {
    return this.#heap[0]
  }

  add(entity: E): void {
    if (entity.index >= 0) return
    this.#put(entity, this.#heap.length)
    this.#rise(entity)
  }

  remove(entity: E): void {
    const { index } = entity
    if (index < 0) return
    const last = this.#heap.pop()!
    entity.index = -1
    if (last === entity) return
    this.#put(last, index)
    this.#rise(last)
    this.#sink(last)
  }

  /** The entity's virtual runtime has grown. */
  ran(entity: E): void {
    if (entity.index >= 0) this.#sink(entity)
  }

  /** All, who has run least first: for a choice among some. */
  inOrder(): E[] {
    return [...this.#heap].sort((a, b) => (before(a, b) ? -1 : 1))
  }

  #put(entity: E, index: number): void {
    this.#heap[index] = entity
    entity.index = index
  }

  #rise(entity: E): void {
    for (let { index } = entity; index > 0; ) {
      const above = (index - 1) >> 1
      const other = this.#heap[above]!
      if (!before(entity, other)) return
      this.#put(other, index)
      this.#put(entity, above)
      index = above
    }
  }

  #sink(entity: E): void {
    const heap = this.#heap
    for (let { index } = entity; ; ) {
      let below = 2 * index + 1
      if (below >= heap.length) return
      if (below + 1 < heap.length && before(heap[below + 1]!, heap[below]!)) below++
      const other = heap[below]!
      if (!before(other, entity)) return
      this.#put(other, index)
      this.#put(entity, below)
      index = below
    }
  }
}

const before = (a: Entity, b: Entity): boolean =>
  a.vruntime < b.vruntime || (a.vruntime === b.vruntime && a.sequence < b.sequence)
