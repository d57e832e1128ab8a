/**
 * The locks on one inode: record locks of processes and of open files (fcntl(2)), and flock(2). An answer of NOT_YET is
 * *blocked*: the caller waits and asks again, and is woken when a lock of the inode goes.
 */
import { Errno, NOT_YET } from '../errno.ts'
import { blockedBy, type LockWaits } from './lock-waits.ts'

/** What a record lock does: F_RDLCK, F_WRLCK, F_UNLCK. */
export const LockType = { F_RDLCK: 0, F_WRLCK: 1, F_UNLCK: 2 } as const

/** What flock(2) does. */
export const Flock = { LOCK_SH: 1, LOCK_EX: 2, LOCK_NB: 4, LOCK_UN: 8 } as const

/** A record lock: bytes `start` to before `end`, which is infinite for *to the end of the file, wherever that is*. */
export interface RecordLock {
  /** The process that holds it, or the open file: any object that stands for it. */
  readonly owner: object
  readonly type: number
  readonly start: number
  readonly end: number
}

/** The locks of one inode. */
export class FileLocks {
  /** By owner, and in it by start. Locks of one owner do not overlap, and neighbours of one type are one. */
  readonly #records = new Map<object, RecordLock[]>()
  readonly #flocks = new Map<object, number>()
  readonly #waits: LockWaits
  /** Who waits, to be woken when a lock goes. */
  readonly #wake = new Set<() => void>()

  constructor(waits: LockWaits) {
    this.#waits = waits
  }

  /** The lock of another owner that is in the way of one, or `undefined`: F_GETLK. */
  conflict({ owner, type, start, end }: RecordLock): RecordLock | undefined {
    let first: RecordLock | undefined
    for (const [other, locks] of this.#records) {
      if (other === owner) continue
      for (const lock of locks) {
        if (lock.end <= start || lock.start >= end) continue
        if (type === LockType.F_RDLCK && lock.type === LockType.F_RDLCK) continue
        if (first === undefined || lock.start < first.start) first = lock
      }
    }
    return first
  }

  /**
   * Sets or removes a lock. Where another's is in the way EAGAIN, or with `wake`, which is called once when it is worth
   * trying again, NOT_YET; EDEADLK if the owner of that one waits for this owner. Open files as owners wait for nobody:
   * `detect` is false.
   */
  set(lock: RecordLock, wake?: () => void, detect = true): number {
    this.#waits.delete(lock.owner)
    const { owner, type, start, end } = lock
    if (type !== LockType.F_UNLCK) {
      const other = this.conflict(lock)
      if (other !== undefined) {
        if (wake === undefined) return -Errno.EAGAIN
        if (detect) {
          if (blockedBy(this.#waits, other.owner, owner)) return -Errno.EDEADLK
          this.#waits.set(owner, () => this.conflict(lock)?.owner)
        }
        this.#wake.add(wake)
        return NOT_YET
      }
    }
    const kept = (this.#records.get(owner) ?? []).flatMap((held) => outside(held, start, end))
    if (type !== LockType.F_UNLCK) kept.push(lock)
    kept.sort((a, b) => a.start - b.start)
    const joined = join(kept)
    if (joined.length > 0) this.#records.set(owner, joined)
    else this.#records.delete(owner)
    this.#wakeAll()
    return 0
  }

  /** Whether an owner has record locks. */
  holds(owner: object): boolean {
    return this.#records.has(owner)
  }

  /** Removes all record locks of an owner: it has closed the file. */
  releaseRecords(owner: object): void {
    this.#waits.delete(owner)
    if (this.#records.delete(owner)) this.#wakeAll()
  }

  /** flock(2) of an open file: EAGAIN, NOT_YET or 0. Another kind of lock is taken by giving up the one held first. */
  flock(file: object, operation: number, wake?: () => void): number {
    const wanted = operation & ~Flock.LOCK_NB
    const held = this.#flocks.get(file)
    if (wanted === Flock.LOCK_UN) {
      if (this.#flocks.delete(file)) this.#wakeAll()
      return 0
    }
    if (wanted !== Flock.LOCK_SH && wanted !== Flock.LOCK_EX) return -Errno.EINVAL
    if (held === wanted) return 0
    if (held !== undefined) {
      this.#flocks.delete(file)
      this.#wakeAll()
    }
    for (const type of this.#flocks.values()) {
      if (wanted === Flock.LOCK_SH && type === Flock.LOCK_SH) continue
      if (operation & Flock.LOCK_NB || wake === undefined) return -Errno.EAGAIN
      this.#wake.add(wake)
      return NOT_YET
    }
    this.#flocks.set(file, wanted)
    return 0
  }

  /** All record locks, as /proc/locks shows them. */
  records(): RecordLock[] {
    return [...this.#records.values()].flat()
  }

  #wakeAll(): void {
    const waiting = [...this.#wake]
    this.#wake.clear()
    for (const wake of waiting) wake()
  }
}

/** What of a lock lies outside a range. */
function outside(lock: RecordLock, start: number, end: number): RecordLock[] {
  if (lock.end <= start || lock.start >= end) return [lock]
  const parts: RecordLock[] = []
  if (lock.start < start) parts.push({ ...lock, end: start })
  if (lock.end > end) parts.push({ ...lock, start: end })
  return parts
}

/** Makes one of neighbours of one type. */
function join(sorted: readonly RecordLock[]): RecordLock[] {
  const joined: RecordLock[] = []
  for (const lock of sorted) {
    const last = joined.at(-1)
    if (last !== undefined && last.end === lock.start && last.type === lock.type) {
      joined[joined.length - 1] = { ...last, end: lock.end }
    } else joined.push(lock)
  }
  return joined
}
