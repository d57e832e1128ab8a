/**
 * Who runs next: fair by weight, in instructions retired (as Linux's CFS is in time). Nothing of the host's time is in it,
 * so the order is the same on every engine and on every host.
 */

/** Weights of nice −20 to 19 (Linux's `sched_prio_to_weight`: each step is a tenth of the CPU). */
const WEIGHTS = Array.from({ length: 40 }, (_, n) => Math.round(1024 / 1.25 ** (n - 20)))

/** What a nice value weighs. */
export function weightOf(nice: number): number {
  return WEIGHTS[nice + 20]!
}

/** What the order of turns needs of a task. */
export interface Runnable {
  /** Virtual run time. */
  runtime: number
  order: number
  /** Place in the heap; −1: in none. */
  heapIndex: number
}

/** Tasks that are ready to run: a heap by virtual run time. */
export class Scheduler<Task extends Runnable> {
  readonly #heap: Task[] = []
  #order = 0
  #floor = 0

  get size(): number {
    return this.#heap.length
  }

  /** Who would be taken. */
  get first(): Task | undefined {
    return this.#heap[0]
  }

  /** A task is ready; after a sleep it is not owed what it slept, beyond a bonus of `slack`. */
  add(task: Task, slack = 0): void {
    if (task.heapIndex >= 0) return
    task.runtime = Math.max(task.runtime, this.#floor - slack)
    task.order = this.#order++
    task.heapIndex = this.#heap.length
    this.#heap.push(task)
    this.#up(task.heapIndex)
  }

  /** The task that has run least takes the CPU. */
  take(): Task | undefined {
    const first = this.#heap[0]
    if (first === undefined) return undefined
    this.remove(first)
    this.#floor = Math.max(this.#floor, first.runtime)
    return first
  }

  remove(task: Task): void {
    const index = task.heapIndex
    if (index < 0) return
    task.heapIndex = -1
    const last = this.#heap.pop()!
    if (last === task) return
    this.#heap[index] = last
    last.heapIndex = index
    this.#up(index)
    this.#down(last.heapIndex)
  }

  #before(a: Task, b: Task): boolean {
    return a.runtime < b.runtime || (a.runtime === b.runtime && a.order < b.order)
  }
  #put(task: Task, index: number): void {
    this.#heap[index] = task
    task.heapIndex = index
  }
  #up(index: number): void {
    const task = this.#heap[index]!
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!this.#before(task, this.#heap[parent]!)) break
      this.#put(this.#heap[parent]!, index)
      index = parent
    }
    this.#put(task, index)
  }
  #down(index: number): void {
    const task = this.#heap[index]!
    for (;;) {
      let child = index * 2 + 1
      if (child >= this.#heap.length) break
      if (child + 1 < this.#heap.length && this.#before(this.#heap[child + 1]!, this.#heap[child]!)) child++
      if (!this.#before(this.#heap[child]!, task)) break
      this.#put(this.#heap[child]!, index)
      index = child
    }
    this.#put(task, index)
  }
}
