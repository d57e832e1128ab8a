/**
 * Frames of signal handlers on i386: `sigframe` and `rt_sigframe` (arch/x86/include/asm/sigframe.h, uapi/asm/sigcontext.h), and
 * the return from them. All of a frame is bytes on the program's stack.
 */
import { Flag, Gpr, Layout, Seg } from '@vmexit/x86'
import { VDSO } from '../exec/vdso.ts'
import { Selector } from '../machine.ts'
import { BAD_ADDRESS } from '../memory/user-memory.ts'
import type { Kernel, Task } from '../system.ts'
import { loadSelector } from '../tasks/segments.ts'
import { FXSAVE_BYTES, loadFpu, resetFpu, saveFpu } from './fxsave.ts'
import { ActionFlag, type SignalAction, type SignalInfo } from './queue.ts'
import { Signal, type SignalSet } from './set.ts'

const SS_DISABLE = 2
const SS_AUTODISARM = 0x8000_0000 | 0
/** The x87's part in the old format before FXSAVE's, and both. */
const FSAVE_BYTES = 112
const FPU_BYTES = FSAVE_BYTES + FXSAVE_BYTES
const CONTEXT_BYTES = 88
/** `struct rt_sigframe`: where siginfo and ucontext are. */
const RT = { info: 16, context: 144, bytes: 144 + 20 + CONTEXT_BYTES + 8 + 8 } as const
/** `struct sigframe`: the second word of the mask lies behind room for an FPU state that is not there. */
const OLD = { context: 8, extraMask: 8 + CONTEXT_BYTES + FPU_BYTES, bytes: 8 + CONTEXT_BYTES + FPU_BYTES + 12 } as const
/** Flags that a program may set by returning from a handler: AC, OF, DF, TF, SF, ZF, AF, PF, CF, RF. */
const RETURNED = 0x5_0dd5
const STATUS = 0x8d5

/** Is the stack pointer in the alternate stack? */
export function onAltStack({ altStack }: Task, sp: number): boolean {
  return (
    altStack.size > 0 && (altStack.flags & SS_AUTODISARM) === 0 && sp > altStack.at && sp - altStack.at <= altStack.size
  )
}

/** Makes the frame, and the handler is what the task goes on with. False where the stack cannot be written. */
export function pushFrame(
  kernel: Kernel,
  task: Task,
  info: SignalInfo,
  action: SignalAction,
  mask: SignalSet,
): boolean {
  const { state } = kernel.cpu
  let sp = state.reg32(Gpr.sp) >>> 0
  const { altStack } = task
  if ((action.flags & ActionFlag.ONSTACK) !== 0 && altStack.size > 0 && !onAltStack(task, sp))
    sp = altStack.at + altStack.size
  const fpu = ((sp - FPU_BYTES) & ~63) >>> 0
  const isRt = (action.flags & ActionFlag.SIGINFO) !== 0
  const at = (((fpu - (isRt ? RT.bytes : OLD.bytes) + 4) & ~15) - 4) >>> 0
  const frame = new DataView(new ArrayBuffer(fpu + FPU_BYTES - at))
  const put = (offset: number, value: number): void => frame.setInt32(offset, value | 0, true)
  const restorer =
    (action.flags & ActionFlag.RESTORER) !== 0
      ? action.restorer
      : task.space.vdso + (isRt ? VDSO.rtSigreturn : VDSO.sigreturn)
  put(0, restorer)
  put(4, info.signal)
  if (isRt) {
    put(8, at + RT.info)
    put(12, at + RT.context)
    putInfo(frame, RT.info, info)
    put(RT.context + 8, altStack.at)
    put(RT.context + 12, altStack.size === 0 ? SS_DISABLE : altStack.flags)
    put(RT.context + 16, altStack.size)
    putContext(kernel, task, frame, RT.context + 20, mask, fpu)
    put(RT.context + 20 + CONTEXT_BYTES, mask.low)
    put(RT.context + 24 + CONTEXT_BYTES, mask.high)
  } else {
    putContext(kernel, task, frame, OLD.context, mask, fpu)
    put(OLD.extraMask, mask.high)
  }
  putFpu(kernel, new Uint8Array(frame.buffer, fpu - at, FPU_BYTES))
  try {
    kernel.memory.write(at, new Uint8Array(frame.buffer))
  } catch (reason) {
    if (reason !== BAD_ADDRESS) throw reason
    return false
  }
  if ((altStack.flags & SS_AUTODISARM) !== 0) Object.assign(altStack, { at: 0, size: 0, flags: SS_DISABLE })
  state.setReg32(Gpr.sp, at)
  state.setReg32(Gpr.ax, info.signal)
  state.setReg32(Gpr.dx, isRt ? at + RT.info : 0)
  state.setReg32(Gpr.cx, isRt ? at + RT.context : 0)
  state.ip = action.handler
  state.setFlag(Flag.DF | Flag.RF | Flag.TF, false)
  for (const segment of [Seg.ds, Seg.es]) loadSelector(kernel, task, segment, Selector.data)
  resetFpu(state)
  kernel.cpu.events.modeChanged()
  return true
}

