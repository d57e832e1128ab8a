/** Calls on users and groups: setuid(2), setreuid(2), setresuid(2), setfsuid(2), setgroups(2), and those of groups. */
import { Errno } from '../errno.ts'
import { NO_ID } from '../namespaces/user.ts'
import type { Task } from '../system.ts'
import { Cap } from './capabilities.ts'
import { type Ids, withFileUser, withUsers } from './credentials.ts'

/** Users or groups. */
type Which = 'u' | 'g'
/** No change. */
const SAME = -1

/** An id as the program gives it: of the first namespace, `SAME`, or undefined where it means nobody. */
function given(task: Task, which: Which, id: number): number | undefined {
  if (id >>> 0 === NO_ID) return SAME
  const { user } = task.ids
  const found = (which === 'u' ? user.uids : user.gids).toKernel(id >>> 0)
  return found === -1 ? undefined : found
}

/** An id as the program is told it. */
export function shownId(task: Task, which: Which, id: number): number {
  const { user } = task.ids
  return (which === 'u' ? user.uids : user.gids).shown(id)
}

const now = (ids: Ids, which: Which): [number, number, number] =>
  which === 'u' ? [ids.uid, ids.euid, ids.suid] : [ids.gid, ids.egid, ids.sgid]

function mayChange(task: Task, which: Which): boolean {
  return task.capable(which === 'u' ? Cap.SETUID : Cap.SETGID, task.ids.user)
}

function change(task: Task, which: Which, [real, effective, saved]: readonly [number, number, number]): number {
  task.ids =
    which === 'u'
      ? withUsers(task.ids, { uid: real, euid: effective, suid: saved, fsuid: effective })
      : { ...task.ids, gid: real, egid: effective, sgid: saved, fsgid: effective }
  return 0
}

/** setresuid(2): −1 leaves an id as it is. */
export function setIds(task: Task, which: Which, real: number, effective: number, saved: number): number {
  const wanted = [real, effective, saved].map((id) => given(task, which, id))
  if (wanted.includes(undefined)) return -Errno.EINVAL
  const before = now(task.ids, which)
  if (!mayChange(task, which) && wanted.some((id) => id !== SAME && !before.includes(id!))) return -Errno.EPERM
  return change(task, which, wanted.map((id, n) => (id === SAME ? before[n]! : id!)) as [number, number, number])
}

/** setuid(2): all three for whoever may, else the effective one. */
export function setId(task: Task, which: Which, id: number): number {
  const wanted = given(task, which, id)
  if (wanted === undefined || wanted === SAME) return -Errno.EINVAL
  const [real, , saved] = now(task.ids, which)
  if (mayChange(task, which)) return change(task, which, [wanted, wanted, wanted])
  return wanted === real || wanted === saved ? change(task, which, [real, wanted, saved]) : -Errno.EPERM
}

/** setreuid(2): the saved one follows the effective one where that becomes another than the real one was. */
export function setReal(task: Task, which: Which, real: number, effective: number): number {
  const [r, e] = [given(task, which, real), given(task, which, effective)]
  if (r === undefined || e === undefined) return -Errno.EINVAL
  const before = now(task.ids, which)
  if (!mayChange(task, which)) {
    if (r !== SAME && r !== before[0] && r !== before[1]) return -Errno.EPERM
    if (e !== SAME && !before.includes(e)) return -Errno.EPERM
  }
  const after = e === SAME ? before[1] : e
  const follows = r !== SAME || (e !== SAME && e !== before[0])
  return change(task, which, [r === SAME ? before[0] : r, after, follows ? after : before[2]])
}

/** setfsuid(2): answers the one before, whatever comes of it. */
export function setFileId(task: Task, which: Which, id: number): number {
  const { ids } = task
  const before = which === 'u' ? ids.fsuid : ids.fsgid
  const wanted = given(task, which, id)
  if (wanted !== undefined && wanted !== SAME) {
    if ([...now(ids, which), before].includes(wanted) || mayChange(task, which))
      task.ids = which === 'u' ? withFileUser(ids, wanted) : { ...ids, fsgid: wanted }
  }
  return shownId(task, which, before)
}

/** getresuid(2). */
export function getIds(task: Task, which: Which, at: readonly [number, number, number]): number {
  for (const [n, id] of now(task.ids, which).entries()) task.kernel.memory.set32(at[n]!, shownId(task, which, id))
  return 0
}

export function getgroups(task: Task, count: number, at: number): number {
  const { groups } = task.ids
  if (count < 0) return -Errno.EINVAL
  if (count === 0) return groups.length
  if (count < groups.length) return -Errno.EINVAL
  for (const [n, group] of groups.entries()) task.kernel.memory.set32(at + n * 4, shownId(task, 'g', group))
  return groups.length
}

/** setgroups(2), the numbers at an address being read by `read`. */
export function setgroups(
  task: Task,
  count: number,
  at: number,
  read = (n: number): number => task.kernel.memory.get32(at + n * 4),
): number {
  const { user } = task.ids
  if (!task.capable(Cap.SETGID, user) || !user.maySetGroups || user.gids.extents.length === 0) return -Errno.EPERM
  if (count < 0 || count > 65_536) return -Errno.EINVAL
  const groups = Array.from({ length: count }, (_, n) => user.gids.toKernel(read(n)))
  if (groups.includes(-1)) return -Errno.EINVAL
  task.ids = { ...task.ids, groups: groups.toSorted((a, b) => a - b) }
  return 0
}
