/**
 * The kernel as its parts see it, and what it is about: tasks and processes (credentials(7), clone(2), wait(2)). Handlers get a task and
 * reach the kernel by it; the kernel itself is `kernel.ts`, which nobody but its user imports.
 */
import type { Process as GroupMember, Thread } from '@vmexit/cgroup'
import type { Credentials, FileSystem, Inode, MountTree, Path, TaskContext, Vfs } from '@vmexit/vfs'
import type { Cpu } from '@vmexit/x86'
import type { KernelGroups } from './cgroups/hierarchy.ts'
import type { Descriptors } from './files/descriptors.ts'
import type { KernelOperations } from './files/open-file.ts'
import type { Machine } from './machine.ts'
import type { AddressSpace, TlbControl } from './memory/address-space.ts'
import type { PageCache } from './memory/file-pages.ts'
import type { Frames } from './memory/frames.ts'
import type { UserMemory } from './memory/user-memory.ts'
import type { PidNamespace } from './namespaces/pid.ts'
import type { UserNamespace } from './namespaces/user.ts'
import type { Network } from './net/network.ts'
import type { EndedTracee, Tracing } from './ptrace/tracing.ts'
import type { Random } from './random.ts'
import type { Seccomp } from './seccomp/filter.ts'
import { SignalActions, type SignalInfo, SignalQueue } from './signals/queue.ts'
import { Signal, SignalSet } from './signals/set.ts'
import type { Account } from './tasks/account.ts'
import { fileCredentials, type Ids, isCapable, realCredentials } from './tasks/credentials.ts'
import type { KernelStack } from './tasks/kernel-stack.ts'
import { Limits } from './tasks/limits.ts'
import type { Namespaces } from './tasks/namespaces.ts'
import { freshSettings, type ProcessSettings } from './tasks/process-settings.ts'
import { Registers } from './tasks/registers.ts'
import { Timer, type Timers } from './tasks/timers.ts'
import { NO_TLS, type TlsEntry } from './tasks/tls.ts'
import { WaitQueue } from './tasks/wait-queue.ts'
import type { WallClock } from './tasks/wall-clock.ts'

/** Who watches calls. `answer` is what the program gets; undefined where the call does not return. */
export interface CallObserver {
  /** `args` are six words, for the time of the call. */
  begin?(task: Task, number: number, args: Int32Array): void
  end?(task: Task, number: number, args: Int32Array, answer: number | undefined): void
  signal?(task: Task, signal: number): void
  exit?(task: Task, status: number): void
}

/** The kernel, as handlers and files use it. */
export interface Kernel {
  readonly machine: Machine
  readonly cpu: Cpu
  readonly frames: Frames
  readonly pageCache: PageCache
  /** The memory of the current task. */
  readonly memory: UserMemory
  readonly vfs: Vfs
  readonly tree: MountTree
  readonly ns: Namespaces<Task>
  readonly network: Network
  readonly random: Random
  /** The hierarchy of control groups. */
  readonly groups: KernelGroups
  /** File systems that were mounted by a user namespace other than the first: whose they are. */
  readonly fileSystemOwners: WeakMap<FileSystem, UserNamespace>
  readonly timers: Timers
  readonly futexes: {
    keyOf(space: AddressSpace, address: number, isPrivate?: boolean): number
    wait(
      task: Task,
      address: number,
      value: number,
      mask: number,
      deadline: number,
      isPrivate?: boolean,
      clockQueue?: WaitQueue,
    ): number
    wake(key: number, most: number, mask: number): number
    requeue(from: number, to: number, wake: number, move: number): number
    forget(task: Task): void
  }
  /** By number; those that have ended and were not waited for too. */
  readonly processes: Map<number, Process>
  /** Pipes of FIFOs, by inode. */
  readonly fifos: Map<Inode, unknown>
  readonly counts: { switches: number; faults: number; pages: number; signals: number; forks: number; execs: number }
  observer: CallObserver | undefined
  /** CLOCK_REALTIME. */
  readonly time: WallClock
  /** Virtual nanoseconds since the start. */
  readonly now: number
  /** Whoever has the CPU: in a handler, the caller. */
  readonly current: Task | undefined
  /** The call in progress must not wait. */
  nonBlocking: boolean
  /** The current task gives way behind its call. */
  yieldsAfter: boolean
  readonly tlb: TlbControl

