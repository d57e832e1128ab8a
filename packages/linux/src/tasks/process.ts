/** Processes: what the threads of one share (credentials(7), wait(2), setpgid(2)). */
import type { Path } from '@vmexit/vfs'
import { SignalQueue } from '../signals/queue.ts'
import { Signal } from '../signals/set.ts'
import type { Tty } from '../tty/tty.ts'
import type { Account } from './account.ts'
import { Limits } from './limits.ts'
import type { Task } from './task.ts'
import { Timer } from './timers.ts'
import { WaitQueue } from './wait-queue.ts'

/** A session: processes of one login, which may have a terminal. */
export class Session {
  readonly id: number
  tty: Tty | null = null

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
  /** Told when it has ended: for whoever started it from outside. */
  onExit: ((status: number) => void) | undefined = undefined

  constructor(pid: number, parent: Process | null, session: Session, group: number, account: Account, started: number, onAlarm: (process: Process) => void) {
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
