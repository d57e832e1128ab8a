/**
 * Who runs next, and for how long: at each level of the tree the entity that has run least for its weight, down to a
 * thread ("Control Group v2", *CPU*). Whoever is picked leaves the queues until it is put back, so that several CPUs may
 * pick. Times are nanoseconds of virtual time; a kernel that counts instructions has converted them.
 */
import type { Activity } from '../pressure.ts'
import type { Group, Thread } from '../tree/group.ts'
import { CpuAccount } from './account.ts'
import type { Entity } from './fair-queue.ts'

/** What {@link Scheduler.pick} found. */
export interface Pick {
  readonly thread: Thread
  /** How long it may run until a quota on its way up is used up; Infinity without one. */
  readonly until: number
}

/** The CPU's queue for a hierarchy. */
export class Scheduler {
  readonly #root: CpuAccount
  readonly #now: () => number
  readonly #throttled: Set<CpuAccount> = new Set()
  /** When the first of them may be throttled no longer. */
  #due: number = Number.POSITIVE_INFINITY

  constructor(root: CpuAccount, now: () => number) {
    this.#root = root
    this.#now = now
  }

  /**
   * The thread wants a CPU. One that has slept starts with those that have waited longest, or before them by at most `bonus` of its
   * time: who sleeps often is to be answered soon.
   */
  wake(thread: Thread, bonus = 0): void {
    if (thread.active || !thread.alive) return
    thread.vruntime = Math.max(thread.vruntime, thread.account.queue.floor - (bonus * 100) / thread.weight)
    this.#activate(thread.account, 1)
    thread.account.enter(thread)
    this.#becomes(thread, 'waiting')
  }

  /**
   * Whether `woken` should take the CPU from `running` at once: where their ways up the tree meet, it has run less by more than `margin`.
   * What the running thread has used must have been charged.
   */
  preempts(woken: Thread, running: Thread, margin: number): boolean {
    let [one, other]: [Entity, Entity] = [woken, running]
    let [above, aboveOther]: [CpuAccount, CpuAccount] = [woken.account, running.account]
    for (let more = depthOf(above) - depthOf(aboveOther); more > 0; more--) [one, above] = [above, above.parent!]
    for (let more = depthOf(aboveOther) - depthOf(above); more > 0; more--)
      [other, aboveOther] = [aboveOther, aboveOther.parent!]
    while (above !== aboveOther) {
      ;[one, above] = [above, above.parent!]
      ;[other, aboveOther] = [aboveOther, aboveOther.parent!]
    }
    return one.vruntime + margin < other.vruntime
  }

  /** The thread does not want a CPU, whether it had one or not. */
  sleep(thread: Thread, why: 'idle' | 'io' | 'memory' = 'idle'): void {
    if (thread.active) {
      if (!thread.running) thread.account.leave(thread)
      thread.running = false
      this.#activate(thread.account, -1)
    }
    this.#becomes(thread, why)
  }

