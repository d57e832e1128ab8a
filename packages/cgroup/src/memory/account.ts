/**
 * The memory controller ("Control Group v2", *Memory*): bytes charged by kind, limits on the way up, reclaim by the
 * kernel's hand before a charge fails, and then the choice of whom to kill.
 *
 * Swap is absent.
 */
import { Account } from '../account.ts'
import type { Controlled, Shared } from '../controller.ts'
import { Counter, type CounterOwner, overdrawn } from '../counter.ts'
import { unprotectedBytes } from './protection.ts'

/** What memory is used for, as `memory.stat` tells it apart. Index of {@link MemoryAccount.local}. */
export const MemoryKind = {
  anon: 0,
  /** Page cache of files. */
  file: 1,
  /** Page cache of tmpfs and shared anonymous memory: part of `file` in `memory.stat`, too. */
  shmem: 2,
  kernelStack: 3,
  pageTables: 4,
  sock: 5,
  /** What the kernel can drop: inodes, dentries. */
  slabReclaimable: 6,
  /** What it cannot: pipes, descriptors, tasks. */
  slabUnreclaimable: 7,
} as const

/** One of {@link MemoryKind}. */
export type MemoryKind = (typeof MemoryKind)[keyof typeof MemoryKind]

/** The lines of `memory.events`, in order. */
export const memoryEvents = ['low', 'high', 'max', 'oom', 'oom_kill', 'oom_group_kill'] as const

/** One line of `memory.events`. */
export type MemoryEvent = (typeof memoryEvents)[number]

/** How often each event has been. */
export type MemoryEvents = Record<MemoryEvent, number>

const noEvents = (): MemoryEvents => ({ low: 0, high: 0, max: 0, oom: 0, oom_kill: 0, oom_group_kill: 0 })

/** How often a charge asks for reclaim, and then for a kill, before it fails. */
const RETRIES = 16

/** What the memory controller asks its kernel for. */
export interface MemoryNeeds extends Shared {
  /** Frees memory of this account and below; answers how many bytes have been freed. */
  reclaim(memory: MemoryAccount, bytes: number): number
  /** The account is full and nothing could be reclaimed; answers whether to try again. */
  outOfMemory(memory: MemoryAccount): boolean
}

/** Memory of one group and of all below it. Amounts are bytes. */
export class MemoryAccount extends Account<MemoryAccount, MemoryNeeds> implements CounterOwner {
  readonly counter: Counter<MemoryAccount>
  /** Bytes charged here and not below, by {@link MemoryKind}. */
  readonly local: Float64Array = new Float64Array(Object.keys(MemoryKind).length)
  /** Memory that reclaim leaves alone whatever happens. */
  min = 0
  /** Memory that reclaim leaves alone while there is other. */
  low = 0
  /** Whether a kill takes all processes of the group. */
  oomGroup = false
  /** Events here and below. */
  readonly events: MemoryEvents = noEvents()
  /** Events of this group itself. */
  readonly localEvents: MemoryEvents = noEvents()

  constructor(id: number, group: Controlled, parent: MemoryAccount | null, shared: MemoryNeeds) {
    super(id, group, parent, shared)
    this.counter = new Counter(this as MemoryAccount, parent?.counter ?? null)
  }

  /** Bytes charged here and below. */
  get usage(): number {
    return this.counter.usage
  }

  /**
   * Charges bytes here and above. Where a limit is in the way, the kernel is asked to reclaim and then to kill; if that
   * makes no room the answer is false, nothing is charged, and the guest gets ENOMEM.
   */
  charge(bytes: number, kind: MemoryKind = MemoryKind.anon): boolean {
    if (this.removed) return this.living.charge(bytes, kind)
    const over = this.counter.charge(bytes)
    if (over !== null && !this.#chargeAfterReclaim(bytes, over)) return false
    this.local[kind] += bytes
    return true
  }

  /** Charges bytes without regard to limits: for what must not fail, such as taking over what another account has paid. */
  force(bytes: number, kind: MemoryKind = MemoryKind.anon): void {
    if (this.removed) {
      this.living.force(bytes, kind)
      return
    }
    this.counter.force(bytes)
    this.local[kind] += bytes
  }

  /** Gives bytes back. Throws a `VmexitError` `cgroup-uncharge` if they have not been charged here as this kind. */
  uncharge(bytes: number, kind: MemoryKind = MemoryKind.anon): void {
    if (this.removed) {
      this.living.uncharge(bytes, kind)
      return
    }
    const has = this.local[kind]!
    if (bytes > has) throw overdrawn('memory', this.group.path, has, bytes)
    this.local[kind] = has - bytes
    this.counter.uncharge(bytes)
  }

  /** Bytes of one kind here and below. */
  bytesOf(kind: MemoryKind): number {
    let sum = this.local[kind]!
    for (const child of this.children) sum += child.bytesOf(kind)
    return sum
  }

  /**
   * The most bytes by which this account or one above it is over its `memory.high`: 0 if none. A kernel delays a process
   * of such a group before it goes on.
   */
  get excess(): number {
    let most = 0
    for (let account: MemoryAccount | null = this; account !== null; account = account.parent) {
      most = Math.max(most, account.usage - account.counter.high)
    }
    return most
  }

  /**
   * Bytes that reclaim for the sake of `domain`, this account or one above it, may take: with `low` while there are
   * others to take from; with `min` when there are not.
   */
  unprotected(protection: 'low' | 'min', domain: MemoryAccount): number {
    return unprotectedBytes(this, protection, domain)
  }

  /** Sets `memory.max`. What is above is reclaimed; then processes are killed, until it fits or nothing helps. */
  setMax(max: number): void {
    this.counter.max = max
    for (let tries = 0; this.usage > max && tries < RETRIES; tries++) {
      if (this.shared.reclaim(this, this.usage - max) > 0) continue
      this.record('oom')
      if (!this.shared.outOfMemory(this)) return
    }
  }

  /** Sets `memory.high` and has what is above reclaimed. */
  setHigh(high: number): void {
    this.counter.high = high
    if (this.usage > high) this.shared.reclaim(this, this.usage - high)
  }

  /** Has memory reclaimed because a user asks for it; whether all of it was. */
  reclaim(bytes: number): boolean {
    let left = bytes
    for (let tries = 0; left > 0 && tries < RETRIES; tries++) {
      const freed = this.shared.reclaim(this, left)
      if (freed <= 0) return false
      left -= freed
    }
    return left <= 0
  }

  /** Counts an event here and in all groups above. */
  record(event: MemoryEvent): void {
    this.localEvents[event]++
    this.changed('memory.events.local')
    for (let account: MemoryAccount | null = this; account !== null; account = account.parent) {
      account.events[event]++
      account.changed('memory.events')
    }
  }

  aboveHigh(): void {
    this.record('high')
    this.shared.reclaim(this, this.usage - this.counter.high)
  }

  override remove(): void {
    super.remove()
    const { local } = this.parent!
    for (let kind = 0; kind < local.length; kind++) local[kind]! += this.local[kind]!
    this.local.fill(0)
  }

  #chargeAfterReclaim(bytes: number, full: Counter<MemoryAccount>): boolean {
    let over: Counter<MemoryAccount> | null = full
    let kills = 0
    for (let tries = 0; over !== null; tries++, over = this.counter.charge(bytes)) {
      const account: MemoryAccount = over.owner
      account.record('max')
      if (tries < RETRIES && this.shared.reclaim(account, account.usage + bytes - over.max) > 0) continue
      account.record('oom')
      if (++kills > RETRIES || !this.shared.outOfMemory(account)) return false
    }
    return true
  }
}
