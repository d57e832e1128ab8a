/** mount(2) and umount2(2): tmpfs and proc anew, and what is mounted already at other places. */
import { type ByteString, MountFlag, TmpFs } from '@vmexit/vfs'
import { Errno } from '../errno.ts'
import { ProcFs } from '../proc/proc-fs.ts'
import type { Task } from '../system.ts'

// biome-ignore format: a table
const Flag = {
  REMOUNT: 0x20, BIND: 0x1000, MOVE: 0x2000, REC: 0x4000, SILENT: 0x8000, UNBINDABLE: 0x2_0000, PRIVATE: 0x4_0000,
  SLAVE: 0x8_0000, SHARED: 0x10_0000, STRICTATIME: 0x100_0000,
} as const
/** What of the flags a mount keeps. */
const KEPT =
  MountFlag.RDONLY | MountFlag.NOSUID | MountFlag.NODEV | MountFlag.NOEXEC | MountFlag.NOATIME | MountFlag.NODIRATIME
const PROPAGATION = [
  [Flag.SHARED, 'shared'],
  [Flag.PRIVATE, 'private'],
  [Flag.SLAVE, 'slave'],
  [Flag.UNBINDABLE, 'unbindable'],
] as const

export function mount(task: Task, source: ByteString, target: ByteString, type: ByteString, flags: number): number {
  const { vfs, time } = task.kernel
  const { context } = task
  if (!task.isPrivileged) return -Errno.EPERM
  const kept = (flags & KEPT) | ((flags & (MountFlag.NOATIME | Flag.STRICTATIME)) === 0 ? MountFlag.RELATIME : 0)
  const recursive = (flags & Flag.REC) !== 0
  if ((flags & Flag.REMOUNT) !== 0) {
    const there = vfs.mountAt(context, target)
    if (typeof there === 'number') return there
    there.flags = kept
    return 0
  }
  if ((flags & Flag.BIND) !== 0) {
    const made = vfs.bind(context, source, target, recursive)
    return typeof made === 'number' ? made : 0
  }
  for (const [flag, how] of PROPAGATION) {
    if ((flags & flag) === 0) continue
    const there = vfs.mountAt(context, target)
    if (typeof there === 'number') return there
    context.tree.propagate(there, how, recursive)
    return 0
  }
  if ((flags & Flag.MOVE) !== 0) {
    const from = vfs.mountAt(context, source)
    const place = vfs.lookup(context, null, target)
    if (typeof from === 'number') return from
    return typeof place === 'number' ? place : context.tree.move(from, place)
  }
  const fs =
    type === 'tmpfs' || type === 'ramfs' ? new TmpFs({ time }) : type === 'proc' ? new ProcFs(task.kernel) : undefined
  if (fs === undefined) return -Errno.ENODEV
  const made = vfs.mount(context, fs, target, { source: source || 'none', flags: kept })
  return typeof made === 'number' ? made : 0
}

/** MNT_DETACH is 2. */
export function umount(task: Task, target: ByteString, flags: number): number {
  if (!task.isPrivileged) return -Errno.EPERM
  if ((flags & ~0xf) !== 0) return -Errno.EINVAL
  return task.kernel.vfs.umount(task.context, target, (flags & 2) !== 0)
}
