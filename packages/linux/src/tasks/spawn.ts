/** Programs that are started from outside, with streams of the host's. */
import { VmexitError } from '@vmexit/core'
import { toByteString } from '@vmexit/vfs'
import { Errno, nameOfErrno } from '../errno.ts'
import { become } from '../exec/exec.ts'
import { loadProgram } from '../exec/load.ts'
import { Descriptors } from '../files/descriptors.ts'
import type { OpenFile } from '../files/open-file.ts'
import { AddressSpace } from '../memory/address-space.ts'
import { SignalActions } from '../signals/queue.ts'
import { type Kernel, Process, Session, Task, type Terminal } from '../system.ts'
import { userIds } from './credentials.ts'
import { enterNamespaces } from './namespaces.ts'

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
  /** Told when it has ended, with wait(2)'s status. */
  readonly onExit?: (status: number) => void
}

/** Starts a program in a session of its own. @throws VmexitError `exec-failed`. */
export function spawn(kernel: Kernel, program: Spawn): Process {
  const { ns, groups } = kernel
  const { tree } = groups
  const group = tree.lookup(program.cgroup ?? '/')
  if (group === undefined) return fail(program, `there is no group ${program.cgroup}`, 'make it, or name another one')
  const pid = ns.pid.allocate()
  const member = pid === 0 ? -Errno.EAGAIN : tree.members.fork(pid, group)
  if (typeof member === 'number') {
    ns.pid.drop(pid)
    return fail(program, `no process may be added to its group (${nameOfErrno(member)})`, 'end another one, or name another group')
  }
  const account = groups.accountOf(member)
  const proc = new Process(pid, null, new Session(pid), pid, member, account, kernel)
  const thread = member.threads.get(pid)!
  const space = new AddressSpace(kernel.frames, account, kernel.tlb, kernel.machine.kernelEntries)
  const giveBack = (): void => {
    tree.members.release(thread)
    proc.giveNumbersBack()
  }
  if (space.table.root === 0) {
    giveBack()
    fail(program, 'there is no memory for a process', 'end another one')
  }
  const task = new Task(kernel, pid, proc, {
    ns,
    space,
    files: new Descriptors(),
    context: kernel.vfs.newTask(kernel.tree),
    actions: new SignalActions(),
    ids: userIds(ns.user, program.uid ?? 0, program.gid ?? 0, program.uid === undefined && program.gid === undefined ? [0] : []),
    thread,
  })
  proc.leader = task
  const abandon = (why: string, remedy: string): never => {
    kernel.vfs.exit(task.context)
    space.free()
    giveBack()
    return fail(program, why, remedy)
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
  enterNamespaces(ns)
  proc.isFrozen = group.frozen
  proc.tasks.add(task)
  ns.pid.tasks.set(pid, task)
  kernel.processes.set(pid, proc)
  for (const [fd, file] of (program.files ?? []).entries()) {
    if (file === undefined) continue
    file.references++
    task.files.put(task.process, fd, file, false)
  }
  const terminal = program.terminal
  if (terminal !== undefined) {
    proc.session.tty = terminal
    terminal.session = proc.session.id
    terminal.foreground = proc.group
  }
  proc.onExit = program.onExit
  kernel.adopt(task)
  become(kernel, task, loaded)
  return proc
}

function fail(program: Spawn, why: string, remedy: string): never {
  throw new VmexitError('exec-failed', { problem: `${program.path}: ${why}`, remedy })
}
