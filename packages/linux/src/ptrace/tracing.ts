/** What a traced task has of its tracer (ptrace(2)): how it goes on, and what it is stopped for. */
import type { SignalInfo } from '../signals/queue.ts'

/** Options, by `PTRACE_O_`; those of events are their numbers as bits. */
export const TraceOption = {
  TRACESYSGOOD: 1,
  TRACEFORK: 2,
  TRACEVFORK: 4,
  TRACECLONE: 8,
  TRACEEXEC: 0x10,
  TRACEVFORKDONE: 0x20,
  TRACEEXIT: 0x40,
  TRACESECCOMP: 0x80,
  EXITKILL: 0x10_0000,
  /** All that there are here: PTRACE_O_SUSPEND_SECCOMP is not. */
  ALL: 0x10_00ff,
} as const

/** Events, by `PTRACE_EVENT_`. */
export const TraceEvent = {
  FORK: 1,
  VFORK: 2,
  CLONE: 3,
  EXEC: 4,
  VFORK_DONE: 5,
  EXIT: 6,
  SECCOMP: 7,
  STOP: 128,
} as const

/** Why a task is stopped for its tracer. */
export interface TraceStop {
  readonly kind: 'signal' | 'group' | 'entry' | 'exit' | 'event'
  /** The upper three bytes of what wait(2) tells: a signal, and an event above it. */
  readonly code: number
  /** Undefined of a group stop. */
  readonly info: SignalInfo | undefined
}

/** An event that waits until the call is left, or begins to wait. */
export interface OwedEvent {
  readonly event: number
  readonly message: number
}

/** `P` is what a process is. */
export class Tracing<P> {
  readonly tracer: P
  /** By PTRACE_SEIZE: it is not stopped by a signal when it begins, and stops of its group are told apart. */
  readonly isSeized: boolean
  options: number
  /** How it goes on: to its end, to the next call, over one instruction, or to the next call, which is not made. */
  mode: 'free' | 'calls' | 'step' | 'emulate' = 'free'
  stop: TraceStop | undefined = undefined
  /** wait(2) has told the stop. */
  isTold = false
  /** It stays stopped with its group, and nothing may be asked of it: PTRACE_LISTEN. */
  isListening = false
  /** PTRACE_GETEVENTMSG. */
  message = 0
  /** It is to stop as soon as it can: interrupted, new, or with its group. */
  trap = false
  owed: OwedEvent | undefined = undefined
  /** A call is over: it stops if it was to go on to the next call. */
  owesExit = false
  /** A signal that the tracer has seen and passed on. */
  passed: SignalInfo | undefined = undefined
  /** The tracer has been told its end before. */
  hasToldExit = false
  /** TF in its flags is the tracer's. */
  hasTrapFlag = false

  constructor(tracer: P, isSeized: boolean, options: number) {
    this.tracer = tracer
    this.isSeized = isSeized
    this.options = options
  }

  /** Does the tracer want to know of an event? */
  wants(event: number): boolean {
    return event < 32 && (this.options & (1 << event)) !== 0
  }
  /** It will stop for an event if the tracer wants to know of it. */
  owe(event: number, message: number): boolean {
    if (!this.wants(event)) return false
    this.owed = { event, message }
    return true
  }
  /** The stop is over. */
  goOn(): void {
    this.stop = undefined
    this.isListening = false
  }
}

/** A traced task that has ended, until its tracer has waited for it. */
export interface EndedTracee<P> {
  readonly tid: number
  readonly process: P
  readonly status: number
  /** The parent is told when the tracer knows. */
  readonly isProcess: boolean
}
