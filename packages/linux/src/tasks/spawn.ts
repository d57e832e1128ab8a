/** Programs that are started from outside, with streams of the host's. */

import type { Group } from '@vmexit/cgroup'
import { VmexitError } from '@vmexit/core'
import { type FileSystem, type TaskContext, toByteString } from '@vmexit/vfs'
import { Errno, nameOfErrno } from '../errno.ts'
import { become } from '../exec/exec.ts'
import { loadProgram } from '../exec/load.ts'
import { Descriptors } from '../files/descriptors.ts'
import type { OpenFile } from '../files/open-file.ts'
import { AddressSpace } from '../memory/address-space.ts'
import { MountNamespace } from '../namespaces/kinds.ts'
import { NamespaceFlag, type NamespaceKind } from '../namespaces/namespace.ts'
import { newNamespaces, type Separated } from '../namespaces/unshare.ts'
import type { IdMap } from '../namespaces/user.ts'
import type { NetNamespace } from '../net/namespace.ts'
import { SignalActions } from '../signals/queue.ts'
import { type Kernel, Process, Session, Task, type Terminal } from '../system.ts'
import { ALL_SETS, NO_SETS } from './capabilities.ts'
import { type Ids, userIds } from './credentials.ts'
import { KernelStack } from './kernel-stack.ts'
import { enterNamespaces, leaveNamespaces, type Namespaces } from './namespaces.ts'

/** A program, and with what it is to run. */
export interface Spawn {
  /** Path of the program in the kernel's file systems. */
  readonly path: string
  /** `argv`, the name of the program first. Default: the path alone. */
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Default `/`. */
  readonly cwd?: string
  readonly uid?: number
  readonly gid?: number
  /** Descriptors 0, 1, 2 …: files of the kernel's, as `HostInput` and `HostOutput`. The same one may stand there more than once. */
  readonly files?: readonly (OpenFile | undefined)[]
  /** The terminal that controls it: `HostTerminal.tty`. */
  readonly terminal?: Terminal
  /** Path of its control group, from the root of the hierarchy. Default `/`. */
  readonly cgroup?: string
  /** The network that it is in. Default: the kernel's. */
  readonly network?: NetNamespace
  /** A process whose namespaces it is in, with its root: as by setns(2). Default: the first ones. */
  readonly join?: Process
  /** Kinds of namespaces that are its own: as by unshare(2). It is number 1 of a pid namespace of its own. */
  readonly namespaces?: readonly NamespaceKind[]
  /**
   * The file system that its mount namespace, which is one of its own, begins with. Nothing else is mounted in there: what a
   * program has after pivot_root(2) and umount(2) of the old root, without there ever being an old one.
   */
  readonly root?: FileSystem
  /**
   * Done before the program is looked for: mounts, root, ids, capabilities and filters of the task are to be set here. What
   * it throws comes to the caller, and nothing is left of the task. `path`, `args`, `env` and `cwd` are read behind it.
   */
  readonly prepare?: (task: Task) => void
  /** Told when it has ended, with wait(2)'s status. */
  readonly onExit?: (status: number) => void
}

