/** Signals that wait for delivery, with what is known of each (sigaction(2), `siginfo_t`). */
import { SignalSet } from './set.ts'

/** `si_code`. */
// biome-ignore format: a table
export const Code = {
  SI_USER: 0, SI_KERNEL: 0x80, SI_QUEUE: -1, SI_TIMER: -2, SI_TKILL: -6,
  SEGV_MAPERR: 1, SEGV_ACCERR: 2, BUS_ADRALN: 1, BUS_ADRERR: 2, FPE_INTDIV: 1, FPE_INTOVF: 2, FPE_FLTDIV: 3,
  FPE_FLTOVF: 4, FPE_FLTUND: 5, FPE_FLTRES: 6, FPE_FLTINV: 7, ILL_ILLOPN: 2, TRAP_BRKPT: 1, TRAP_TRACE: 2,
  CLD_EXITED: 1, CLD_KILLED: 2, CLD_DUMPED: 3, CLD_TRAPPED: 4, CLD_STOPPED: 5, CLD_CONTINUED: 6,
  SYS_SECCOMP: 1,
} as const

/** What comes with a signal. Fields that do not belong to it are 0. */
export interface SignalInfo {
  readonly signal: number
  readonly code: number
  readonly pid?: number
  readonly uid?: number
  /** Who has sent it, where `pid` is what the sender says of itself. */
  readonly sender?: number
  /** si_status of SIGCHLD, si_syscall of SIGSYS. */
  readonly status?: number
  /** si_errno. */
  readonly errno?: number
  /** Of what an instruction or a call did: it ends whom it does not suit, even the first process of a namespace. */
  readonly isForced?: boolean
  /** si_addr of faults. */
  readonly address?: number
  /** si_value, si_arch of SIGSYS. */
  readonly value?: number
  /** Of a timer: its number and overruns, where others have a process and a user. */
  readonly timer?: number
  readonly overrun?: number
  /** Of SIGPOLL, in their place: what poll(2) says, and of which descriptor. */
  readonly band?: number
  readonly fd?: number
  /** Vector and error code of a fault, for the context that a handler sees. */
  readonly trap?: number
  readonly error?: number
}

/** Waiting signals of a task, or of a process. Real-time signals queue; of others one waits. */
export class SignalQueue {
  readonly set: SignalSet = new SignalSet()
  readonly #infos: SignalInfo[] = []

  /** False where it waits already. */
  push(info: SignalInfo): boolean {
    if (info.signal < 32 && this.set.has(info.signal)) return false
    this.set.add(info.signal)
    this.#infos.push(info)
    return true
  }

  /** Takes the first one of a signal. */
  take(signal: number): SignalInfo {
    const index = this.#infos.findIndex((info) => info.signal === signal)
    const [info] = this.#infos.splice(index, 1)
    if (!this.#infos.some((other) => other.signal === signal)) this.set.delete(signal)
    return info!
  }

  /** Drops all of a signal. */
  drop(signal: number): void {
    while (this.set.has(signal)) this.take(signal)
  }

  clear(): void {
    this.#infos.length = 0
    this.set.set(0, 0)
  }

  get size(): number {
    return this.#infos.length
  }

  /** All that wait, in the order in which they came. */
  get list(): readonly SignalInfo[] {
    return this.#infos
  }

  /** The first one of a signal that waits, if any. */
  find(signal: number): SignalInfo | undefined {
    return this.#infos.find((info) => info.signal === signal)
  }
}

/** A handler, as sigaction(2) sets it. Handlers 0 and 1 are the default and to ignore. */
export interface SignalAction {
  handler: number
  flags: number
  restorer: number
  mask: SignalSet
}

/** `sa_flags`. */
export const ActionFlag = {
  NOCLDSTOP: 1,
  NOCLDWAIT: 2,
  SIGINFO: 4,
  RESTORER: 0x0400_0000,
  ONSTACK: 0x0800_0000,
  RESTART: 0x1000_0000,
  NODEFER: 0x4000_0000,
  /** SA_EXPOSE_TAGBITS: kept, without effect. */
  EXPOSE_TAGBITS: 0x800,
  /** As a signed word. */
  RESETHAND: -0x8000_0000,
} as const
export const SIG_DFL = 0
export const SIG_IGN = 1

const DEFAULT: SignalAction = { handler: SIG_DFL, flags: 0, restorer: 0, mask: new SignalSet() }

/** The handlers of a process: shared where CLONE_SIGHAND says so. */
export class SignalActions {
  readonly #actions: (SignalAction | undefined)[] = []

  get(signal: number): SignalAction {
    return this.#actions[signal] ?? DEFAULT
  }
  set(signal: number, action: SignalAction): void {
    this.#actions[signal] = action
  }
  fork(): SignalActions {
    const copy = new SignalActions()
    for (const [signal, action] of this.#actions.entries()) if (action) copy.set(signal, { ...action })
    return copy
  }
  /** exec: handlers are gone, ignored signals stay so. */
  reset(): void {
    this.#actions.forEach((action, signal) => {
      if (action && action.handler !== SIG_IGN) this.#actions[signal] = undefined
      else if (action) this.#actions[signal] = { ...DEFAULT, handler: SIG_IGN }
    })
  }
}
