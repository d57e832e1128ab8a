/** /proc/PID: namespaces, maps of ids, control groups and mounts (proc(5), user_namespaces(7), time_namespaces(7)). */
import { MountFlag, type Path } from '@vmexit/vfs'
import { Errno } from '../errno.ts'
import type { NamespaceKind } from '../namespaces/namespace.ts'
import { nsFsOf } from '../namespaces/ns-fs.ts'
import { mayInspect } from '../namespaces/unshare.ts'
import { mapText, parseMap, throughParent, type UserNamespace } from '../namespaces/user.ts'
import type { Kernel, Task } from '../system.ts'
import { Cap } from '../tasks/capabilities.ts'
import { isCapable } from '../tasks/credentials.ts'
import { directory, link, type ProcDirectory, type ProcFile, type ProcNode } from './node.ts'

const KINDS: readonly NamespaceKind[] = ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'time', 'user', 'uts']
/** Seconds that an offset may be: KTIME_SEC_MAX / 2. */
const MOST_SECONDS = 2 ** 32

/** Where a link of a process leads, for those that may look into it. */
export function guarded<T>(kernel: Kernel, task: Task | undefined, value: (task: Task) => T): T | number {
  if (task === undefined) return -Errno.ENOENT
  const { current } = kernel
  return current === undefined || mayInspect(current, task) ? value(task) : -Errno.EACCES
}

/** /proc/PID/ns. */
export function namespaceDirectory(kernel: Kernel, task: () => Task | undefined): ProcDirectory {
  const entries: Record<string, ProcNode> = {}
  const add = (name: string, of: (task: Task) => Task['ns'][NamespaceKind]): void => {
    entries[name] = link(
      () => {
        const there = task()
        return there === undefined ? '' : of(there).label
      },
      () => guarded(kernel, task(), (there) => nsFsOf(kernel).place(of(there))),
    )
  }
  for (const kind of KINDS) add(kind, ({ ns }) => ns[kind])
  add('pid_for_children', ({ ns }) => ns.pidForChildren)
  add('time_for_children', ({ ns }) => ns.timeForChildren)
  return directory(entries)
}

/** /proc/PID/uid_map and gid_map. */
export function mapFile(kernel: Kernel, task: () => Task | undefined, which: 'uids' | 'gids'): ProcFile {
  return {
    kind: 'file',
    mode: 0o644,
    text() {
      const user = task()?.ids.user
      if (user === undefined) return ''
      const reader = kernel.current?.ids.user ?? user
      return mapText(user[which], (reader === user ? user.owner : reader)[which])
    },
    write: (text, position) =>
      position === 0 ? writeMap(kernel.current!, task()?.ids.user, which, text) : -Errno.EINVAL,
  }
}

function writeMap(writer: Task, user: UserNamespace | undefined, which: 'uids' | 'gids', text: string): number {
  if (user === undefined) return -Errno.ESRCH
  const { parent } = user
  const { ids } = writer
  const capability = which === 'uids' ? Cap.SETUID : Cap.SETGID
  if (parent === null || (ids.user !== user && ids.user !== parent)) return -Errno.EPERM
  if (user[which].extents.length > 0 || !isCapable(ids, Cap.SYS_ADMIN, user)) return -Errno.EPERM
  if (text.length >= 4096) return -Errno.EINVAL
  const extents = parseMap(text)
  if (extents === undefined) return -Errno.EINVAL
  const own = which === 'uids' ? ids.euid : ids.egid
  const [only] = extents
  const isOwn =
    extents.length === 1 && only!.count === 1 && user.uid === ids.euid && parent[which].toKernel(only!.outside) === own
  const maySet = isOwn && (which === 'uids' || !user.maySetGroups)
  if (!maySet && !isCapable(ids, capability, parent)) return -Errno.EPERM
  const found = throughParent(extents, parent[which])
  if (found === undefined) return -Errno.EPERM
  user[which].extents = found
  return 0
}

/** /proc/PID/setgroups. */
export function setgroupsFile(kernel: Kernel, task: () => Task | undefined): ProcFile {
  return {
    kind: 'file',
    mode: 0o644,
    text: () => (task()?.ids.user.maySetGroups === false ? 'deny\n' : 'allow\n'),
    write(text, position) {
      const user = task()?.ids.user
      const word = text.trimEnd()
      if (user === undefined || position !== 0 || (word !== 'allow' && word !== 'deny')) return -Errno.EINVAL
      if (!isCapable(kernel.current!.ids, Cap.SYS_ADMIN, user)) return -Errno.EPERM
      if (word === 'allow') return user.maySetGroups ? 0 : -Errno.EPERM
      if (user.gids.extents.length > 0) return -Errno.EPERM
      user.maySetGroups = false
      return 0
    },
  }
}