  /**
   * Takes the next thread for a CPU; undefined if none may run there. `cpu` is the number of the CPU, and is asked of
   * cpusets; `allowed` is the kernel's own say, such as an affinity.
   */
  pick(cpu?: number, allowed?: (thread: Thread) => boolean): Pick | undefined {
    const now = this.#now()
    this.#unthrottle(now)
    const free = cpu === undefined && allowed === undefined
    const may = (thread: Thread): boolean =>
      (cpu === undefined || thread.process.group.cpuset.allows(cpu)) && (allowed?.(thread) ?? true)
    const thread = free ? first(this.#root) : firstOf(this.#root, may)
    if (thread === undefined) return undefined
    let until = Number.POSITIVE_INFINITY
    let entity: Entity = thread
    for (let account: CpuAccount | null = thread.account; account !== null; account = account.parent) {
      until = Math.min(until, account.bandwidth.remaining(now))
      account.queue.floor = Math.max(account.queue.floor, entity.vruntime)
      entity = account
    }
    thread.account.leave(thread)
    thread.running = true
    this.#becomes(thread, 'running')
    return { thread, until }
  }

  /** A running thread has used CPU time; `system` of it, or all the rest, in the kernel. */
  charge(thread: Thread, user: number, system = 0): void {
    const now = this.#now()
    const { cpuTime } = thread.process.group
    cpuTime.user += user
    cpuTime.system += system
    const time = user + system
    thread.vruntime += (time * 100) / thread.weight
    thread.account.queue.ran(thread)
    for (let account: CpuAccount | null = thread.account; account !== null; account = account.parent) {
      account.vruntime += (time * 100) / account.weight
      account.parent?.queue.ran(account)
      if (account.bandwidth.use(time, now)) this.#throttle(account)
    }
  }

  /** A running thread gives the CPU up, and wants it again. */
  put(thread: Thread): void {
    if (!thread.running) return
    thread.running = false
    thread.account.enter(thread)
    this.#becomes(thread, 'waiting')
  }

  /** When a throttled group may run again; Infinity if none is throttled. With nothing to pick, time may go there. */
  get due(): number {
    return this.#due
  }

  /** The thread's group has another CPU account now: it goes over, and starts there as one that wakes. */
  rehome(thread: Thread, account: CpuAccount): void {
    if (thread.account === account) return
    const { active, running } = thread
    if (active) {
      if (!running) thread.account.leave(thread)
      this.#activate(thread.account, -1)
    }
    thread.vruntime = account.queue.floor
    thread.account = account
    if (!active) return
    this.#activate(account, 1)
    if (!running) account.enter(thread)
  }

  /** After a restore: the thread does what it did. */
  resumeThread(thread: Thread, activity: Activity): void {
    thread.activity = activity
    thread.process.group.pressure.resume(activity)
    thread.running = activity === 'running'
    if (!thread.running && activity !== 'waiting') return
    for (let account: CpuAccount | null = thread.account; account !== null; account = account.parent) account.active++
    if (!thread.running) thread.account.enter(thread)
  }

  /** After a restore: the groups that were throttled. */
  resume(root: Group): void {
    for (const group of root.subtree()) {
      if (group.has('cpu') && group.cpu.bandwidth.throttled) this.#throttled.add(group.cpu)
    }
    this.#setDue()
  }

  #activate(from: CpuAccount, threads: number): void {
    for (let account: CpuAccount | null = from; account !== null; account = account.parent) {
      const { parent } = account
      if (account.active === 0 && threads > 0 && parent !== null)
        account.vruntime = Math.max(account.vruntime, parent.queue.floor)
      account.active += threads
    }
  }

  #becomes(thread: Thread, activity: Thread['activity']): void {
    if (thread.activity === activity) return
    thread.process.group.pressure.shift(thread.activity, activity, this.#now())
    thread.activity = activity
  }

  #throttle(account: CpuAccount): void {
    this.#throttled.add(account)
    this.#due = Math.min(this.#due, account.bandwidth.due)
    account.join()
  }

  #unthrottle(now: number): void {
    if (now < this.#due) return
    for (const account of this.#throttled) {
      account.bandwidth.refill(now)
      if (account.bandwidth.throttled) continue
      this.#throttled.delete(account)
      account.join()
    }
    this.#setDue()
  }

  #setDue(): void {
    this.#due = Number.POSITIVE_INFINITY
    for (const { bandwidth } of this.#throttled) this.#due = Math.min(this.#due, bandwidth.due)
  }
}

function depthOf(account: CpuAccount): number {
  let depth = 0
  for (let at = account.parent; at !== null; at = at.parent) depth++
  return depth
}

function first(root: CpuAccount): Thread | undefined {
  let entity = root.queue.first
  while (entity instanceof CpuAccount) entity = entity.queue.first
  return entity as Thread | undefined
}

/** The first by virtual runtimes that is allowed, level by level. */
function firstOf(account: CpuAccount, allowed: (thread: Thread) => boolean): Thread | undefined {
  for (const entity of account.queue.inOrder()) {
    if (entity instanceof CpuAccount) {
      const thread = firstOf(entity, allowed)
      if (thread !== undefined) return thread
    } else if (allowed(entity as Thread)) return entity as Thread
  }
  return undefined
}
