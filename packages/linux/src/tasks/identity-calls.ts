/** Who a process is beside setuid(2) and its kin: setfsuid(2), capget(2), personality(2). */
import { Errno } from '../errno.ts'
import type { Task } from '../system.ts'

/** setfsuid(2), setfsgid(2): they answer what was before, whether it is changed or not. */
export function setFileId(task: Task, which: 'u' | 'g', id: number): number {
  const { ids } = task
  const before = which === 'u' ? ids.fsuid : ids.fsgid
  const own = which === 'u' ? [ids.uid, ids.euid, ids.suid, ids.fsuid] : [ids.gid, ids.egid, ids.sgid, ids.fsgid]
  if (id !== -1 && (task.isPrivileged || own.includes(id >>> 0)))
    task.ids = which === 'u' ? { ...ids, fsuid: id >>> 0 } : { ...ids, fsgid: id >>> 0 }
  return before
}

const V1 = 0x1998_0330
const V2 = 0x2007_1026
const V3 = 0x2008_0522
const HIGH = 0x1ff

/** Root has all capabilities, others none; who gave up root's rights for a while may have them again. */
export function capget(task: Task, header: number, data: number): number {
  const { memory } = task.kernel
  const version = memory.get32(header)
  if (version !== V3 && version !== V1 && version !== V2) {
    memory.set32(header, V3)
    return data === 0 ? 0 : -Errno.EINVAL
  }
  const pid = memory.get32(header + 4) | 0
  if (pid < 0) return -Errno.EINVAL
  const target = pid === 0 ? task : task.ns.pid.tasks.get(pid)
  if (target === undefined) return -Errno.ESRCH
  if (data === 0) return 0
  const { uid, euid, suid } = target.ids
  const permitted = uid === 0 || euid === 0 || suid === 0
  const words = [...[euid === 0 ? -1 : 0, permitted ? -1 : 0, 0], ...[euid === 0 ? HIGH : 0, permitted ? HIGH : 0, 0]]
  for (const [n, word] of words.slice(0, version === V1 ? 3 : 6).entries()) memory.set32(data + n * 4, word)
  return 0
}

/** personality(2): kept and told, as Linux does with all but a few of its bits. */
export function personality(task: Task, wanted: number): number {
  const before = task.process.personality
  if (wanted !== 0xffff_ffff) task.process.personality = wanted
  return before
}