/** /proc/PID/timens_offsets: of the namespace that children are born into. */
export function timeOffsetsFile(kernel: Kernel, task: () => Task | undefined): ProcFile {
  const line = (name: string, offset: number): string => {
    const seconds = Math.floor(offset / 1e9)
    return `${name.padEnd(10)} ${String(seconds).padStart(10)} ${String(offset - seconds * 1e9).padStart(9)}\n`
  }
  return {
    kind: 'file',
    mode: 0o644,
    text() {
      const time = task()?.ns.timeForChildren
      return time === undefined ? '' : line('monotonic', time.monotonic) + line('boottime', time.boottime)
    },
    write(text) {
      const time = task()?.ns.timeForChildren
      if (time === undefined) return -Errno.ESRCH
      if (!isCapable(kernel.current!.ids, Cap.SYS_TIME, time.owner)) return -Errno.EPERM
      const offsets = new Map<'monotonic' | 'boottime', number>()
      for (const row of text.split('\n').filter((each) => each.trim() !== '')) {
        const found = /^(monotonic|boottime|1|7)[ \t]+(-?[0-9]{1,16})[ \t]+([0-9]{1,9})$/.exec(row.trim())
        if (found === null) return -Errno.EINVAL
        const [, clock, seconds, nanoseconds] = found
        const total = Number(seconds) * 1e9 + Number(nanoseconds)
        if (Math.abs(Number(seconds)) > MOST_SECONDS || kernel.now + total < 0) return -Errno.ERANGE
        offsets.set(clock === 'monotonic' || clock === '1' ? 'monotonic' : 'boottime', total)
      }
      if (time.isFrozen) return -Errno.EACCES
      for (const [clock, offset] of offsets) time[clock] = offset
      return 0
    },
  }
}

/** /proc/PID/cgroup, as the reader's namespace has it. */
export function cgroupText(kernel: Kernel, task: Task | undefined): string {
  const group = task?.process.member.group
  if (group === undefined) return '0::/\n'
  return `0::${group.pathFrom((kernel.current ?? task!).ns.cgroup.root)}\n`
}

const MOUNT_OPTIONS = [
  [MountFlag.NOSUID, 'nosuid'],
  [MountFlag.NODEV, 'nodev'],
  [MountFlag.NOEXEC, 'noexec'],
  [MountFlag.NOATIME, 'noatime'],
  [MountFlag.NODIRATIME, 'nodiratime'],
  [MountFlag.RELATIME, 'relatime'],
] as const

function optionsOf(flags: number): string {
  const own = MOUNT_OPTIONS.flatMap(([flag, name]) => ((flags & flag) !== 0 ? [name] : []))
  return [(flags & MountFlag.RDONLY) !== 0 ? 'ro' : 'rw', ...own].join(',')
}

/** Spaces and their like as octal numbers, so that words stay words. */
function word(text: string): string {
  return text.replace(/[ \t\n\\]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`)
}

/** Mounts that a task can reach from its root, with where they are. */
function* reachable(kernel: Kernel, task: Task | undefined) {
  const tree = task?.context.tree ?? kernel.tree
  for (const mount of tree.all()) {
    const root: Path = { mount, dentry: mount.root }
    const place = task === undefined ? '/' : kernel.vfs.pathName(task.context, root)
    if (!place.startsWith('(unreachable)')) yield { mount, place }
  }
}

/** /proc/PID/mounts. */
export function mountsText(kernel: Kernel, task: Task | undefined): string {
  let text = ''
  for (const { mount, place } of reachable(kernel, task))
    text += `${word(mount.source)} ${word(place)} ${mount.super.fs.type} ${optionsOf(mount.flags)} 0 0\n`
  return text
}

/** /proc/PID/mountinfo. */
export function mountInfoText(kernel: Kernel, task: Task | undefined): string {
  let text = ''
  for (const { mount, place } of reachable(kernel, task)) {
    const { super: of, parent, group, master } = mount
    const inside = kernel.vfs.pathWithin(mount)
    const spread = [
      ...(group === null ? [] : [`shared:${group.id}`]),
      ...(master === null ? [] : [`master:${master.id}`]),
      ...(mount.unbindable ? ['unbindable'] : []),
    ]
    const fields = [
      mount.id,
      parent?.id ?? mount.id,
      `0:${of.device}`,
      word(inside),
      word(place),
      optionsOf(mount.flags),
    ]
    const rest = ['-', of.fs.type, word(mount.source), of.fs.readOnly ? 'ro' : 'rw']
    text += `${[...fields, ...spread, ...rest].join(' ')}\n`
  }
  return text
}
