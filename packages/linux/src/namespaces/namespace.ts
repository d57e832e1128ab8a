/** What all namespaces have in common (namespaces(7)): a number by which programs tell them apart, and an owner. */

/** Kinds, by their names in /proc/PID/ns. */
export type NamespaceKind = 'cgroup' | 'ipc' | 'mnt' | 'net' | 'pid' | 'time' | 'user' | 'uts'

/** CLONE_NEW… of each kind. */
// biome-ignore format: a table
export const NamespaceFlag: Readonly<Record<NamespaceKind, number>> = {
  time: 0x80, mnt: 0x2_0000, cgroup: 0x200_0000, uts: 0x400_0000, ipc: 0x800_0000, user: 0x1000_0000,
  pid: 0x2000_0000, net: 0x4000_0000,
}
/** All of them. */
export const NAMESPACE_FLAGS: number = Object.values(NamespaceFlag).reduce((all, flag) => all | flag, 0)

/** Numbers of the first namespaces, which are the same on every machine (include/linux/proc_ns.h). */
// biome-ignore format: a table
const FIRST: Readonly<Record<NamespaceKind, number>> = {
  time: 0xeffffffa, cgroup: 0xeffffffb, pid: 0xeffffffc, user: 0xeffffffd, uts: 0xeffffffe, ipc: 0xefffffff,
  mnt: 0xf0000000, net: 0xf0000001,
}

/** Numbers of further namespaces of one kernel. */
export class NamespaceNumbers {
  #next = 0xf0000010

  next(): number {
    return this.#next++
  }
}

/** One namespace. */
export abstract class Namespace {
  abstract readonly kind: NamespaceKind
  readonly number: number
  readonly numbers: NamespaceNumbers
  /** Tasks in it and open files that stand for it; whoever counts calls {@link Namespace.leave}. */
  users = 0

  /** `first` of a kind, or a further one. */
  constructor(kind: NamespaceKind, numbers: NamespaceNumbers, isFirst: boolean) {
    this.numbers = numbers
    this.number = isFirst ? FIRST[kind] : numbers.next()
  }

  /** As links in /proc/PID/ns say it. */
  get label(): string {
    return `${this.kind}:[${this.number}]`
  }

  enter(): void {
    this.users++
  }
  leave(): void {
    if (--this.users === 0) this.end()
  }
  /** Nobody is in it any more. */
  protected end(): void {}
}
