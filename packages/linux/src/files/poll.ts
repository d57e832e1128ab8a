/** Waiting for several files: poll(2), ppoll(2), select(2), pselect6(2). */
import { Answer, Errno } from '../errno.ts'
import type { Task } from '../system.ts'
import { Limit } from '../tasks/limits.ts'
import { Poll } from './open-file.ts'

const ALWAYS_TOLD = Poll.ERR | Poll.HUP
/** Of select(2): what counts as readable, writable, exceptional. */
const READABLE = Poll.IN | Poll.RDNORM | Poll.HUP | Poll.ERR
const WRITABLE = Poll.OUT | Poll.WRNORM | Poll.ERR

/** `struct pollfd` at an address, so many of them; `deadline` in virtual nanoseconds, undefined for a time that is none. */
export function poll(task: Task, at: number, count: number, deadline: number | undefined): number {
  const { kernel } = task
  const { memory } = kernel
  if (deadline === undefined || count > task.process.limits.soft[Limit.NOFILE]!) return -Errno.EINVAL
  let ready = 0
  for (let n = 0; n < count; n++) {
    const entry = at + n * 8
    const fd = memory.get32(entry) | 0
    const wanted = memory.get16(entry + 4)
    const file = fd < 0 ? undefined : task.files.get(fd)
    const events =
      fd < 0 ? 0 : file === undefined || file.file?.isPath ? Poll.NVAL : file.poll() & (wanted | ALWAYS_TOLD)
    memory.set16(entry + 6, events)
    if (events !== 0) ready++
  }
  if (ready > 0 || kernel.now >= deadline) return ready
  const answer = kernel.blockUntil(deadline, undefined, Answer.RESTART_NOHAND)
  if (answer !== Answer.BLOCK) return answer
  for (let n = 0; n < count; n++) {
    const fd = memory.get32(at + n * 8) | 0
    if (fd >= 0) task.files.get(fd)?.queue?.add(task)
  }
  return answer
}

/** select(2): sets of bits at three addresses, each of which may be 0. */
export function select(
  task: Task,
  count: number,
  reads: number,
  writes: number,
  exceptions: number,
  deadline: number | undefined,
): number {
  const { kernel } = task
  const { memory } = kernel
  if (deadline === undefined || count < 0) return -Errno.EINVAL
  const most = Math.min(count, 1024)
  const words = Math.ceil(most / 32)
  const sets = [reads, writes, exceptions].map((at) =>
    at === 0 ? [] : Array.from({ length: words }, (_, n) => memory.get32(at + n * 4)),
  )
  const found = sets.map(() => new Array<number>(words).fill(0))
  let ready = 0
  const waits: number[] = []
  for (let fd = 0; fd < most; fd++) {
    const bit = 1 << (fd % 32)
    const word = fd >>> 5
    const wanted = sets.map((set) => ((set[word] ?? 0) & bit) !== 0)
    if (!wanted.includes(true)) continue
    const file = task.files.get(fd)
    if (file === undefined) return -Errno.EBADF
    const events = file.poll()
    waits.push(fd)
    for (const [n, mask] of [READABLE, WRITABLE, Poll.PRI].entries()) {
      if (!wanted[n] || (events & mask) === 0) continue
      found[n]![word]! |= bit
      ready++
    }
  }
  if (ready === 0 && kernel.now < deadline) {
    const answer = kernel.blockUntil(deadline, undefined, Answer.RESTART_NOHAND)
    if (answer === Answer.BLOCK) for (const fd of waits) task.files.get(fd)?.queue?.add(task)
    return answer
  }
  for (const [n, at] of [reads, writes, exceptions].entries()) {
    if (at !== 0) for (let word = 0; word < words; word++) memory.set32(at + word * 4, found[n]![word]!)
  }
  return ready
}
