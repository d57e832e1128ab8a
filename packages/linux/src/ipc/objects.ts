/** What System V objects have in common: keys, numbers, owners and permissions (sysvipc(7)). */
import { Errno } from '../errno.ts'
import type { IpcNamespace } from '../namespaces/ipc.ts'
import type { Task } from '../system.ts'
import { Cap } from '../tasks/capabilities.ts'

/** Flags of the calls that get objects, and commands of those that control them. */
export const Ipc = {
  CREAT: 0o1000,
  EXCL: 0o2000,
  NOWAIT: 0o4000,
  RMID: 0,
  SET: 1,
  STAT: 2,
  INFO: 3,
  IPC_64: 0x100,
} as const
/** The key that no object has. */
const PRIVATE = 0
/** Numbers are an index and, above it, how often that was used. */
const INDEXES = 32_768
const ROUNDS = 0x1_0000
/** Indexes that are used before they begin anew, at least. */
const SHORTEST_CYCLE = 64

/** Bytes of `struct ipc64_perm`. */
export const PERM_BYTES = 36

/** One object. */
export abstract class IpcObject {
  /** Another one may have it once this one is removed. */
  key: number
  readonly cuid: number
  readonly cgid: number
  uid: number
  gid: number
  mode: number
  id = 0
  isRemoved = false
  /** Seconds since 1970. */
  changed: number

  constructor(task: Task, key: number, mode: number) {
    this.key = key
    this.uid = this.cuid = task.ids.euid
    this.gid = this.cgid = task.ids.egid
    this.mode = mode & 0o777
    this.changed = task.kernel.time.seconds
  }

  /** May a task use it, as the permission bits of `flags` say? */
  permits(task: Task, flags: number): boolean {
    const wanted = ((flags >> 6) | (flags >> 3) | flags) & 7
    const { ids } = task
    const inGroup = (gid: number): boolean => ids.egid === gid || ids.groups.includes(gid)
    const isOwner = ids.euid === this.uid || ids.euid === this.cuid
    const shift = isOwner ? 6 : inGroup(this.gid) || inGroup(this.cgid) ? 3 : 0
    return (wanted & ~(this.mode >> shift)) === 0 || task.capable(Cap.IPC_OWNER, task.ns.ipc.owner)
  }
  /** May a task change or remove it? */
  belongsTo(task: Task): boolean {
    const { euid } = task.ids
    return euid === this.uid || euid === this.cuid || task.capable(Cap.SYS_ADMIN, task.ns.ipc.owner)
  }

  /** `struct ipc64_perm`, as the task is told it. */
  writePermissions(task: Task, at: number): void {
    const { memory } = task.kernel
    const { uids, gids } = task.ids.user
    const owners = [uids.shown(this.uid), gids.shown(this.gid), uids.shown(this.cuid), gids.shown(this.cgid)]
    for (const [n, word] of [this.key, ...owners, this.mode, Math.floor(this.id / INDEXES), 0, 0].entries())
      memory.set32(at + n * 4, word)
  }
  /** IPC_SET: owners and permissions from such a structure. */
  readPermissions(task: Task, at: number): number {
    const { memory, time } = task.kernel
    const { uids, gids } = task.ids.user
    const uid = uids.toKernel(memory.get32(at + 4))
    const gid = gids.toKernel(memory.get32(at + 8))
    if (uid === -1 || gid === -1) return -Errno.EINVAL
    this.uid = uid
    this.gid = gid
    this.mode = (this.mode & ~0o777) | (memory.get16(at + 20) & 0o777)
    this.changed = time.seconds
    return 0
  }
}

/** Words of a structure. */
export function writeWords(task: Task, at: number, words: readonly number[]): void {
  for (const [n, word] of words.entries()) task.kernel.memory.set32(at + n * 4, word)
}

/** A line of /proc/sysvipc: values right-justified in columns. */
export function columns(widths: readonly number[], values: readonly (string | number)[]): string {
  return `${values.map((value, n) => String(value).padStart(widths[n]!)).join(' ')}\n`
}

/** The objects of one kind in a namespace. */
export class IpcTable<T extends IpcObject> {
  readonly #byIndex: (T | undefined)[] = []
  readonly #byKey = new Map<number, T>()
  #count = 0
  /** The index that was given out last, and how often they began anew. */
  #last = -1
  #round = 0
  /** The most objects. */
  readonly most: number

  constructor(most: number) {
    this.most = most
  }

  all(): T[] {
    return this.#byIndex.filter((object) => object !== undefined)
  }
  /** The highest index in use, or 0: what IPC_INFO answers. */
  get highest(): number {
    return Math.max(
      0,
      this.#byIndex.findLastIndex((object) => object !== undefined),
    )
  }
  /** The object of an index, as SHM_STAT and its like look through all; of a number it is the index that counts. */
  at(index: number): T | undefined {
    return this.#byIndex[index % INDEXES]
  }
  find(id: number): T | undefined {
    const object = this.#byIndex[id % INDEXES]
    return object?.id === id ? object : undefined
  }

  /** shmget(2) and its like: the number of the object of a key, made if there is none and `flags` say so. */
  get(task: Task, key: number, flags: number, fits: (object: T) => boolean, make: () => T | number): number {
    if (key !== PRIVATE) {
      const object = this.#byKey.get(key)
      if (object !== undefined) {
        if ((flags & Ipc.CREAT) !== 0 && (flags & Ipc.EXCL) !== 0) return -Errno.EEXIST
        if (!fits(object)) return -Errno.EINVAL
        return object.permits(task, flags) ? object.id : -Errno.EACCES
      }
      if ((flags & Ipc.CREAT) === 0) return -Errno.ENOENT
    }
    if (this.#count >= this.most) return -Errno.ENOSPC
    const made = make()
    if (typeof made === 'number') return made
    const index = this.#next()
    if (index <= this.#last) this.#round = (this.#round + 1) % ROUNDS
    this.#last = index
    this.#count++
    made.id = this.#round * INDEXES + index
    this.#byIndex[index] = made
    if (key !== PRIVATE) this.#byKey.set(key, made)
    return made.id
  }

  /** The next free index, in turn: numbers do not come again soon. */
  #next(): number {
    const cycle = Math.min(INDEXES, Math.max(SHORTEST_CYCLE, Math.floor((this.#count * 3) / 2)))
    for (let index = this.#last + 1; index < cycle; index++) if (this.#byIndex[index] === undefined) return index
    let index = 0
    while (this.#byIndex[index] !== undefined) index++
    return index
  }

  /** Nobody finds an object by its key any more. */
  hide(object: T): void {
    if (this.#byKey.get(object.key) === object) this.#byKey.delete(object.key)
    object.key = PRIVATE
  }

  remove(object: T): void {
    this.hide(object)
    object.isRemoved = true
    this.#count--
    this.#byIndex[object.id % INDEXES] = undefined
  }
}

/** One table of a kind for each namespace; `end` is told of what is left when the namespace ends. */
export function tables<T extends IpcObject>(
  most: number,
  end: (object: T) => void,
): (namespace: IpcNamespace) => IpcTable<T> {
  const known = new WeakMap<IpcNamespace, IpcTable<T>>()
  return (namespace) => {
    let table = known.get(namespace)
    if (table === undefined) {
      const made = new IpcTable<T>(most)
      known.set(namespace, made)
      namespace.onEnd.push(() => {
        for (const object of made.all()) {
          made.remove(object)
          end(object)
        }
      })
      table = made
    }
    return table
  }
}
