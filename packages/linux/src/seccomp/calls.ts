/** seccomp(2), and prctl(2)'s older way to it. */
import { Errno } from '../errno.ts'
import type { Task } from '../system.ts'
import { Cap } from '../tasks/capabilities.ts'
import { shownPid } from '../tasks/numbers.ts'
import { type BpfInstruction, isValidFilter, MOST_INSTRUCTIONS } from './bpf.ts'
import { SeccompAction, type SeccompFilter, SeccompMode } from './filter.ts'

const Operation = { STRICT: 0, FILTER: 1, GET_ACTION_AVAIL: 2 } as const
const Flag = { TSYNC: 1, LOG: 2, SPEC_ALLOW: 4, TSYNC_ESRCH: 0x10 } as const
const FLAGS = Flag.TSYNC | Flag.LOG | Flag.SPEC_ALLOW | Flag.TSYNC_ESRCH
/** Instructions of a filter and all before it, each with four more. */
const MOST_ON_A_PATH = 32_768

export function seccomp(task: Task, operation: number, flags: number, at: number): number {
  switch (operation) {
    case Operation.STRICT:
      return flags !== 0 || at !== 0 ? -Errno.EINVAL : setStrict(task)
    case Operation.FILTER:
      return setFilter(task, flags, at)
    case Operation.GET_ACTION_AVAIL:
      if (flags !== 0) return -Errno.EINVAL
      return isAvailable(task.kernel.memory.get32(at)) ? 0 : -Errno.EOPNOTSUPP
    default:
      return -Errno.EINVAL
  }
}

/** PR_SET_SECCOMP. */
export function setSeccompMode(task: Task, mode: number, at: number): number {
  if (mode === SeccompMode.STRICT) return setStrict(task)
  return mode === SeccompMode.FILTER ? setFilter(task, 0, at) : -Errno.EINVAL
}

function isAvailable(action: number): boolean {
  return action !== SeccompAction.USER_NOTIF && Object.values(SeccompAction).includes(action as 0)
}

function setStrict(task: Task): number {
  if (task.seccomp !== undefined && task.seccomp.mode !== SeccompMode.STRICT) return -Errno.EINVAL
  task.seccomp = { mode: SeccompMode.STRICT, filter: undefined }
  return 0
}

/** `struct sock_fprog` at an address. */
function readProgram(task: Task, at: number): BpfInstruction[] | undefined {
  const { memory } = task.kernel
  const length = memory.get16(at)
  if (length === 0 || length > MOST_INSTRUCTIONS) return undefined
  const from = memory.get32(at + 4)
  const bytes = new Uint8Array(length * 8)
  memory.read(from, bytes)
  const view = new DataView(bytes.buffer)
  return Array.from({ length }, (_, n) => ({
    ...{ code: view.getUint16(n * 8, true), jt: bytes[n * 8 + 2]!, jf: bytes[n * 8 + 3]! },
    k: view.getUint32(n * 8 + 4, true),
  }))
}

function setFilter(task: Task, flags: number, at: number): number {
  if ((flags & ~FLAGS) !== 0) return -Errno.EINVAL
  const program = readProgram(task, at)
  if (program === undefined) return -Errno.EINVAL
  if (!task.noNewPrivileges && !task.capable(Cap.SYS_ADMIN, task.ids.user)) return -Errno.EACCES
  if (!isValidFilter(program)) return -Errno.EINVAL
  if (task.seccomp?.mode === SeccompMode.STRICT) return -Errno.EINVAL
  const before = task.seccomp?.filter
  let total = program.length
  for (let filter = before; filter !== undefined; filter = filter.before) total += filter.program.length + 4
  if (total > MOST_ON_A_PATH) return -Errno.ENOMEM
  const others = (flags & Flag.TSYNC) === 0 ? [] : [...task.process.tasks].filter((other) => other !== task)
  const foreign = others.find((other) => other.seccomp !== undefined && !isBefore(other.seccomp.filter, before))
  if (foreign !== undefined) return (flags & Flag.TSYNC_ESRCH) !== 0 ? -Errno.ESRCH : shownPid(task, foreign.tid)
  task.seccomp = { mode: SeccompMode.FILTER, filter: { program, before } }
  for (const other of others) {
    other.seccomp = task.seccomp
    if (task.noNewPrivileges) other.noNewPrivileges = true
  }
  return 0
}

/** Is a thread's filter among those that this one has been built on? */
function isBefore(filter: SeccompFilter | undefined, own: SeccompFilter | undefined): boolean {
  for (let at = own; at !== undefined; at = at.before) if (at === filter) return true
  return false
}
