/** Signals that exceptions become (signal(7); arch/x86's traps). */
import { type CpuEvent, Vector } from '@vmexit/x86'
import { Fault } from '../memory/address-space.ts'
import type { Task } from '../tasks/task.ts'
import { Code, SIG_DFL, SIG_IGN, type SignalInfo } from './queue.ts'
import { Signal } from './set.ts'

/** A page fault that no area answers for. */
export function signalOfFault(task: Task, outcome: number, address: number, error: number): void {
  const trap = Vector.PF
  if (outcome === Fault.MEMORY) force(task, { signal: Signal.SIGKILL, code: Code.SI_KERNEL })
  else if (outcome === Fault.BUS) force(task, { signal: Signal.SIGBUS, code: Code.BUS_ADRERR, address, trap, error })
  else {
    const code = outcome === Fault.MAPPING ? Code.SEGV_MAPERR : Code.SEGV_ACCERR
    force(task, { signal: Signal.SIGSEGV, code, address, trap, error: error | 4 })
  }
}

/** Any other exception, trap or software interrupt. */
export function signalOfTrap(task: Task, event: CpuEvent): void {
  const { state } = task.kernel.cpu
  const at = { address: state.ip, trap: event.vector, error: event.errorCode ?? 0 }
  const general = (error: number): void =>
    force(task, { signal: Signal.SIGSEGV, code: Code.SI_KERNEL, address: 0, trap: Vector.GP, error })
  if (event.source === 'software' && !event.isException) {
    // The gate is the kernel's: a general protection fault at the instruction, which has two bytes.
    if (event.vector === Vector.BP) force(task, { signal: Signal.SIGTRAP, code: Code.SI_KERNEL, trap: Vector.BP })
    else if (event.vector === Vector.OF) force(task, { signal: Signal.SIGSEGV, code: Code.SI_KERNEL, trap: Vector.OF })
    else {
      state.ip -= 2
      general(event.vector * 8 + 2)
    }
    return
  }
  switch (event.vector) {
    case Vector.DE:
      return force(task, { signal: Signal.SIGFPE, code: Code.FPE_INTDIV, ...at })
    case Vector.DB:
      return force(task, { signal: Signal.SIGTRAP, code: Code.TRAP_TRACE, ...at })
    case Vector.BP:
      return force(task, { signal: Signal.SIGTRAP, code: Code.SI_KERNEL, trap: Vector.BP })
    case Vector.UD:
      return force(task, { signal: Signal.SIGILL, code: Code.ILL_ILLOPN, ...at })
    case Vector.MF:
    case Vector.XM:
      return force(task, { signal: Signal.SIGFPE, code: Code.FPE_FLTINV, ...at })
    case Vector.AC:
      return force(task, { signal: Signal.SIGBUS, code: Code.BUS_ADRALN, ...at })
    default:
      return force(task, { signal: Signal.SIGSEGV, code: Code.SI_KERNEL, trap: event.vector, error: event.errorCode ?? 0 })
  }
}

/** A signal that cannot wait: one that is blocked or ignored ends the process. */
export function force(task: Task, info: SignalInfo): void {
  const action = task.actions.get(info.signal)
  if (task.blocked.has(info.signal) || action.handler === SIG_IGN) {
    task.actions.set(info.signal, { ...action, handler: SIG_DFL })
    task.blocked.delete(info.signal)
  }
  task.pending.push(info)
  task.lastFault = info
  task.hasWork = true
}
