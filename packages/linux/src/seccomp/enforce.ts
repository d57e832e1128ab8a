/** A call under a filter: it goes on, is answered in its place, or ends its task (seccomp(2)). */
import { Answer, Errno } from '../errno.ts'
import { TraceEvent } from '../ptrace/tracing.ts'
import { Code } from '../signals/queue.ts'
import { forceSignal } from '../signals/send.ts'
import { Signal } from '../signals/set.ts'
import type { Kernel, Task } from '../system.ts'
import { endProcess, exitThread } from '../tasks/exit.ts'
import { ARCHITECTURE, decide, type Seccomp, SeccompAction, SeccompMode } from './filter.ts'

const MAX_ERRNO = 4095

/** SECCOMP_RET_TRACE: the tracer decides. */
function owesFilterEvent({ tracing }: Task, data: number): boolean {
  return tracing?.owe(TraceEvent.SECCOMP, data) === true
}

/** What the call answers in place of being made; undefined where it is to be made. */
export function enforce(kernel: Kernel, task: Task, seccomp: Seccomp, args: Int32Array): number | undefined {
  const { ip } = kernel.cpu.state
  const decision = decide(seccomp, task.call, args, ip)
  const data = decision & 0xffff
  switch ((decision & 0xffff_0000) >>> 0) {
    case SeccompAction.ALLOW:
    case SeccompAction.LOG:
      return undefined
    case SeccompAction.ERRNO:
      return -Math.min(data, MAX_ERRNO)
    case SeccompAction.TRACE:
      return owesFilterEvent(task, data) ? Answer.BLOCK : -Errno.ENOSYS
    case SeccompAction.USER_NOTIF:
      // Nobody listens.
      return -Errno.ENOSYS
    case SeccompAction.TRAP:
      forceSignal(task, {
        ...{ signal: Signal.SIGSYS, code: Code.SYS_SECCOMP, errno: data, address: ip },
        ...{ status: task.call, value: ARCHITECTURE },
      })
      return task.call
    case SeccompAction.KILL_THREAD: {
      const signal = seccomp.mode === SeccompMode.STRICT ? Signal.SIGKILL : Signal.SIGSYS
      exitThread(kernel, task, signal)
      return Answer.GONE
    }
    default:
      endProcess(kernel, task.process, Signal.SIGSYS)
      return Answer.GONE
  }
}
