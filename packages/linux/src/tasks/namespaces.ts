/** The namespaces that a task is in (namespaces(7)). Its mounts are in its `TaskContext`. */
import type { NetNamespace } from '../net/namespace.ts'

/** Host and domain name. */
export interface UtsNamespace {
  hostname: string
  domainname: string
}

/** Numbers of tasks. */
export class PidNamespace<Task> {
  readonly tasks: Map<number, Task> = new Map()
  readonly #most: number
  #next = 1

  constructor(most = 32768) {
    this.#most = most
  }

  /** A number that is free; 0 where there is none. */
  allocate(): number {
    for (let tries = 0; tries < this.#most; tries++) {
      const number = this.#next
      this.#next = number + 1 >= this.#most ? 300 : number + 1
      if (!this.tasks.has(number)) return number
    }
    return 0
  }
}

/** One set, shared by tasks that were not separated. */
export interface Namespaces<Task> {
  readonly pid: PidNamespace<Task>
  readonly uts: UtsNamespace
  readonly net: NetNamespace
}
