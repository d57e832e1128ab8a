/** The CPU controller's part of a group: its weight against its siblings, its quota, and the queue of what is below. */
import { Account } from '../account.ts'
import { Bandwidth } from './bandwidth.ts'
import { type Entity, FairQueue } from './fair-queue.ts'

/** What {@link CpuAccount} and its file say of nice values: the weight of each, from −20 to 19, at 1024 for 0. */
// biome-ignore format: a table
export const niceWeights: readonly number[] = [
  88761, 71755, 56483, 46273, 36291, 29154, 23254, 18705, 14949, 11916,
  9548, 7620, 6100, 4904, 3906, 3121, 2501, 1991, 1586, 1277,
  1024, 820, 655, 526, 423, 335, 272, 215, 172, 137,
  110, 87, 70, 56, 45, 36, 29, 23, 18, 15,
]

/** A group among its siblings. */
export class CpuAccount extends Account<CpuAccount> implements Entity {
  /** `cpu.weight`: 1 to 10000. */
  weight = 100
  readonly bandwidth: Bandwidth = new Bandwidth()
  vruntime = 0
  index = -1
  /** Tasks of this group and groups below it that want a CPU and have none. */
  readonly queue: FairQueue<Entity> = new FairQueue()
  /** Tasks here and below that want a CPU or have one. */
  active = 0

  get sequence(): number {
    return this.id
  }

  get now(): number {
    return this.shared.now()
  }

  /** Whether the CPU may go to something in its queue. */
  get eligible(): boolean {
    return this.queue.length > 0 && !this.bandwidth.throttled
  }

  /** Something here wants the CPU. */
  enter(entity: Entity): void {
    this.queue.add(entity)
    this.join()
  }

  /** It does not any more, or may not. */
  leave(entity: Entity): void {
    this.queue.remove(entity)
    if (this.queue.length === 0) this.parent?.leave(this)
  }

  /** Takes its place among its siblings if the CPU may go to it, and gives it up if not. */
  join(): void {
    if (this.eligible) this.parent?.enter(this)
    else this.parent?.leave(this)
  }

  /** Sets `cpu.max` and its burst: nanoseconds, Infinity for no quota. */
  setBandwidth(quota: number, period: number, burst: number): void {
    this.bandwidth.set(quota, period, burst, this.now)
    this.join()
  }
}
