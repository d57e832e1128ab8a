/** mount(2) and umount2(2): tmpfs, proc, sysfs and cgroup2 anew, and what is mounted already at other places. */
import { type ByteString, type FileSystem, type Mount, MountFlag, type TaskContext } from '@vmexit/vfs'
import { CgroupFs } from '../cgroups/cgroup-fs.ts'
import { chargedTmpFs, fileSystemGone } from '../cgroups/charges.ts'
import { Errno } from '../errno.ts'
import { PAGE } from '../memory/frames.ts'
import { ProcFs } from '../proc/proc-fs.ts'
import { isMountPoint, SysFs } from '../sys/sys-fs.ts'
import type { Task } from '../system.ts'
import { Cap } from '../tasks/capabilities.ts'

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

export function mount(
  task: Task,
  source: ByteString,
  target: ByteString,
  type: ByteString,
  flags: number,
  data: ByteString,
): number {
  const { vfs } = task.kernel
  const { context } = task
  if (!mayMount(task)) return -Errno.EPERM
  const kept = (flags & KEPT) | ((flags & (MountFlag.NOATIME | Flag.STRICTATIME)) === 0 ? MountFlag.RELATIME : 0)
  const recursive = (flags & Flag.REC) !== 0
  if ((flags & Flag.REMOUNT) !== 0) {
    const there = vfs.mountAt(context, target)
    if (typeof there === 'number') return there
    if ((there.lockedFlags & ~kept) !== 0) return -Errno.EPERM
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
  const fs = newFileSystem(task, type, data)
  if (typeof fs === 'number') return fs
  const { user } = task.ids
  // Devices in what users of a namespace have mounted stand for nothing.
  const own = user.parent === null ? 0 : MountFlag.NODEV
  if (user.parent !== null && task.kernel.fileSystemOwners.get(fs) === undefined)
    task.kernel.fileSystemOwners.set(fs, user)
  const made = vfs.mount(context, fs, target, { source: source || 'none', flags: kept | own })
  if (typeof made !== 'number') return 0
  // Nobody has it: what it was charged for is given back.
  fileSystemGone(fs)
  return made
}

/** Mounts are for administrators of the mount namespace. */
function mayMount(task: Task): boolean {
  return task.capable(Cap.SYS_ADMIN, task.ns.mnt.owner)
}

/** A file system of a type: what it shows is what the task's namespaces say. */
function newFileSystem(task: Task, type: ByteString, data: ByteString): FileSystem | number {
  const { kernel, ns } = task
  switch (type) {
    case 'tmpfs':
    case 'ramfs':
      return newTmpFs(task, data)
    case 'proc':
      if (!task.capable(Cap.SYS_ADMIN, ns.pid.owner) || hidesPart(task, type)) return -Errno.EPERM
      return new ProcFs(kernel, ns.pid)
    case 'sysfs':
      if (!task.capable(Cap.SYS_ADMIN, ns.net.owner) || hidesPart(task, type)) return -Errno.EPERM
      return new SysFs(kernel, ns.net)
    case 'cgroup2':
      if (!task.capable(Cap.SYS_ADMIN, ns.cgroup.owner)) return -Errno.EPERM
      return new CgroupFs(kernel, ns.cgroup.root)
    default:
      return -Errno.ENODEV
  }
}

/** Bytes or a count, as tmpfs(5) has them: with k, m or g, or of bytes as a part of all memory. */
function amount(text: string, memory: number): number {
  const [, digits, unit] = /^([0-9]{1,12})([kKmMgG%]?)$/.exec(text) ?? []
  if (digits === undefined) return Number.NaN
  if (unit === '%') return Math.floor((Number(digits) * memory) / 100)
  return Number(digits) * 1024 ** ' kmg'.indexOf((unit || ' ').toLowerCase())
}

/** A tmpfs with its options: EINVAL for those that it has not. */
function newTmpFs({ kernel, ids }: Task, data: ByteString): FileSystem | number {
  const options: { sizeBytes?: number; inodes?: number; mode?: number; uid: number; gid: number } = {
    uid: ids.fsuid,
    gid: ids.fsgid,
  }
  const { uids, gids } = ids.user
  const memory = kernel.frames.count * PAGE
  // (0 is without a limit.)
  const limit = (value: string): number => (value === '0' ? Number.POSITIVE_INFINITY : amount(value, memory))
  for (const word of data.split(',').filter((each) => each !== '')) {
    const [name, value = ''] = word.split('=')
    let number = -1
    if (name === 'size') options.sizeBytes = number = limit(value)
    else if (name === 'nr_inodes') options.inodes = number = limit(value)
    else if (name === 'mode' && /^[0-7]{1,5}$/.test(value)) options.mode = number = Number.parseInt(value, 8) & 0o7777
    else if (name === 'uid') options.uid = number = uids.toKernel(amount(value, 0))
    else if (name === 'gid') options.gid = number = gids.toKernel(amount(value, 0))
    if (!(number >= 0)) return -Errno.EINVAL
  }
  return chargedTmpFs(kernel, options)
}

/** A new /proc or /sys must not show what is covered in every one that the namespace has (Linux's `mount_too_revealing`). */
function hidesPart({ ids, ns }: Task, type: ByteString): boolean {
  if (ids.user.parent === null) return false
  const known = ns.mnt.tree.all().filter((mount) => mount.super.fs.type === type && mount.root === mount.super.root)
  const hides = ({ locked, mountpoint }: Mount): boolean => locked && !isMountPoint(mountpoint?.inode)
  return !known.some((mount) => ![...mount.children.values()].some(hides))
}

/** pivot_root(2). */
export function pivotRoot(task: Task, path: ByteString, putOld: ByteString): number {
  if (!mayMount(task)) return -Errno.EPERM
  const { kernel, context } = task
  const contexts = new Set<TaskContext>()
  for (const proc of kernel.processes.values())
    for (const other of proc.tasks) if (other.context.tree === context.tree) contexts.add(other.context)
  return kernel.vfs.pivotRoot(context, path, putOld, contexts)
}

/** MNT_DETACH is 2. */
export function umount(task: Task, target: ByteString, flags: number): number {
  if (!mayMount(task)) return -Errno.EPERM
  if ((flags & ~0xf) !== 0) return -Errno.EINVAL
  return task.kernel.vfs.umount(task.context, target, (flags & 2) !== 0)
}
