/** O_ASYNC: who is told by a signal that a file can be read or written (fcntl(2), `F_SETOWN`, `F_SETSIG`). */
import { Code, type SignalInfo, type SignalQueue } from '../signals/queue.ts'
import { sendToProcess, sendToTask } from '../signals/send.ts'
import { Signal } from '../signals/set.ts'
import type { Kernel, Process, Task } from '../system.ts'
import { Limit } from '../tasks/limits.ts'
import { type OpenFile, Poll } from './open-file.ts'

/** FASYNC. */
export const O_ASYNC = 0o20000
/** Who is told: `f_owner_ex`. */
export const Owner = { THREAD: 0, PROCESS: 1, GROUP: 2 } as const

/** Signals of which `si_code` means something else, and what it is then. */
const OWN_CODES = new Set<number>([
  ...[Signal.SIGILL, Signal.SIGFPE, Signal.SIGSEGV, Signal.SIGBUS],
  ...[Signal.SIGTRAP, Signal.SIGCHLD, Signal.SIGSYS],
])
const SI_SIGIO = -5
const PLAIN: SignalInfo = { signal: Signal.SIGIO, code: Code.SI_KERNEL }
/** POLL_IN and POLL_OUT, `si_code` of SIGPOLL, with `si_band`. That the other end has gone is news for who reads or writes. */
const NEWS: readonly (readonly [is: number, code: number, band: number])[] = [
  [Poll.IN | Poll.HUP, 1, Poll.IN | Poll.RDNORM],
  [Poll.OUT | Poll.ERR, 2, Poll.OUT | Poll.WRNORM | Poll.WRBAND],
]

/** Has the file tell its owner from now on, or no longer. `fd` is the number that the owner is told. */
export function setAsync(task: Task, file: OpenFile, fd: number, on: boolean): void {
  const isOn = file.notice !== undefined
  if (on === isOn) return
  const { terminal } = file
  // Of a terminal that is nobody's: who is in its foreground.
  if (on && terminal !== undefined && file.owner === 0) {
    const { foreground } = terminal
    setOwner(file, task, foreground > 0 ? Owner.GROUP : Owner.PROCESS, foreground > 0 ? foreground : task.process.pid)
  }
  file.flags = on ? file.flags | O_ASYNC : file.flags & ~O_ASYNC
  file.notice?.end()
  file.notice = on ? new Notice(task.kernel, file, fd) : undefined
}

/** Who is to be told from now on: a process, thread or group by its number. */
export function setOwner(file: OpenFile, { kernel, ids }: Task, kind: number, owner: number): void {
  file.owner = owner
  file.ownerKind = kind
  file.ownedBy = whoHas(kernel, kind, owner)
  file.ownerSetBy = { uid: ids.uid, euid: ids.euid }
}
/** The owner's number; 0 where it has ended. */
export function ownerOf(kernel: Kernel, { owner, ownerKind, ownedBy }: OpenFile): number {
  return whoHas(kernel, ownerKind, owner) === ownedBy ? owner : 0
}
function whoHas({ processes, ns }: Kernel, kind: number, number: number): object | undefined {
  if (kind === Owner.GROUP) return undefined
  return kind === Owner.THREAD ? ns.pid.tasks.get(number) : processes.get(number)
}

/** Looks at a file whenever somebody who waits for it would be woken. */
class Notice {
  readonly #kernel: Kernel
  readonly #file: OpenFile
  readonly #fd: number
  readonly #look = (): void => this.#tell()
  #ready: number
  #edges: number

  constructor(kernel: Kernel, file: OpenFile, fd: number) {
    this.#kernel = kernel
    this.#file = file
    this.#fd = fd
    this.#ready = file.poll()
    this.#edges = file.edges
    file.queue?.watch(this.#look)
  }

  end(): void {
    this.#file.queue?.unwatch(this.#look)
  }

  /** What was not so before, and what came once more. */
  #tell(): void {
    const file = this.#file
    const [ready, edges] = [file.poll(), file.edges]
    const more = edges === this.#edges ? 0 : ready & (file.isReadable ? Poll.IN : Poll.OUT)
    const fresh = (ready & ~this.#ready) | more
    this.#ready = ready
    this.#edges = edges
    const news = NEWS.find(([is]) => (fresh & is) !== 0)
    if (news !== undefined) tellOwner(this.#kernel, file, this.#fd, news[1], news[2])
  }
}

/** Sends the signal that a file's owner is to get, with `si_code` and `si_band` if it is another than SIGIO. */
export function tellOwner(kernel: Kernel, file: OpenFile, fd: number, code: number, band: number): void {
  const { ownerKind, signal } = file
  const { processes, ns } = kernel
  const owner = ownerOf(kernel, file)
  if (owner === 0) return
  const told: SignalInfo = signal === 0 ? PLAIN : { signal, code: OWN_CODES.has(signal) ? SI_SIGIO : code, band, fd }
  if (ownerKind === Owner.THREAD) {
    const task = ns.pid.tasks.get(owner)
    if (task !== undefined && maySignal(file, task)) sendToTask(task, fitting(task.process, task.pending, told))
    return
  }
  for (const proc of ownerKind === Owner.PROCESS ? [processes.get(owner)] : processes.values()) {
    const isOwner = proc !== undefined && (ownerKind === Owner.PROCESS || proc.group === owner)
    if (isOwner && maySignal(file, proc.leader)) sendToProcess(proc, fitting(proc, proc.pending, told))
  }
}

/** As kill(2) of who has named the owner. */
function maySignal({ ownerSetBy: { uid, euid } }: OpenFile, { ids }: Task): boolean {
  return euid === 0 || [uid, euid].some((id) => id === ids.uid || id === ids.suid)
}

/** Real-time signals queue up to a limit; with more, SIGIO says that something was lost. */
function fitting({ limits }: Process, pending: SignalQueue, told: SignalInfo): SignalInfo {
  return told.signal >= 32 && pending.size >= limits.soft[Limit.SIGPENDING]! ? PLAIN : told
}
