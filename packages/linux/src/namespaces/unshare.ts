/** New namespaces, by clone(2) and unshare(2), and those of others, by setns(2). */
import type { Group } from '@vmexit/cgroup'
import type { TaskContext } from '@vmexit/vfs'
import { Errno } from '../errno.ts'
import { PidFd } from '../files/pidfd.ts'
import type { Kernel, Task } from '../system.ts'
import { Cap } from '../tasks/capabilities.ts'
import { Clone } from '../tasks/clone-flags.ts'
import { type Ids, inNamespace, isCapable } from '../tasks/credentials.ts'
import { enterNamespaces, leaveNamespaces, type Namespaces } from '../tasks/namespaces.ts'
import { IpcNamespace } from './ipc.ts'
import { CgroupNamespace, MountNamespace, TimeNamespace, UtsNamespace } from './kinds.ts'
import { NAMESPACE_FLAGS, NamespaceFlag, type NamespaceKind } from './namespace.ts'
import { namespaceOf } from './ns-fs.ts'
import { PidNamespace } from './pid.ts'
import { type OwnedNamespace, UserNamespace } from './user.ts'

/** A set for a child or for the task itself, and who it is in it. */
export interface Separated {
  readonly ns: Namespaces<Task>
  readonly ids: Ids
}

/** Those of a task, with new ones where `flags` say so. EPERM, ENOSPC. A new tree of mounts is still to be made. */
export function separate(task: Task, flags: number): Separated | number {
  let { ids, ns } = task
  if ((flags & NAMESPACE_FLAGS) === 0) return { ns, ids }
  if ((flags & NamespaceFlag.user) !== 0) {
    if (isInChroot(task.context)) return -Errno.EPERM
    const user = ids.user.child(ids.euid, ids.egid)
    if (typeof user === 'number') return user
    ids = inNamespace(ids, user)
    ns = { ...ns, user }
  }
  const others = flags & NAMESPACE_FLAGS & ~NamespaceFlag.user
  if (others === 0) return { ns, ids }
  if (!isCapable(ids, Cap.SYS_ADMIN, ids.user)) return -Errno.EPERM
  if ((flags & NamespaceFlag.pid) !== 0) {
    // One at a time: who has one for its children waits for them.
    if (ns.pidForChildren !== ns.pid) return -Errno.EINVAL
    if (ns.pid.isTooDeep) return -Errno.ENOSPC
  }
  return newNamespaces(task.kernel, { ns, ids }, others & ~NamespaceFlag.mnt, task.process.member.group)
}

/** New ones of the kinds in `flags`, whoever asks for them. */
export function newNamespaces(kernel: Kernel, { ns, ids }: Separated, flags: number, group: Group): Separated {
  const has = (kind: NamespaceKind): boolean => (flags & NamespaceFlag[kind]) !== 0
  const { numbers } = ids.user
  const user = has('user') ? new UserNamespace(numbers, ids.user, ids.euid, ids.egid) : ids.user
  return {
    ids: has('user') ? inNamespace(ids, user) : ids,
    ns: {
      ...ns,
      user,
      ...(has('mnt') && { mnt: new MountNamespace(numbers, user, ns.mnt.tree.clone(user !== ns.mnt.owner)) }),
      ...(has('uts') && { uts: new UtsNamespace(numbers, user, ns.uts) }),
      ...(has('ipc') && { ipc: new IpcNamespace(numbers, user) }),
      ...(has('net') && { net: kernel.network.separateNamespace(user) }),
      ...(has('cgroup') && { cgroup: new CgroupNamespace(numbers, user, group) }),
      ...(has('pid') && { pidForChildren: new PidNamespace<Task>(numbers, ns.pidForChildren, user) }),
      ...(has('time') && { timeForChildren: new TimeNamespace(numbers, user, ns.timeForChildren) }),
    },
  }
}

/** CLONE_NEWNS: the task of `context` sees a copy of its mounts, which only receives where its users are others. */
export function separateMounts(task: Task, context: TaskContext, { ns, ids }: Separated): Namespaces<Task> {
  task.kernel.vfs.unshareMounts(context, ids.user !== ns.mnt.owner)
  return { ...ns, mnt: new MountNamespace(ids.user.numbers, ids.user, context.tree) }
}

/** Is the task's root another than that of its mounts? */
function isInChroot({ root, tree }: TaskContext): boolean {
  const top = tree.covering({ mount: tree.root, dentry: tree.root.root })
  return root.mount !== top.mount || root.dentry !== top.dentry
}

/** Puts a task into other namespaces, as somebody else perhaps. */
export function moveTo(task: Task, { ns, ids }: Separated): void {
  enterNamespaces(ns)
  leaveNamespaces(task.ns)
  task.ns = ns
  if (ids !== task.ids) task.ids = ids
}

const UNSHARABLE = NAMESPACE_FLAGS | Clone.THREAD | Clone.FS | Clone.FILES | Clone.SIGHAND | Clone.VM | Clone.SYSVSEM