  /** The current task waits: BLOCK, or the answer of a call that must not wait, or `interrupted` where a signal has come. */
  block(queue: WaitQueue | undefined, interrupted?: number): number
  /** The same until a time at the latest; the caller looks whether it has come. */
  blockUntil(deadline: number, queue: WaitQueue | undefined, interrupted?: number): number
  /** A task can go on. */
  makeReady(task: Task): void
  /** The current task goes on after a while: it has taken more than its group should have. */
  delay(nanoseconds: number): void
  /** A task is no longer to run. */
  withdraw(task: Task): void
  /** Takes a task to the CPU as it stands. */
  adopt(task: Task): void
  loadSpace(task: Task): void
  spaceGone(space: AddressSpace): void
  /** Instructions of a task until now. */
  ticksOf(task: Task): number
  /** A timer by CPU time has been set: the turn of the current task ends when it is due. */
  shortenTurn(): void
  onAlarm(proc: Process): void
  nextAnonymousInode(): number
}

/** A terminal, as sessions have one. */
export interface Terminal {
  readonly name: string
  readonly rdev: number
  /** The session that it controls, and the group in the foreground; 0 are none. */
  session: number
  foreground: number
  /** Whose it is: processes of another pid namespace that this one is not within do not open it by its number. */
  pids: PidNamespace<Task> | undefined
  open(): KernelOperations
}

/** A session: processes of one login, which may have a terminal. */
export class Session {
  readonly id: number
  tty: Terminal | null = null

  constructor(id: number) {
    this.id = id
  }
}

/** Instructions that a process has retired, in ticks of virtual time. */
export interface Times {
  user: number
  system: number
  childrenUser: number
  childrenSystem: number
}

/** Timers by CPU time of a process. */
export interface CpuTimerSet {
  /** Nanoseconds that a task of the process may run until one is due, perhaps none. */
  dueIn(task: Task): number
  /** Fires what is due by the time of the process, or of that task, which has the CPU. */
  run(task: Task): void
}

/** A process: a thread group. */
export class Process {
  readonly pid: number
  parent: Process | null
  readonly children: Set<Process> = new Set()
  /** Its threads that live; the first one is the leader. */
  readonly tasks: Set<Task> = new Set()
  leader!: Task
  #group: number
  #session: Session
  readonly #numbers: { hold(number: number): void; drop(number: number): void }
  readonly pending: SignalQueue = new SignalQueue()
  /** Its parent waits here for it and its siblings. */
  readonly childrenQueue: WaitQueue = new WaitQueue()
  /** Who waits for its end by a descriptor. */
  readonly endQueue: WaitQueue = new WaitQueue()
  /** Who waits for signals by signalfd(2): woken when one comes. */
  readonly signalQueue: WaitQueue = new WaitQueue()
  /** What wait(2) tells, once it has ended. */
  status: number | undefined = undefined
  /** The status is set, though threads may still end: exit_group. */
  exiting = false
  /** Sent to the parent at the end; 0 is none. */
  exitSignal: number = Signal.SIGCHLD
  limits: Limits = new Limits()
  /** What it has of control groups, and whom it is charged to. */
  readonly member: GroupMember
  readonly account: Account
  /** Frozen, by its group: nothing of it runs. */
  isFrozen = false
  /** The program, for /proc/self/exe, and its path. */
  executable: Path | null = null
  executablePath = ''
  /** Stopped by this signal, or 0; and whether wait(2) has told it. */
  stopSignal = 0
  stopTold = true
  continueTold = true
  readonly times: Times = { user: 0, system: 0, childrenUser: 0, childrenSystem: 0 }
  /** ITIMER_REAL and alarm: its period in nanoseconds, or 0. */
  readonly alarm: Timer
  alarmPeriod = 0
  /** Virtual time of its start. */
  readonly started: number
  /** It has called exec since it was forked: setpgid of it fails. */
  hasExecuted = false
  /** How willingly it is killed where memory ends: /proc/PID/oom_score_adj. */
  oomAdjustment = 0
  /** What prctl(2) has set: see `tasks/prctl.ts`. */
  settings: ProcessSettings = freshSettings()
  /** personality(2). */
  personality = 0
  /** Timers by CPU time, where there are any: see `tasks/cpu-timers.ts`. */
  cpuTimers: CpuTimerSet | undefined = undefined
  /** Timers of timer_create(2), by number. */
  readonly timers: Map<number, { end(): void }> = new Map()
  /** Tasks that it traces, and those that have ended and were not waited for. */
  readonly tracees: Set<Task> = new Set()
  readonly endedTracees: EndedTracee<Process>[] = []
  /** It has ended, and its parent is told when its tracer has waited for it. */
  isHeldByTracer = false
  /** Told when it has ended: for whoever started it from outside. */
  onExit: ((status: number) => void) | undefined = undefined

