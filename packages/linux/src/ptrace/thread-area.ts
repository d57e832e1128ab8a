/** PTRACE_GET_THREAD_AREA and PTRACE_SET_THREAD_AREA: `struct user_desc` of another task's thread-local storage. */
import { Errno } from '../errno.ts'
import { Selector } from '../machine.ts'
import type { UserMemory } from '../memory/user-memory.ts'
import type { Task } from '../system.ts'
import { descriptorOf, tlsEntry } from '../tasks/segments.ts'

export function descriptorAt(target: Task, memory: UserMemory, entry: number, at: number): number {
  const tls = target.tls[entry - Selector.firstTls]
  if (tls === undefined) return -Errno.EINVAL
  const { base, limit, flags } = descriptorOf(entry, tls)
  for (const [n, word] of [entry, base, limit, flags].entries()) memory.set32(at + n * 4, word)
  return 0
}

export function setDescriptor(target: Task, memory: UserMemory, entry: number, at: number): number {
  const index = entry - Selector.firstTls
  if (target.tls[index] === undefined) return -Errno.EINVAL
  const [base, limit, flags] = [4, 8, 12].map((offset) => memory.get32(at + offset))
  target.tls[index] = tlsEntry({ entry, base: base!, limit: limit!, flags: flags! })
  target.hasStaleTls = true
  return 0
}