export function unshare(task: Task, wanted: number): number {
  const { kernel, process: proc } = task
  if ((wanted & ~UNSHARABLE) !== 0) return -Errno.EINVAL
  let flags = wanted
  if ((flags & NamespaceFlag.user) !== 0) flags |= Clone.THREAD | Clone.FS
  if ((flags & Clone.VM) !== 0) flags |= Clone.SIGHAND
  if ((flags & Clone.SIGHAND) !== 0) flags |= Clone.THREAD
  if ((flags & NamespaceFlag.mnt) !== 0) flags |= Clone.FS
  if ((flags & (Clone.THREAD | Clone.SIGHAND | Clone.VM)) !== 0 && proc.tasks.size > 1) return -Errno.EINVAL
  if ((flags & Clone.VM) !== 0 && task.space.users > 1) return -Errno.EINVAL
  const separated = separate(task, flags)
  if (typeof separated === 'number') return separated
  if ((flags & Clone.FILES) !== 0 && task.files.users > 1) {
    task.files.users--
    task.files = task.files.fork()
  }
  if ((flags & Clone.FS) !== 0) ownContext(task)
  const ns = (flags & NamespaceFlag.mnt) === 0 ? separated.ns : separateMounts(task, task.context, separated)
  moveTo(task, { ns, ids: separated.ids })
  kernel.groups.changed.wake()
  return 0
}

/** Root and working directory are the task's alone from now on. */
function ownContext(task: Task): void {
  if (task.contextUsers.count === 1) return
  task.contextUsers.count--
  task.contextUsers = { count: 1 }
  task.context = task.kernel.vfs.fork(task.context)
  task.identify()
}

export function setns(task: Task, fd: number, flags: number): number {
  const file = task.files.get(fd)
  if (file === undefined) return -Errno.EBADF
  if (file instanceof PidFd) {
    if (flags === 0 || (flags & ~NAMESPACE_FLAGS) !== 0) return -Errno.EINVAL
    const target = file.task
    if (target === undefined) return -Errno.ESRCH
    if (!mayInspect(task, target)) return -Errno.EPERM
    return enter(task, namespacesOf(target, flags))
  }
  const found = file.file === undefined ? undefined : namespaceOf(file.file.inode)
  if (found === undefined || (flags !== 0 && flags !== NamespaceFlag[found.kind])) return -Errno.EINVAL
  return enter(task, [found])
}

/** Users first, in whose rights the others are entered. */
function namespacesOf({ ns }: Task, flags: number): OwnedNamespace[] {
  const kinds: readonly NamespaceKind[] = ['user', 'mnt', 'uts', 'ipc', 'pid', 'cgroup', 'net', 'time']
  return kinds.filter((kind) => (flags & NamespaceFlag[kind]) !== 0).map((kind) => ns[kind])
}

function enter(task: Task, wanted: readonly OwnedNamespace[]): number {
  let all: Separated = { ns: task.ns, ids: task.ids }
  for (const one of wanted) {
    const next = entered(task, all, one)
    if (typeof next === 'number') return next
    all = next
  }
  const { mnt } = all.ns
  if (mnt !== task.ns.mnt) task.kernel.vfs.enterTree(task.context, mnt.tree)
  moveTo(task, all)
  return 0
}

/** A set with one other namespace, as far as the task may; or an error. */
function entered(task: Task, { ns, ids }: Separated, one: OwnedNamespace): Separated | number {
  const both = isCapable(ids, Cap.SYS_ADMIN, one.owner) && isCapable(ids, Cap.SYS_ADMIN, ids.user)
  if (one instanceof UserNamespace) {
    if (one === ids.user || task.process.tasks.size > 1 || task.contextUsers.count > 1) return -Errno.EINVAL
    if (!isCapable(ids, Cap.SYS_ADMIN, one)) return -Errno.EPERM
    return { ns: { ...ns, user: one }, ids: inNamespace(ids, one) }
  }
  if (!both) return -Errno.EPERM
  if (one instanceof MountNamespace) {
    if (!isCapable(ids, Cap.SYS_CHROOT, ids.user)) return -Errno.EPERM
    return task.contextUsers.count > 1 ? -Errno.EINVAL : { ids, ns: { ...ns, mnt: one } }
  }
  if (one instanceof TimeNamespace) {
    if (task.process.tasks.size > 1) return -Errno.EUSERS
    one.isFrozen = true
    return { ids, ns: { ...ns, time: one, timeForChildren: one } }
  }
  if (one instanceof PidNamespace) {
    const pid = one as PidNamespace<Task>
    return pid.isWithin(ns.pid) ? { ids, ns: { ...ns, pidForChildren: pid } } : -Errno.EINVAL
  }
  return { ids, ns: { ...ns, [one.kind]: one } }
}

/** May a task look into another one: its files, its namespaces, its memory? (ptrace(2), "Ptrace access mode checking".) */
export function mayInspect(task: Task, target: Task): boolean {
  if (task.process === target.process) return true
  const { ids } = task
  const theirs = target.ids
  const isSame =
    [theirs.uid, theirs.euid, theirs.suid].every((uid) => uid === ids.fsuid) &&
    [theirs.gid, theirs.egid, theirs.sgid].every((gid) => gid === ids.fsgid)
  const isCapableThere = isCapable(ids, Cap.SYS_PTRACE, theirs.user)
  if (!isSame && !isCapableThere) return false
  if (target.process.settings.isDumpable === 0 && !isCapableThere) return false
  const hasLess = ids.user === theirs.user && (theirs.caps.permitted & ~ids.caps.effective) === 0n
  return hasLess || isCapableThere
}
