/** The pids controller ("Control Group v2", *PID*): how many tasks, threads included, live or wait to be reaped. */
import { Account } from '../account.ts'
import type { Controlled, Shared } from '../controller.ts'
import { Counter, type CounterOwner, overdrawn } from '../counter.ts'

/** Tasks of one group and of all below it. */
export class PidsAccount extends Account<PidsAccount> implements CounterOwner {
  readonly counter: Counter<PidsAccount>
  /** Tasks charged here and not below. */
  local = 0
  /** Forks refused by the limit of this group or of one below. */
  refusals = 0
  /** Forks refused by the limit of this group. */
  localRefusals = 0

  constructor(id: number, group: Controlled, parent: PidsAccount | null, shared: Shared) {
    super(id, group, parent, shared)
    this.counter = new Counter(this as PidsAccount, parent?.counter ?? null)
  }

  /** Tasks charged here and below. */
  get usage(): number {
    return this.counter.usage
  }

  /** Charges new tasks. Where a limit is in the way nothing is charged, and fork answers EAGAIN. */
  charge(tasks = 1): boolean {
    if (this.removed) return this.living.charge(tasks)
    const over = this.counter.charge(tasks)
    if (over !== null) {
      over.owner.#refused()
      return false
    }
    this.local += tasks
    return true
  }

  /** Charges tasks that move in: no limit keeps them out. */
  force(tasks: number): void {
    if (this.removed) {
      this.living.force(tasks)
      return
    }
    this.counter.force(tasks)
    this.local += tasks
  }

  /** Gives tasks back. Throws a `VmexitError` `cgroup-uncharge` if they have not been charged here. */
  uncharge(tasks = 1): void {
    if (this.removed) {
      this.living.uncharge(tasks)
      return
    }
    if (tasks > this.local) throw overdrawn('pids', this.group.path, this.local, tasks)
    this.local -= tasks
    this.counter.uncharge(tasks)
  }

  aboveHigh(): void {}

  override remove(): void {
    super.remove()
    this.parent!.local += this.local
    this.local = 0
  }

  #refused(): void {
    this.localRefusals++
    this.changed('pids.events.local')
    for (let account: PidsAccount | null = this; account !== null; account = account.parent) {
      account.refusals++
      account.changed('pids.events')
    }
  }
}
