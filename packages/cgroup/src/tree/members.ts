/**
 * Processes and threads in the tree: where they begin, how they move, how they end ("Control Group v2", *Organizing
 * Processes and Threads*), and what a group does to all of them: freeze and kill.
 */
import type { Writer } from '../controller.ts'
import type { Scheduler } from '../cpu/scheduler.ts'
import { Errno } from '../errno.ts'
import type { Kernel } from '../kernel.ts'
import { type Group, Process, Thread } from './group.ts'

/** The processes of a hierarchy. */
export class Members {
  /** Threads that have not been reaped, by id; a process' first thread has its id. */
  readonly #threads: Map<number, Thread> = new Map()
  readonly #root: Group
  readonly #kernel: Kernel
  readonly #scheduler: Scheduler
  #sequence = 0

  constructor(root: Group, kernel: Kernel, scheduler: Scheduler) {
    this.#root = root
    this.#kernel = kernel
    this.#scheduler = scheduler
  }

  thread(tid: number): Thread | undefined {
    return this.#threads.get(tid)
  }

  process(pid: number): Process | undefined {
    const member = this.#threads.get(pid)?.process
    return member?.pid === pid ? member : undefined
  }

  /** All threads that have not been reaped, in the order in which they came. */
  threads(): Iterable<Thread> {
    return this.#threads.values()
  }

  /**
   * A new process with one thread: fork's child in the group of its parent, CLONE_INTO_CGROUP's or the first of all in
   * another. Where the group is `frozen` it stands still from the start. EAGAIN where `pids.max` is in the way, EEXIST where the id is in use, EBUSY where controllers are enabled in
   * the group's children, ENOENT where the group has been removed.
   */
  fork(pid: number, group: Group = this.#root): Process | number {
    if (this.#threads.has(pid)) return -Errno.EEXIST
    if (group.removed) return -Errno.ENOENT
    if (!mayHaveProcesses(group)) return -Errno.EBUSY
    if (!group.pids.charge()) return -Errno.EAGAIN
    const member = new Process(pid, group)
    this.#join(new Thread(pid, member, this.#sequence++))
    this.#enter(member)
    return member
  }

  /** A further thread of a process. EAGAIN, EEXIST as with {@link fork}; ESRCH where the process has ended. */
  clone(member: Process, tid: number): Thread | number {
    if (!member.alive) return -Errno.ESRCH
    if (this.#threads.has(tid)) return -Errno.EEXIST
    if (!member.group.pids.charge()) return -Errno.EAGAIN
    const thread = new Thread(tid, member, this.#sequence++)
    this.#join(thread)
    return thread
  }

  /** A thread has ended. It stays charged until it is reaped. With the last one the process leaves its group. */
  exit(thread: Thread): void {
    if (!thread.alive) return
    this.#scheduler.sleep(thread)
    thread.alive = false
    thread.process.living--
    if (!thread.process.alive) this.#leave(thread.process, thread.process.group)
  }

  /** An ended thread has been reaped: its id may be used again. */
  release(thread: Thread): void {
    this.exit(thread)
    if (!thread.process.threads.delete(thread.tid)) return
    this.#threads.delete(thread.tid)
    thread.pids.uncharge()
  }

  /**
   * Moves a process with all its threads, past all limits: what it has been charged for memory and I/O stays where it is.
   * ENOENT, EBUSY as with {@link fork}; ESRCH where it has ended; EACCES where the writer may not write to the
   * `cgroup.procs` of the groups' common ancestor.
   */
  move(member: Process, to: Group, writer: Writer = {}): number {
    if (!member.alive) return -Errno.ESRCH
    if (to.removed) return -Errno.ENOENT
    const from = member.group
    if (writer.mayMove?.(from.commonAncestor(to)) === false) return -Errno.EACCES
    if (!mayHaveProcesses(to)) return -Errno.EBUSY
    if (from === to) return 0
    const wasFrozen = from.frozen
    for (const thread of member.threads.values()) from.pressure.shift(thread.activity, 'idle', this.#kernel.now())
    member.group = to
    this.#enter(member)
    this.#leave(member, from)
    for (const thread of member.threads.values()) to.pressure.shift('idle', thread.activity, this.#kernel.now())
    this.rehome(member)
    this.#kernel.moved?.(member, from)
    if (to.frozen !== wasFrozen) this.#kernel.freeze?.(member, to.frozen)
    return 0
  }

  /** The process' group has other accounts now: its threads run and are counted there. */
  rehome(member: Process): void {
    const { pids, cpu } = member.group
    for (const thread of member.threads.values()) {
      this.#scheduler.rehome(thread, cpu)
      const before = thread.pids.living
      if (before !== pids) {
        before.uncharge()
        pids.force(1)
      }
      thread.pids = pids
    }
  }

  /** `cgroup.freeze`: all processes of the group and below stand still, those to come as well. */
  freeze(group: Group, freeze: boolean): void {
    const before = new Map([...group.subtree()].map((each) => [each, each.frozen]))
    group.freeze = freeze
    for (const [each, wasFrozen] of before) {
      if (each.frozen === wasFrozen) continue
      for (const member of each.processes) this.#kernel.freeze?.(member, each.frozen)
      this.#kernel.changed?.(each, 'cgroup.events')
    }
  }

  /** `cgroup.kill`: all processes of the group and below are killed. */
  kill(group: Group): void {
    for (const member of [...group.allProcesses()]) this.#kernel.kill?.(member)
  }

  /** For a restore: a thread as it was. Nothing is charged, for the accounts have been restored already. */
  resume(tid: number, member: Process, alive: boolean): Thread {
    const thread = new Thread(tid, member, this.#sequence++)
    this.#join(thread)
    thread.alive = alive
    if (!alive) member.living--
    else if (member.living === 1) this.#settle(member)
    return thread
  }

  #join(thread: Thread): void {
    this.#threads.set(thread.tid, thread)
    thread.process.threads.set(thread.tid, thread)
    thread.process.living++
  }

  #enter(member: Process): void {
    this.#settle(member, (each) => this.#kernel.changed?.(each, 'cgroup.events'))
  }

  /** The process is in its group: whoever was empty has become populated. */
  #settle(member: Process, populated?: (group: Group) => void): void {
    let group: Group | null = member.group
    let before = group.populated
    group.processes.add(member)
    while (group !== null && !before) {
      populated?.(group)
      group = group.parent
      if (group === null) return
      before = group.populated
      group.populatedChildren++
    }
  }

  #leave(member: Process, from: Group): void {
    let group: Group | null = from
    group.processes.delete(member)
    while (group !== null && !group.populated) {
      this.#kernel.changed?.(group, 'cgroup.events')
      group = group.parent
      if (group !== null) group.populatedChildren--
    }
  }
}

/** Processes are in the leaves, and in the root. */
function mayHaveProcesses(group: Group): boolean {
  return group.parent === null || group.controls.size === 0
}
