/** A task as the CPU controller sees it. */
import { type CpuAccount, niceWeights } from './account.ts'
import type { Entity } from './fair-queue.ts'

/** Something that runs on a CPU, with its place in the queues. */
export class Runnable implements Entity {
  account: CpuAccount
  vruntime = 0
  readonly sequence: number
  index = -1
  /** Whether it has a CPU. */
  running = false
  #nice = 0

  constructor(account: CpuAccount, sequence: number) {
    this.account = account
    this.sequence = sequence
  }

  /** −20 to 19, as setpriority(2) has it. */
  get nice(): number {
    return this.#nice
  }

  set nice(nice: number) {
    this.#nice = Math.max(-20, Math.min(19, Math.trunc(nice)))
  }

  /** Where a group of weight 100 is a task of nice 0. */
  get weight(): number {
    return (niceWeights[this.#nice + 20]! * 100) / 1024
  }

  /** Whether it wants a CPU or has one. */
  get active(): boolean {
    return this.running || this.index >= 0
  }
}