  constructor(
    pid: number,
    parent: Process | null,
    session: Session,
    group: number,
    member: GroupMember,
    account: Account,
    kernel: Kernel,
  ) {
    this.pid = pid
    this.parent = parent
    this.#numbers = kernel.ns.pid
    this.#session = session
    this.#group = group
    for (const number of [group, session.id]) this.#numbers.hold(number)
    this.member = member
    this.account = account
    this.started = kernel.now
    this.alarm = new Timer(() => kernel.onAlarm(this))
  }

  /** Its process group. */
  get group(): number {
    return this.#group
  }
  set group(group: number) {
    this.#numbers.hold(group)
    this.#numbers.drop(this.#group)
    this.#group = group
  }
  get session(): Session {
    return this.#session
  }
  set session(session: Session) {
    this.#numbers.hold(session.id)
    this.#numbers.drop(this.#session.id)
    this.#session = session
  }
  /** It has been waited for: its numbers are free, once nobody else has them. */
  giveNumbersBack(): void {
    for (const number of [this.pid, this.#group, this.#session.id]) this.#numbers.drop(number)
  }

  get isZombie(): boolean {
    return this.status !== undefined && this.tasks.size === 0
  }
}

/** `ready` tasks are in the scheduler, unless they have the CPU. `stopped` are with their group, `traced` ones for a tracer. */
export type TaskState = 'ready' | 'blocked' | 'stopped' | 'traced' | 'ended'

/** What of its signal handling is a task's own, beside its mask. */
export interface AltStack {
  at: number
  size: number
  flags: number
}

/** A task. */
export class Task {
  readonly kernel: Kernel
  readonly tid: number
  readonly process: Process
  ns: Namespaces<Task>
  space: AddressSpace
  files: Descriptors
  context: TaskContext
  actions: SignalActions
  #ids: Ids
  /** As ps shows it: at most 15 bytes. */
  name = ''
  /** Tasks that have the same `context`. */
  contextUsers = { count: 1 }
  readonly registers: Registers = new Registers()
  /** Entries 6 to 8 of the GDT. */
  tls: [TlsEntry, TlsEntry, TlsEntry] = [NO_TLS, NO_TLS, NO_TLS]

  /** FS and GS are to be loaded anew: an entry has changed since they were saved. */
  hasStaleTls = false

  state: TaskState = 'ready'
  readonly queues: WaitQueue[] = []
  /** Number of the call that it is in, −1 outside; and what of it is done, which outlives being made again. */
  call = -1
  inCall = false
  /** It was stopped before its call, which is to be made, with its filter asked or not, or skipped. */
  entry: 'ask' | 'make' | 'skip' | undefined = undefined
  progress = 0
  /** What the call keeps while it waits. */
  scratch: unknown = undefined
  /** When the call ends even so: virtual nanoseconds. */
  deadline: number = Number.POSITIVE_INFINITY
  /** The deadline of a call that is made again, as it is made again. */
  keptDeadline: number = Number.POSITIVE_INFINITY
  readonly sleep: Timer
  /** Interrupted, this way: see `Answer`. 0: not. */
  restart = 0
  /** Waits for what no signal but SIGKILL ends. */
  isUninterruptible = false

  blocked: SignalSet = new SignalSet()
  /** The mask to go back to, once a handler was chosen: of sigsuspend and its like. */
  savedMask: SignalSet | undefined = undefined
  /** Signals that it waits for in rt_sigtimedwait(2), though they are blocked. */
  waitedSignals: SignalSet | undefined = undefined
  readonly pending: SignalQueue = new SignalQueue()
  /** Something is to be done before it goes back to user code. */
  hasWork = false
  readonly altStack: AltStack = { at: 0, size: 0, flags: 2 }
  /** For signals of faults: the last one. */
  lastFault: SignalInfo | undefined = undefined

  clearTid = 0
  robustList = 0
  /** A vfork parent that waits for its exec or end. */
  vforkParent: Task | undefined = undefined
  /** What it is to control groups: their scheduler runs it. */
  readonly thread: Thread
  readonly stack: KernelStack
  /** sched(7): a policy by number, and its priority. */
  policy = 0
  priority = 0
  /** SCHED_RESET_ON_FORK: children have neither. */
  resetsOnFork = false
  /** ioprio_set(2): a class and a priority, without effect. */
  ioPriority = 0
  /** Instructions retired in it. */
  ticks = 0
  /** IOPL that it was given. */
  ioPrivilege = 0
  /** PR_SET_NO_NEW_PRIVS: no program gives it more rights than it has. */
  noNewPrivileges = false
  /** Its filter of calls. */
  seccomp: Seccomp | undefined = undefined
  /** What its tracer has of it, if there is one. */
  tracing: Tracing<Process> | undefined = undefined
  #fileCredentials!: Credentials
  #realCredentials!: Credentials

  constructor(
    kernel: Kernel,
    tid: number,
    proc: Process,
    parts: Pick<Task, 'ns' | 'space' | 'files' | 'context' | 'actions' | 'ids' | 'thread' | 'stack'>,
  ) {
    this.kernel = kernel
    this.tid = tid
    this.process = proc
    this.ns = parts.ns
    this.space = parts.space
    this.files = parts.files
    this.context = parts.context
    this.actions = parts.actions
    this.thread = parts.thread
    this.stack = parts.stack
    this.#ids = parts.ids
    this.ids = parts.ids
    this.sleep = new Timer(() => this.wake())
  }

  get ids(): Ids {
    return this.#ids
  }
  set ids(ids: Ids) {
    this.#ids = ids
    this.#fileCredentials = fileCredentials(ids)
    this.#realCredentials = realCredentials(ids)
    if (this.kernel.current === this || this.contextUsers.count === 1) this.identify()
  }
  /** Files are asked with its credentials from now on: tasks that share a `context` need not be the same users. */
  identify(): void {
    this.context.credentials = this.#fileCredentials
    this.context.realCredentials = this.#realCredentials
  }

  /** Has it an effective capability, in a user namespace or in the first one? */
  capable(capability: number, target: UserNamespace = this.kernel.ns.user): boolean {
    return isCapable(this.#ids, capability, target)
  }

  get nice(): number {
    return this.thread.nice
  }
  set nice(nice: number) {
    this.thread.nice = nice
  }

  /** Ends a wait: what the task waited for is to be looked at again. */
  wake(): void {
    if (this.state !== 'blocked') return
    for (const queue of this.queues) queue.remove(this)
    this.queues.length = 0
    this.kernel.timers.cancel(this.sleep)
    this.kernel.makeReady(this)
  }

  /** A signal that is not blocked waits, or the tracer does. */
  get hasSignal(): boolean {
    return (
      this.pending.set.first(this.blocked) !== 0 ||
      this.process.pending.set.first(this.blocked) !== 0 ||
      this.tracing?.trap === true
    )
  }

  /** A new program, or a copy, has default ones. */
  static freshActions(): SignalActions {
    return new SignalActions()
  }
}
