/**
 * The kernel as its parts see it, and what it is about: tasks and processes (credentials(7), clone(2), wait(2)). Handlers get a task and
 * reach the kernel by it; the kernel itself is `kernel.ts`, which nobody but its user imports.
 */
import type { Inode, MountTree, Path, TaskContext, TimeSource, Vfs } from '@vmexit/vfs'
import type { Cpu } from '@vmexit/x86'
import type { Descriptors } from './files/descriptors.ts'
import type { KernelOperations } from './files/open-file.ts'
import type { Machine } from './machine.ts'
import type { AddressSpace, TlbControl } from './memory/address-space.ts'
import type { PageCache } from './memory/file-pages.ts'
import type { Frames } from './memory/frames.ts'
import type { UserMemory } from './memory/user-memory.ts'
import type { Network } from './net/network.ts'
import type { Random } from './random.ts'
import { SignalActions, type SignalInfo, SignalQueue } from './signals/queue.ts'
import { Signal, SignalSet } from './signals/set.ts'
import type { Account } from './tasks/account.ts'
import { fileCredentials, type Ids, realCredentials } from './tasks/credentials.ts'
import { Limits } from './tasks/limits.ts'
import type { Namespaces } from './tasks/namespaces.ts'
import { freshSettings, type ProcessSettings } from './tasks/process-settings.ts'
import { Registers } from './tasks/registers.ts'
import { Timer, type Timers } from './tasks/timers.ts'
import { NO_TLS, type TlsEntry } from './tasks/tls.ts'
import { WaitQueue } from './tasks/wait-queue.ts'

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
  readonly account: Account
  readonly timers: Timers
  readonly futexes: {
    keyOf(space: AddressSpace, address: number, isPrivate?: boolean): number
    wait(task: Task, address: number, value: number, mask: number, deadline: number, isPrivate?: boolean): number
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
  readonly time: TimeSource
  /** Virtual nanoseconds since the start, and when that was: seconds since 1970. */
  readonly now: number
  readonly epoch: number
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
  /** A task is no longer to run. */
  withdraw(task: Task): void
  /** Takes a task to the CPU as it stands. */
  adopt(task: Task): void
  loadSpace(task: Task): void
  spaceGone(space: AddressSpace): void
  /** Instructions of a task until now. */
  ticksOf(task: Task): number
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
  /** By number of setitimer(2): when each ends, in nanoseconds of CPU time, or 0; and its period. */
  readonly timers: readonly { when: number; period: number }[]
  /** Sends the signals that are due. */
  run(proc: Process): void
}

/** A process: a thread group. */
export class Process {
  readonly pid: number
  parent: Process | null
  readonly children: Set<Process> = new Set()
  /** Its threads that live; the first one is the leader. */
  readonly tasks: Set<Task> = new Set()
  leader!: Task
  /** Its process group. */
  group: number
  session: Session
  readonly pending: SignalQueue = new SignalQueue()
  /** Its parent waits here for it and its siblings. */
  readonly childrenQueue: WaitQueue = new WaitQueue()
  /** Who waits for signals by signalfd(2): woken when one comes. */
  readonly signalQueue: WaitQueue = new WaitQueue()
  /** What wait(2) tells, once it has ended. */
  status: number | undefined = undefined
  /** The status is set, though threads may still end: exit_group. */
  exiting = false
  /** Sent to the parent at the end; 0 is none. */
  exitSignal: number = Signal.SIGCHLD
  limits: Limits = new Limits()
  account: Account
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
  /** What prctl(2) has set: see `tasks/prctl.ts`. */
  settings: ProcessSettings = freshSettings()
  /** personality(2). */
  personality = 0
  /** Timers by CPU time, where there are any: see `tasks/cpu-timers.ts`. */
  cpuTimers: CpuTimerSet | undefined = undefined
  /** Timers of timer_create(2), by number. */
  readonly timers: Map<number, { end(): void }> = new Map()
  /** Told when it has ended: for whoever started it from outside. */
  onExit: ((status: number) => void) | undefined = undefined

  constructor(
    pid: number,
    parent: Process | null,
    session: Session,
    group: number,
    account: Account,
    started: number,
    onAlarm: (proc: Process) => void,
  ) {
    this.pid = pid
    this.parent = parent
    this.session = session
    this.group = group
    this.account = account
    this.started = started
    this.alarm = new Timer(() => onAlarm(this))
  }

  get isZombie(): boolean {
    return this.status !== undefined && this.tasks.size === 0
  }
}

/** `ready` tasks are in the scheduler, unless they have the CPU. */
export type TaskState = 'ready' | 'blocked' | 'stopped' | 'ended'

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
  nice = 0
  /** sched(7): a policy by number, and its priority. */
  policy = 0
  priority = 0
  /** ioprio_set(2): a class and a priority, without effect. */
  ioPriority = 0
  /** Virtual run time and place in the scheduler's heap. */
  runtime = 0
  order = 0
  heapIndex = -1
  /** Instructions retired in it. */
  ticks = 0
  /** IOPL that it was given. */
  ioPrivilege = 0

  constructor(
    kernel: Kernel,
    tid: number,
    proc: Process,
    parts: Pick<Task, 'ns' | 'space' | 'files' | 'context' | 'actions' | 'ids'>,
  ) {
    this.kernel = kernel
    this.tid = tid
    this.process = proc
    this.ns = parts.ns
    this.space = parts.space
    this.files = parts.files
    this.context = parts.context
    this.actions = parts.actions
    this.#ids = parts.ids
    this.ids = parts.ids
    this.sleep = new Timer(() => this.wake())
  }

  get ids(): Ids {
    return this.#ids
  }
  set ids(ids: Ids) {
    this.#ids = ids
    this.context.credentials = fileCredentials(ids)
    this.context.realCredentials = realCredentials(ids)
  }

  get isPrivileged(): boolean {
    return this.#ids.euid === 0
  }

  /** Ends a wait: what the task waited for is to be looked at again. */
  wake(): void {
    if (this.state !== 'blocked') return
    for (const queue of this.queues) queue.remove(this)
    this.queues.length = 0
    this.kernel.timers.cancel(this.sleep)
    this.kernel.makeReady(this)
  }

  /** A signal that is not blocked waits. */
  get hasSignal(): boolean {
    return this.pending.set.first(this.blocked) !== 0 || this.process.pending.set.first(this.blocked) !== 0
  }

  /** A new program, or a copy, has default ones. */
  static freshActions(): SignalActions {
    return new SignalActions()
  }
}
