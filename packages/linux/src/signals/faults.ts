/** Signals that exceptions become (signal(7); arch/x86's traps). */
import { type CpuEvent, Vector } from '@vmexit/x86'
import { Fault } from '../memory/address-space.ts'
import type { Task } from '../system.ts'
import { Code, type SignalInfo } from './queue.ts'
import { forceSignal } from './send.ts'
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
  if (event.source === 'software' && !event.isException && event.vector !== Vector.BP && event.vector !== Vector.OF) {
    // The gate is the kernel's: a general protection fault at the instruction, which has two bytes.
    state.ip -= 2
    force(task, { ...GENERAL, trap: Vector.GP, error: event.vector * 8 + 2 })
    return
  }
  const known = SIGNALS[event.vector] ?? GENERAL
  const at = known.hasAddress ? { address: state.ip } : {}
  force(task, { signal: known.signal, code: known.code, ...at, trap: event.vector, error: event.errorCode ?? 0 })
}

const GENERAL = { signal: Signal.SIGSEGV, code: Code.SI_KERNEL, hasAddress: false }
/** By vector; `si_addr` is the instruction where there is one. */
const SIGNALS: Readonly<Record<number, { signal: number; code: number; hasAddress: boolean }>> = {
  [Vector.DE]: { signal: Signal.SIGFPE, code: Code.FPE_INTDIV, hasAddress: true },
  [Vector.DB]: { signal: Signal.SIGTRAP, code: Code.TRAP_TRACE, hasAddress: true },
  [Vector.BP]: { signal: Signal.SIGTRAP, code: Code.SI_KERNEL, hasAddress: false },
  [Vector.UD]: { signal: Signal.SIGILL, code: Code.ILL_ILLOPN, hasAddress: true },
  [Vector.MF]: { signal: Signal.SIGFPE, code: Code.FPE_FLTINV, hasAddress: true },
  [Vector.XM]: { signal: Signal.SIGFPE, code: Code.FPE_FLTINV, hasAddress: true },
  [Vector.AC]: { signal: Signal.SIGBUS, code: Code.BUS_ADRALN, hasAddress: true },
}

function force(task: Task, info: SignalInfo): void {
  forceSignal(task, info)
  task.lastFault = info
  // What a tracer sees: it has not come by a call.
  task.call = -1
}
