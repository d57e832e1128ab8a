/** execve(2): the point of no return, behind which the task is the new program. */
import type { ByteString, Path } from '@vmexit/vfs'
import { Answer, Errno } from '../errno.ts'
import { placeName } from '../files/place-name.ts'
import { moveTo } from '../namespaces/unshare.ts'
import { tellExec } from '../ptrace/stops.ts'
import type { Kernel, Task } from '../system.ts'
import { endTask, leaveSpace } from '../tasks/exit.ts'
import { endTimers } from '../tasks/posix-timers.ts'
import { NO_TLS } from '../tasks/tls.ts'
import { loadProgram, type Program } from './load.ts'
import { isDumpableAfter } from './privileges.ts'

/** Bytes of one argument (MAX_ARG_STRLEN), and how many there may be. */
const LONGEST = 131_072
const MOST = 0x10_0000

/** Reads a vector of strings. An error: E2BIG. @throws BAD_ADDRESS. */
export function readStrings(kernel: Kernel, address: number): ByteString[] | number {
  const strings: ByteString[] = []
  if (address === 0) return strings
  let total = 0
  for (let at = address; ; at += 4) {
    const pointer = kernel.memory.get32(at)
    if (pointer === 0) return strings
    const text = kernel.memory.string(pointer, LONGEST - 1)
    if (text === undefined || (total += text.length + 5) > 2 << 20 || strings.length >= MOST) return -Errno.E2BIG
    strings.push(text)
  }
}

/** execveat(2), the strings being read. */
export function execute(
  task: Task,
  at: Path | null,
  path: ByteString,
  args: readonly ByteString[],
  env: readonly ByteString[],
  flags = 0,
): number {
  const { kernel } = task
  const program = loadProgram(kernel, task, at, path, flags, args, env)
  if (typeof program === 'number') return program
  become(kernel, task, program)
  return Answer.GONE
}

/** The task, which has the CPU, is the program from now on. */
export function become(kernel: Kernel, task: Task, program: Program): void {
  const { process: proc } = task
  kernel.counts.execs++
  for (const other of [...proc.tasks]) if (other !== task) endTask(kernel, other)
  if (proc.leader !== task) lead(kernel, task)
  leaveSpace(kernel, task)
  task.space = program.space
  if (task.vforkParent !== undefined) {
    task.vforkParent.wake()
    task.vforkParent = undefined
  }
  if (task.files.users > 1) {
    task.files.users--
    task.files = task.files.fork()
  }
  task.files.closeForExec(task.process)
  if (proc.tasks.size > 0) task.actions = task.actions.fork()
  task.actions.reset()
  Object.assign(task.altStack, { at: 0, size: 0, flags: 2 })
  task.tls = [NO_TLS, NO_TLS, NO_TLS]
  task.clearTid = 0
  task.robustList = 0
  task.savedMask = undefined
  task.restart = 0
  task.name = baseName(program.name)
  proc.hasExecuted = true
  endTimers(proc)
  proc.executable = program.path
  proc.executablePath = placeName(kernel, task.context, program.path)
  const { settings } = proc
  settings.isDumpable = isDumpableAfter(task.ids, program.ids) ? 1 : 0
  if (settings.isDumpable === 0) settings.deathSignal = 0
  task.ids = program.ids
  if (task.ns.time !== task.ns.timeForChildren) {
    const { ns } = task
    ns.timeForChildren.isFrozen = true
    moveTo(task, { ids: task.ids, ns: { ...ns, time: ns.timeForChildren } })
  }
  kernel.loadSpace(task)
  kernel.machine.loadTls(task.tls)
  kernel.machine.freshRegisters(program.entry, program.sp)
  tellExec(task)
}

/** A thread that executes a program takes the place of the leader, whose number is the process's. */
function lead(kernel: Kernel, task: Task): void {
  task.process.leader = task
  kernel.ns.pid.tasks.set(task.process.pid, task)
}

/** As the kernel names a task: at most 15 bytes. */
function baseName(path: ByteString): string {
  return path.slice(path.lastIndexOf('/') + 1).slice(0, 15)
}