/** Starts a program in a session of its own. @throws VmexitError `exec-failed`. */
export function spawn(kernel: Kernel, program: Spawn): Process {
  const { groups } = kernel
  const { tree } = groups
  const group = tree.lookup(program.cgroup ?? program.join?.member.group.path ?? '/')
  if (group === undefined) return fail(program, `there is no group ${program.cgroup}`, 'make it, or name another one')
  const ids = idsOf(kernel, program)
  const separated = namespacesOf(kernel, program, ids, group)
  const { ns } = separated
  // Whoever does not get as far as a task leaves them again.
  enterNamespaces(ns)
  if (ns.pid.hasEnded) {
    leaveNamespaces(ns)
    return fail(program, 'the first process of its pid namespace has ended', 'join one that lives')
  }
  const pid = ns.pid.allocate()
  const member = pid === 0 ? -Errno.EAGAIN : tree.members.fork(pid, group)
  if (typeof member === 'number') {
    kernel.ns.pid.drop(pid)
    leaveNamespaces(ns)
    const why = `no process may be added to its group (${nameOfErrno(member)})`
    return fail(program, why, 'end another one, or name another group')
  }
  const account = groups.accountOf(member)
  const proc = new Process(pid, null, new Session(pid), pid, member, account, kernel)
  const thread = member.threads.get(pid)!
  const space = new AddressSpace(kernel.frames, account, kernel.tlb, kernel.machine.kernelEntries)
  const giveBack = (): void => {
    tree.members.release(thread)
    proc.giveNumbersBack()
    leaveNamespaces(ns)
  }
  const stack = space.table.root === 0 ? undefined : KernelStack.of(account)
  if (stack === undefined) {
    if (space.table.root !== 0) space.free()
    giveBack()
    return fail(program, 'there is no memory for a process', 'end another one')
  }
  const task = new Task(kernel, pid, proc, {
    ...{ ns, ids: separated.ids, space, thread, stack },
    files: new Descriptors(),
    context: contextOf(kernel, program, ns),
    actions: new SignalActions(),
  })
  proc.leader = task
  if (ns.pid.parent !== null) ns.pid.init ??= proc
  const undo = (): void => {
    kernel.vfs.exit(task.context)
    space.free()
    stack.free()
    giveBack()
  }
  const abandon = (why: string, remedy: string): never => {
    undo()
    return fail(program, why, remedy)
  }
  try {
    program.prepare?.(task)
  } catch (error) {
    undo()
    throw error
  }
  if (program.cwd !== undefined) {
    const answer = kernel.vfs.chdir(task.context, null, toByteString(program.cwd))
    if (answer < 0) abandon(`${program.cwd} is no directory to go to (${nameOfErrno(answer)})`, 'give another cwd')
  }
  const env = Object.entries(program.env ?? {}).map(([name, value]) => toByteString(`${name}=${value}`))
  const args = (program.args ?? [program.path]).map(toByteString)
  const loaded = loadProgram(kernel, task, null, toByteString(program.path), 0, args, env)
  if (typeof loaded === 'number') {
    const remedy = loaded === -8 ? 'give a program of 32-bit x86, or a script' : 'give a program that there is'
    return abandon(`it cannot be executed (${nameOfErrno(loaded)})`, remedy)
  }
  proc.isFrozen = group.frozen
  proc.tasks.add(task)
  kernel.ns.pid.tasks.set(pid, task)
  kernel.processes.set(pid, proc)
  for (const [fd, file] of (program.files ?? []).entries()) {
    if (file === undefined) continue
    file.references++
    task.files.put(task.process, fd, file, false)
  }
  const terminal = program.terminal
  if (terminal !== undefined) {
    proc.session.tty = terminal
    terminal.pids ??= ns.pid
    terminal.session = proc.session.id
    terminal.foreground = proc.group
  }
  proc.onExit = program.onExit
  kernel.adopt(task)
  become(kernel, task, loaded)
  return proc
}

/** Who it is: root, or the user of the joined namespace whom `uid` and `gid` name. */
function idsOf(kernel: Kernel, { uid, gid, join }: Spawn): Ids {
  const user = join?.leader.ns.user ?? kernel.ns.user
  const known = (map: IdMap, id: number): number => Math.max(0, map.toKernel(id))
  const isRoot = uid === undefined && gid === undefined
  const ids = userIds(user, known(user.uids, uid ?? 0), known(user.gids, gid ?? 0), isRoot ? [known(user.gids, 0)] : [])
  return { ...ids, caps: (uid ?? 0) === 0 ? ALL_SETS : NO_SETS }
}

/** The namespaces that it is in: those of another process, or the first ones, and new ones. */
function namespacesOf(kernel: Kernel, program: Spawn, ids: Ids, group: Group): Separated {
  const { join, namespaces = [], network, root } = program
  const shared = join?.leader.ns ?? kernel.ns
  const before = network === undefined ? shared : { ...shared, net: network }
  const others = root === undefined ? namespaces : namespaces.filter((kind) => kind !== 'mnt')
  const flags = others.reduce((all, kind) => all | NamespaceFlag[kind], 0)
  const { ns: made, ids: after } = newNamespaces(kernel, { ns: before, ids }, flags, group)
  const { user } = made
  const ns =
    root === undefined
      ? made
      : { ...made, mnt: new MountNamespace(user.numbers, user, kernel.vfs.newTree(root, root.type)) }
  const time = ns.timeForChildren
  if (time !== before.timeForChildren) time.isFrozen = true
  return { ids: after, ns: { ...ns, pid: ns.pidForChildren, time } }
}

/** Where it finds files: in the tree of its mount namespace, from the root of the joined process. */
function contextOf(kernel: Kernel, { join, namespaces = [], root }: Spawn, ns: Namespaces<Task>): TaskContext {
  const { vfs } = kernel
  const joined = join?.leader.context
  const context = joined === undefined ? vfs.newTask(kernel.tree) : vfs.fork(joined)
  if (root !== undefined || namespaces.includes('mnt')) vfs.enterTree(context, ns.mnt.tree)
  return context
}

function fail(program: Spawn, why: string, remedy: string): never {
  throw new VmexitError('exec-failed', { problem: `${program.path}: ${why}`, remedy })
}
