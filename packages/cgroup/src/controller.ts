/** What the tree and its controllers know of each other. */
import type { StateValue } from '@vmexit/core'
import type { Parsed } from './text.ts'

/** The controllers, in the order in which `cgroup.controllers` lists them. */
export const controllerNames = ['cpuset', 'cpu', 'io', 'memory', 'pids'] as const

/** A controller by name. */
export type ControllerName = (typeof controllerNames)[number]

/** A group as a controller sees it. */
export interface Controlled {
  /** From the root: `/`, `/a/b`. */
  readonly path: string
  /** Whether a process lives here or below. */
  readonly populated: boolean
}

/** What accounts need of their hierarchy. A controller's accounts may need more. */
export interface Shared {
  /** Virtual time in nanoseconds. */
  now(): number
  /** A file has changed by itself: what a reader polls for, and inotify's IN_MODIFY. */
  changed(group: Controlled, file: string): void
}

/** A control file as a table has it. `Subject` is what it reads and writes: a group, or an account. */
export interface ControlFile<Subject> {
  readonly name: string
  /** Whether the root has it, too. */
  readonly where: 'everywhere' | 'below-root'
  /** The text, or a negated error number. Absent: it is write-only. */
  read?(subject: Subject): string | number
  /** 0 or a negated error number. Absent: it is read-only. */
  write?(subject: Subject, text: string, writer: Writer): number
  /** The most bytes that are taken at once; what is longer is E2BIG. Without, the first 4096 are taken. */
  readonly maxBytes?: number
}

/** Who writes to a file. */
export interface Writer {
  /** What `0` stands for in `cgroup.procs`. */
  readonly pid?: number
  /**
   * Whether the writer may write to `cgroup.procs` of this group, the common ancestor of where a process is and where it
   * goes ("Control Group v2", *Delegation Containment*). Without, it may.
   */
  mayMove?(commonAncestor: Controlled): boolean
}

/** A controller: its accounts and their files. */
export interface Controller<A, Needs extends Shared = Shared> {
  readonly name: ControllerName
  create(id: number, group: Controlled, parent: A | null, shared: Needs): A
  readonly files: readonly ControlFile<A>[]
  save(account: A): StateValue
  /** Into a new account, whose children have been restored already. */
  restore(account: A, state: StateValue): void
}

/** Sets what a text says: 0, or the error number that stands for no value. */
export function take<T>({ value, errno }: Parsed<T>, use: (value: T) => number | void): number {
  return value === undefined ? errno : (use(value) ?? 0)
}
