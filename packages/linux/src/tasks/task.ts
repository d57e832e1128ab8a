/** Tasks: threads, each with registers and what it shares with others by clone(2)'s flags. */
import type { TaskContext } from '@vmexit/vfs'
import type { Descriptors } from '../files/descriptors.ts'
import type { Kernel } from '../kernel.ts'
import type { AddressSpace } from '../memory/address-space.ts'
import { SignalActions, type SignalInfo, SignalQueue } from '../signals/queue.ts'
import { SignalSet } from '../signals/set.ts'
import { fileCredentials, type Ids, realCredentials } from './credentials.ts'
import type { Namespaces } from './namespaces.ts'
import type { Process } from './process.ts'
import { Registers } from './registers.ts'
import { Timer } from './timers.ts'
import type { WaitQueue } from './wait-queue.ts'

/** A segment of thread-local storage: an entry of the GDT, two words. */
export type TlsEntry = readonly [low: number, high: number]
export const NO_TLS: TlsEntry = [0, 0]

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
  ns: Namespaces
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
  readonly sleep: Timer
  /** Interrupted, this way: see `Answer`. 0: not. */
  restart = 0
  /** Continues a call that was interrupted by a signal without a handler: restart_syscall(2). */
  remembered: (() => number) | undefined = undefined
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
  /** Virtual run time and place in the scheduler's heap. */
  runtime = 0
  order = 0
  heapIndex = -1
  /** Instructions retired in it. */
  ticks = 0
  /** IOPL that it was given. */
  ioPrivilege = 0

  constructor(kernel: Kernel, tid: number, process: Process, parts: Pick<Task, 'ns' | 'space' | 'files' | 'context' | 'actions' | 'ids'>) {
    this.kernel = kernel
    this.tid = tid
    this.process = process
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
