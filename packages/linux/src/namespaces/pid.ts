/**
 * Numbers of tasks (pid_namespaces(7)). A task has one in its namespace and in each above. The kernel itself names tasks,
 * groups and sessions by the numbers of the first namespace, and translates where programs give or get them.
 *
 * A number stays taken while a task, a group or a session has it.
 */
import { Namespace, type NamespaceNumbers } from './namespace.ts'
import type { UserNamespace } from './user.ts'

/** Levels below the first namespace: MAX_PID_NS_LEVEL. */
const DEEPEST = 32
/** Where numbers begin again behind the last one. */
const RESERVED = 300

/** A namespace of numbers. */
export class PidNamespace<Task> extends Namespace {
  readonly kind = 'pid'
  readonly parent: PidNamespace<Task> | null
  readonly owner: UserNamespace
  readonly level: number
  /** By number of the first namespace: whoever has it. Of the first namespace only. */
  readonly tasks: Map<number, Task> = new Map()
  /** Of others: numbers here, and those of the first namespace. */
  readonly #own = new Map<number, number>()
  readonly #first = new Map<number, number>()
  /** Of the first: how many have a number, and in which namespace it was given out. */
  readonly #held = new Map<number, { count: number; readonly from: PidNamespace<Task> }>()
  readonly #most: number
  #next = 1
  /** Its first process has ended, and so has all that was in it. */
  hasEnded = false
  /** Its first process: where orphans go. Undefined of the first namespace, in which programs are started from outside. */
  init: object | undefined = undefined

  constructor(numbers: NamespaceNumbers, parent: PidNamespace<Task> | null, owner: UserNamespace, most = 32_768) {
    super('pid', numbers, parent === null)
    this.parent = parent
    this.owner = owner
    this.level = parent === null ? 0 : parent.level + 1
    this.#most = most
  }

  get isTooDeep(): boolean {
    return this.level >= DEEPEST
  }

  get #root(): PidNamespace<Task> {
    let at: PidNamespace<Task> = this
    while (at.parent !== null) at = at.parent
    return at
  }

  /** Does it lie in another one, or is it that one? */
  isWithin(other: PidNamespace<Task>): boolean {
    for (let at: PidNamespace<Task> | null = this; at !== null; at = at.parent) if (at === other) return true
    return false
  }

  /** A number that is free here and in all above: that of the first namespace, held once. 0 where there is none. */
  allocate(): number {
    const root = this.#root
    const number = root.#free((n) => root.#held.has(n))
    if (number === 0) return 0
    for (let at: PidNamespace<Task> = this; at.parent !== null; at = at.parent) {
      const own = at.#free((n) => at.#own.has(n))
      if (own === 0) {
        root.#release(number, this)
        return 0
      }
      at.#own.set(own, number)
      at.#first.set(number, own)
    }
    root.#held.set(number, { count: 1, from: this })
    return number
  }

  #free(isTaken: (number: number) => boolean): number {
    for (let tries = 0; tries < this.#most; tries++) {
      const number = this.#next
      this.#next = number + 1 >= this.#most ? RESERVED : number + 1
      if (!isTaken(number)) return number
    }
    return 0
  }

  #release(number: number, from: PidNamespace<Task>): void {
    for (let at: PidNamespace<Task> | null = from; at !== null; at = at.parent) {
      const own = at.#first.get(number)
      if (own === undefined) continue
      at.#first.delete(number)
      at.#own.delete(own)
    }
  }

  /** Somebody more has a number of the first namespace, which this is. */
  hold(number: number): void {
    const held = this.#held.get(number)
    if (held !== undefined) held.count++
  }
  /** Somebody less; with the last one it is free. */
  drop(number: number): void {
    const held = this.#held.get(number)
    if (held === undefined || --held.count > 0) return
    this.#held.delete(number)
    this.#release(number, held.from)
  }

  /** Has a task, a group or a session a number of the first namespace, which this is? */
  has(number: number): boolean {
    return this.#held.has(number)
  }

  /** The number here of one of the first namespace; 0 where it has none. */
  local(number: number): number {
    return this.parent === null ? number : (this.#first.get(number) ?? 0)
  }
  /** The number of the first namespace of one here; 0 where nobody has it. */
  global(number: number): number {
    return this.parent === null ? number : (this.#own.get(number) ?? 0)
  }
}
