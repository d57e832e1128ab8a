/** Wait queues: tasks that wait for something, first come, first woken. */

/** Who waits: a task. */
export interface Sleeper {
  /** Where it waits. */
  readonly queues: WaitQueue[]
  /** Ends the wait; it leaves all its queues. */
  wake(): void
}

/** Tasks that wait. A task may be in several queues; it leaves all when it is woken. */
export class WaitQueue {
  readonly #tasks = new Set<Sleeper>()
  /** Who is told each time, and waits for nothing. */
  #watchers: Set<() => void> | undefined

  /** How many there are to wake or to tell. */
  get size(): number {
    return this.#tasks.size + (this.#watchers?.size ?? 0)
  }

  watch(told: () => void): void {
    this.#watchers ??= new Set()
    this.#watchers.add(told)
  }
  unwatch(told: () => void): void {
    this.#watchers?.delete(told)
    if (this.#watchers?.size === 0) this.#watchers = undefined
  }

  add(task: Sleeper): void {
    if (this.#tasks.has(task)) return
    this.#tasks.add(task)
    task.queues.push(this)
  }

  remove(task: Sleeper): void {
    this.#tasks.delete(task)
  }

  /** Wakes all, or the first `most`. Answers how many. */
  wake(most: number = Number.POSITIVE_INFINITY): number {
    if (this.#watchers !== undefined) for (const told of [...this.#watchers]) told()
    if (this.#tasks.size === 0) return 0
    if (this.#tasks.size === 1 && most >= 1) {
      for (const task of this.#tasks) task.wake()
      return 1
    }
    let count = 0
    for (const task of [...this.#tasks]) {
      if (count >= most) break
      task.wake()
      count++
    }
    return count
  }
}
