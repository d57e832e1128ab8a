/** Groups, and the processes in them: the tree as data. What may be done with it is the other files' of this folder. */
import type { Controlled, ControllerName } from '../controller.ts'
import type { CpuAccount } from '../cpu/account.ts'
import { Runnable } from '../cpu/runnable.ts'
import type { CpusetAccount } from '../cpuset/account.ts'
import type { IoAccount } from '../io/account.ts'
import type { MemoryAccount } from '../memory/account.ts'
import type { PidsAccount } from '../pids/account.ts'
import { type Activity, Pressure } from '../pressure.ts'

/** The account of each controller: the group's own, or the nearest above. */
export interface Accounts {
  cpuset: CpusetAccount
  cpu: CpuAccount
  io: IoAccount
  memory: MemoryAccount
  pids: PidsAccount
}

/** CPU time in nanoseconds. */
export type CpuTime = { user: number; system: number }

/** One cgroup. The kernel holds it, reads its accounts, and leaves changing it to the `Hierarchy`. */
export class Group implements Controlled {
  /** Names the group as long as the hierarchy lives, as the inode of its directory. Set anew by a restore. */
  id: number
  /** The root's is empty. */
  readonly name: string
  readonly parent: Group | null
  /** 0 of the root. */
  readonly depth: number
  readonly children: Map<string, Group> = new Map()
  /** Groups below. */
  descendants = 0
  removed = false
  /** The controllers that `cgroup.subtree_control` enables in the children. */
  readonly controls: Set<ControllerName> = new Set()
  /** Whom memory, processes and I/O are charged to. A charge is given back to the account that took it. */
  readonly accounts: Accounts
  /** Processes in this group that live. */
  readonly processes: Set<Process> = new Set()
  /** Children that are populated. */
  populatedChildren = 0
  /** `cgroup.max.depth` and `cgroup.max.descendants`. */
  maxDepth: number = Number.POSITIVE_INFINITY
  maxDescendants: number = Number.POSITIVE_INFINITY
  /** `cgroup.freeze`. */
  freeze = false
  /** CPU time of threads in this group, and of groups that were removed from below it. */
  readonly cpuTime: CpuTime = { user: 0, system: 0 }
  readonly pressure: Pressure

  constructor(id: number, name: string, parent: Group | null, accounts: Accounts, now: number) {
    this.id = id
    this.name = name
    this.parent = parent
    this.depth = parent === null ? 0 : parent.depth + 1
    this.accounts = accounts
    this.pressure = new Pressure(parent?.pressure ?? null, now)
  }

  get path(): string {
    if (this.parent === null) return '/'
    return this.parent.parent === null ? `/${this.name}` : `${this.parent.path}/${this.name}`
  }

  /** Whom memory is charged to. */
  get memory(): MemoryAccount {
    return this.accounts.memory
  }

  /** Whom tasks are charged to. */
  get pids(): PidsAccount {
    return this.accounts.pids
  }

  /** Whose weight and quota threads run on. */
  get cpu(): CpuAccount {
    return this.accounts.cpu
  }

  /** Whom requests to block devices are charged to. */
  get io(): IoAccount {
    return this.accounts.io
  }

  /** Which CPUs and memory nodes threads may use. */
  get cpuset(): CpusetAccount {
    return this.accounts.cpuset
  }

  /** Whether a process lives here or below. */
  get populated(): boolean {
    return this.processes.size > 0 || this.populatedChildren > 0
  }

  /** Whether its processes are to stand still: this group or one above says so. */
  get frozen(): boolean {
    return this.freeze || (this.parent?.frozen ?? false)
  }

  /** Whether the controller is enabled here, rather than only above. */
  has(controller: ControllerName): boolean {
    return this.accounts[controller].group === this
  }

  /** This group and all below it, parents first. */
  *subtree(): Generator<Group> {
    yield this
    for (const child of this.children.values()) yield* child.subtree()
  }

  /** Processes here and below that live. */
  *allProcesses(): Generator<Process> {
    for (const group of this.subtree()) yield* group.processes
  }

  /** CPU time here and below. */
  totalCpuTime(): CpuTime {
    const sum = { user: 0, system: 0 }
    for (const { cpuTime } of this.subtree()) {
      sum.user += cpuTime.user
      sum.system += cpuTime.system
    }
    return sum
  }

  /** The lowest group that both are in: whose `cgroup.procs` a writer must be allowed to write, to move between them. */
  commonAncestor(other: Group): Group {
    let a: Group = this
    let b = other
    while (a !== b) {
      if (a.depth >= b.depth) a = a.parent!
      else b = b.parent!
    }
    return a
  }

  /** The path as a cgroup namespace with this root shows it in /proc/<pid>/cgroup: `/`, `/a`, `/../b`. */
  pathFrom(root: Group): string {
    const common = this.commonAncestor(root)
    const up = '/..'.repeat(root.depth - common.depth)
    let down = ''
    for (let group: Group = this; group !== common; group = group.parent!) down = `/${group.name}${down}`
    return `${up}${down}` || '/'
  }
}

/** A process: its threads are always in one group, since threaded groups are absent. */
export class Process {
  readonly pid: number
  group: Group
  /** Threads that have not been reaped, by id. */
  readonly threads: Map<number, Thread> = new Map()
  /** Threads that have not ended. */
  living = 0

  constructor(pid: number, group: Group) {
    this.pid = pid
    this.group = group
  }

  /** Whether some thread has not ended. */
  get alive(): boolean {
    return this.living > 0
  }
}

/** A thread, charged to a pids account until it is reaped. */
export class Thread extends Runnable {
  readonly tid: number
  readonly process: Process
  pids: PidsAccount
  activity: Activity = 'idle'
  alive = true

  constructor(tid: number, member: Process, sequence: number) {
    super(member.group.cpu, sequence)
    this.tid = tid
    this.process = member
    this.pids = member.group.pids
  }
}
