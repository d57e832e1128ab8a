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
    const process = this.#threads.get(pid)?.process
    return process?.pid === pid ? process : undefined
  }

  /** All threads that have not been reaped, in the order in which they came. */
  threads(): Iterable<Thread> {
    return this.#threads.values()
  }

  /**
   * A new process with one thread: fork's child in the group of its parent, CLONE_INTO_CGROUP's or the first of all in
   * another. EAGAIN where `pids.max` is in the way, EEXIST where the id is in use, EBUSY where controllers are enabled in
   * the group's children, ENOENT where the group has been removed.
   */
  fork(pid: number, group: Group = this.#root): Process | number {
    if (this.#threads.has(pid)) return -Errno.EEXIST
    if (group.removed) return -Errno.ENOENT
    if (!mayHaveProcesses(group)) return -Errno.EBUSY
    if (!group.pids.charge()) return -Errno.EAGAIN
    const process = new Process(pid, group)
    this.#join(new Thread(pid, process, this.#sequence++))
    this.#enter(process)
    return process
  }

  /** A further thread of a process. EAGAIN, EEXIST as with {@link fork}; ESRCH where the process has ended. */
  clone(process: Process, tid: number): Thread | number {
    if (!process.alive) return -Errno.ESRCH
    if (this.#threads.has(tid)) return -Errno.EEXIST
    if (!process.group.pids.charge()) return -Errno.EAGAIN
    const thread = new Thread(tid, process, this.#sequence++)
    this.#join(thread)
    return thread
  }

  /** A thread has ended. It stays charged until it is reaped. With the last one the process leaves its group. */
  exit(thread: Thread): void {
    if (!thread.alive) return
    this.#scheduler.sleep(thread)
    thread.alive = false
    thread.process.living--
    if (!thread.process.alive) this.#leave(thread.process)
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
  move(process: Process, to: Group, writer: Writer = {}): number {
    if (!process.alive) return -Errno.ESRCH
    if (to.removed) return -Errno.ENOENT
    const from = process.group
    if (writer.mayMove?.(from.commonAncestor(to)) === false) return -Errno.EACCES
    if (!mayHaveProcesses(to)) return -Errno.EBUSY
    if (from === to) return 0
    const wasFrozen = from.frozen
    for (const thread of process.threads.values()) from.pressure.shift(thread.activity, 'idle', this.#kernel.now())
    this.#leave(process)
    process.group = to
    this.#enter(process)
    for (const thread of process.threads.values()) to.pressure.shift('idle', thread.activity, this.#kernel.now())
    this.rehome(process)
    this.#kernel.moved?.(process, from)
    if (to.frozen !== wasFrozen) this.#kernel.freeze?.(process, to.frozen)
    return 0
  }

  /** The process' group has other accounts now: its threads run and are counted there. */
  rehome(process: Process): void {
    const { pids, cpu } = process.group
    for (const thread of process.threads.values()) {
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
      for (const process of each.processes) this.#kernel.freeze?.(process, each.frozen)
      this.#kernel.changed?.(each, 'cgroup.events')
    }
  }

  /** `cgroup.kill`: all processes of the group and below are killed. */
  kill(group: Group): void {
    for (const process of [...group.allProcesses()]) this.#kernel.kill?.(process)
  }

  /** For a restore: a thread as it was. Nothing is charged, for the accounts have been restored already. */
  resume(tid: number, process: Process, alive: boolean): Thread {
    const thread = new Thread(tid, process, this.#sequence++)
    this.#join(thread)
    thread.alive = alive
    if (!alive) process.living--
    else if (process.living === 1) this.#settle(process)
    return thread
  }

  #join(thread: Thread): void {
    this.#threads.set(thread.tid, thread)
    thread.process.threads.set(thread.tid, thread)
    thread.process.living++
  }

  #enter(process: Process): void {
    const { group } = process
    this.#settle(process, (each) => this.#kernel.changed?.(each, 'cgroup.events'))
    if (group.frozen && process.threads.size > 0) this.#kernel.freeze?.(process, true)
  }

  /** The process is in its group: whoever was empty has become populated. */
  #settle(process: Process, populated?: (group: Group) => void): void {
    let group: Group | null = process.group
    let before = group.populated
    group.processes.add(process)
    while (group !== null && !before) {
      populated?.(group)
      group = group.parent
      if (group === null) return
      before = group.populated
      group.populatedChildren++
    }
  }

  #leave(process: Process): void {
    let group: Group | null = process.group
    group.processes.delete(process)
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
