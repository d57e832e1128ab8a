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

const PLAIN: SignalInfo = { signal: Signal.SIGIO, code: Code.SI_KERNEL }
/** POLL_IN and POLL_OUT, `si_code` of SIGPOLL, with `si_band`. That the other end has gone is news for who reads or writes. */
const NEWS: readonly (readonly [is: number, code: number, band: number])[] = [
  [Poll.IN | Poll.HUP, 1, Poll.IN | Poll.RDNORM],
  [Poll.OUT | Poll.ERR, 2, Poll.OUT | Poll.WRNORM | Poll.WRBAND],
]

/** Has the file tell its owner from now on, or no longer. `fd` is the number that the owner is told. */
export function setAsync(kernel: Kernel, file: OpenFile, fd: number, on: boolean): void {
  const isOn = file.notice !== undefined
  if (on === isOn) return
  file.flags = on ? file.flags | O_ASYNC : file.flags & ~O_ASYNC
  file.notice?.end()
  file.notice = on ? new Notice(kernel, file, fd) : undefined
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
    const more = edges === this.#edges ? 0 : ready & Poll.IN
    const fresh = (ready & ~this.#ready) | more
    this.#ready = ready
    this.#edges = edges
    const news = NEWS.find(([is]) => (fresh & is) !== 0)
    if (news !== undefined) tellOwner(this.#kernel, file, this.#fd, news[1], news[2])
  }
}

/** Sends the signal that a file's owner is to get, with `si_code` and `si_band` if it is another than SIGIO. */
export function tellOwner(kernel: Kernel, file: OpenFile, fd: number, code: number, band: number): void {
  const { owner, ownerKind, signal } = file
  const { processes, ns } = kernel
  if (owner === 0) return
  const told: SignalInfo = signal === 0 ? PLAIN : { signal, code, band, fd }
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