/** `siginfo_t`: signal, errno, code, and what depends on them. */
export function putInfo(frame: DataView, at: number, info: SignalInfo): void {
  frame.setInt32(at, info.signal, true)
  frame.setInt32(at + 4, info.errno ?? 0, true)
  frame.setInt32(at + 8, info.code, true)
  if (info.address !== undefined) {
    frame.setUint32(at + 12, info.address, true)
    if (info.signal !== Signal.SIGSYS) return
    frame.setInt32(at + 16, info.status ?? 0, true)
    frame.setInt32(at + 20, info.value ?? 0, true)
    return
  }
  frame.setInt32(at + 12, info.timer ?? info.band ?? info.pid ?? 0, true)
  frame.setInt32(at + 16, info.overrun ?? info.fd ?? info.uid ?? 0, true)
  frame.setInt32(at + 20, info.signal === Signal.SIGCHLD ? (info.status ?? 0) : (info.value ?? 0), true)
}

function putContext(kernel: Kernel, task: Task, frame: DataView, at: number, mask: SignalSet, fpu: number): void {
  const { state } = kernel.cpu
  const fault = task.lastFault
  const words = [
    ...[Seg.gs, Seg.fs, Seg.es, Seg.ds].map((segment) => state.selector(segment)),
    ...[Gpr.di, Gpr.si, Gpr.bp, Gpr.sp, Gpr.bx, Gpr.dx, Gpr.cx, Gpr.ax].map((register) => state.reg32(register)),
    ...[fault?.trap ?? 0, fault?.error ?? 0, state.ip, state.selector(Seg.cs), state.eflags],
    ...[state.reg32(Gpr.sp), state.selector(Seg.ss), fpu, mask.low, state.getNumber(Layout.cr2)],
  ]
  for (const [n, word] of words.entries()) frame.setInt32(at + n * 4, word | 0, true)
  task.lastFault = undefined
}

function putFpu(kernel: Kernel, area: Uint8Array): void {
  const fxsave = area.subarray(FSAVE_BYTES)
  saveFpu(kernel.cpu.state, fxsave)
  const old = new DataView(area.buffer, area.byteOffset, FSAVE_BYTES)
  const view = new DataView(fxsave.buffer, fxsave.byteOffset, FXSAVE_BYTES)
  old.setUint32(0, view.getUint16(0, true) | 0xffff_0000, true)
  old.setUint32(4, view.getUint16(2, true) | 0xffff_0000, true)
  const used = view.getUint8(4)
  let tags = 0xffff_0000
  for (let n = 0; n < 8; n++) if ((used & (1 << n)) === 0) tags |= 3 << (n * 2)
  old.setUint32(8, tags >>> 0, true)
  old.setUint32(12, view.getUint32(8, true), true)
  for (let n = 0; n < 8; n++) area.set(fxsave.subarray(32 + n * 16, 42 + n * 16), 28 + n * 10)
  // The status once more, and a magic number: what follows is FXSAVE's.
  old.setUint16(108, view.getUint16(2, true), true)
  old.setUint16(110, 0, true)
}

/** sigreturn(2) and rt_sigreturn(2): everything is as the frame says. @throws BAD_ADDRESS. */
export function returnFromSignal(kernel: Kernel, task: Task, isRt: boolean): void {
  const { memory, cpu } = kernel
  const { state } = cpu
  const sp = state.reg32(Gpr.sp) >>> 0
  // The restorer's RET has taken the first word, and that of the old frame has popped the second one too.
  const at = isRt ? sp - 4 : sp - 8
  const context = at + (isRt ? RT.context + 20 : OLD.context)
  const words = new Uint8Array(CONTEXT_BYTES)
  memory.read(context, words)
  const view = new DataView(words.buffer)
  const word = (n: number): number => view.getInt32(n * 4, true)
  const low = isRt ? memory.get32(context + CONTEXT_BYTES) : word(20)
  const high = memory.get32(isRt ? context + CONTEXT_BYTES + 4 : at + OLD.extraMask)
  const fpu = word(19) >>> 0
  const fxsave = new Uint8Array(FXSAVE_BYTES)
  if (fpu !== 0) memory.read(fpu + FSAVE_BYTES, fxsave)
  const stack = isRt ? [8, 12, 16].map((offset) => memory.get32(at + RT.context + offset)) : undefined

  for (const [n, segment] of [Seg.gs, Seg.fs, Seg.es, Seg.ds].entries()) {
    const selector = word(n) & 0xffff
    loadSelector(kernel, task, segment, selector === 0 ? 0 : selector | 3)
  }
  for (const [n, register] of [Gpr.di, Gpr.si, Gpr.bp, Gpr.sp, Gpr.bx, Gpr.dx, Gpr.cx, Gpr.ax].entries())
    state.setReg32(register, word(4 + n))
  state.ip = word(14) >>> 0
  const flags = (state.eflags & ~RETURNED) | (word(16) & RETURNED)
  state.set32(Layout.flags, flags & ~STATUS & ~2)
  state.setStatusFlags(flags)
  if (fpu !== 0) loadFpu(state, fxsave)
  else resetFpu(state)
  task.blocked.setMask(low | 0, high | 0)
  if (stack !== undefined)
    Object.assign(task.altStack, {
      at: stack[0],
      flags: stack[1]! & ~1,
      size: (stack[1]! & SS_DISABLE) !== 0 ? 0 : stack[2],
    })
  task.restart = 0
  task.hasWork = task.hasSignal
  cpu.events.modeChanged()
}
