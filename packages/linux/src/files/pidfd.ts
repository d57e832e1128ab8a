/** Descriptors of processes: pidfd_open(2), pidfd_send_signal(2), CLONE_PIDFD. */
import { Open } from '@vmexit/vfs'
import { Errno } from '../errno.ts'
import { givenInfo, isPretended } from '../signals/calls.ts'
import { maySignal } from '../signals/permission.ts'
import { Code } from '../signals/queue.ts'
import { sendToProcess } from '../signals/send.ts'
import type { Kernel, Process, Task } from '../system.ts'
import { processOf } from '../tasks/numbers.ts'
import type { WaitQueue } from '../tasks/wait-queue.ts'
import { AnonymousFile } from './anonymous-file.ts'
import { install } from './control.ts'
import { NodeInode } from './node-fs.ts'
import { type OpenFile, Poll } from './open-file.ts'

const LAST_SIGNAL = 64

/** A process, which it means even when its number means another one. */
export class PidFd extends AnonymousFile {
  readonly process: Process
  protected readonly kind = 'pidfd'

  constructor(kernel: Kernel, proc: Process, flags: number) {
    super(kernel, Open.O_RDWR | (flags & Open.O_NONBLOCK))
    this.process = proc
  }
  get queue(): WaitQueue {
    return this.process.endQueue
  }
  /** A task of it that lives. */
  get task(): Task | undefined {
    const [task] = this.process.tasks
    return task
  }
  override poll(): number {
    return this.process.status === undefined ? 0 : Poll.IN | Poll.RDNORM
  }
  protected release(): void {}
}

export function pidfdOpen(task: Task, pid: number, flags: number): number {
  if ((flags & ~Open.O_NONBLOCK) !== 0 || pid <= 0) return -Errno.EINVAL
  const proc = processOf(task, pid)
  if (proc === undefined) return -Errno.ESRCH
  if (proc.leader.tid !== proc.pid || task.ns.pid.local(proc.pid) !== pid) return -Errno.EINVAL
  return install(task, new PidFd(task.kernel, proc, flags), flags | Open.O_CLOEXEC)
}

/** The process that a descriptor means: by pidfd_open(2), or as its directory in /proc. */
function meant(file: OpenFile | undefined): Process | undefined {
  if (file instanceof PidFd) return file.process
  const inode = file?.file?.operations === null && !file.file.isPath ? file.file.inode : undefined
  return inode instanceof NodeInode && inode.node.kind === 'directory' ? inode.node.process : undefined
}

export function pidfdSendSignal(task: Task, fd: number, signal: number, at: number, flags: number): number {
  if (flags !== 0) return -Errno.EINVAL
  const proc = meant(task.files.get(fd))
  if (proc === undefined) return -Errno.EBADF
  const given = at === 0 ? undefined : givenInfo(task, signal, at)
  if (signal < 0 || signal > LAST_SIGNAL) return -Errno.EINVAL
  if (given !== undefined && task.kernel.memory.get32(at) !== signal) return -Errno.EINVAL
  if (given !== undefined && isPretended(given) && task !== proc.leader) return -Errno.EPERM
  if (proc.status !== undefined && !task.kernel.processes.has(proc.pid)) return -Errno.ESRCH
  if (task.ns.pid.local(proc.pid) === 0) return -Errno.EINVAL
  if (!maySignal(task, proc, signal)) return -Errno.EPERM
  const sender = { pid: task.process.pid, uid: task.ids.uid }
  if (signal !== 0) sendToProcess(proc, given ?? { signal, code: Code.SI_USER, ...sender })
  return 0
}
