/** Registers of a stopped task as its tracer sees them: `user_regs_struct` of i386 and others (uapi/asm/ptrace.h, asm/user_32.h). */
import { type CpuState, Flag, Gpr, Seg } from '@vmexit/x86'
import { Answer } from '../errno.ts'
import { Selector } from '../machine.ts'
import { FXSAVE_BYTES, loadFpu, saveFpu } from '../signals/fxsave.ts'
import type { Task } from '../system.ts'
import { loadSelector } from '../tasks/segments.ts'

/** Words of `user_regs_struct`. */
export const REGISTER_WORDS = 17
/** Bytes of `user_i387_struct`. */
export const I387_BYTES = 108

/** Order of the structure. */
const GENERAL = [Gpr.bx, Gpr.cx, Gpr.dx, Gpr.si, Gpr.di, Gpr.bp, Gpr.ax] as const
const Word = { ax: 6, ds: 7, es: 8, fs: 9, gs: 10, call: 11, ip: 12, cs: 13, flags: 14, sp: 15, ss: 16 } as const
/** Flags that a tracer may set (FLAG_MASK): AC, NT, OF, DF, TF, SF, ZF, AF, PF, CF, RF. */
const SETTABLE = 0x5_4dd5
/** What a call that is to be made again has in EAX, for tracers. */
const RESTARTS: ReadonlyMap<number, number> = new Map([
  [-512, Answer.RESTART],
  [-513, Answer.RESTART],
  [-514, Answer.RESTART_NOHAND],
  [-516, Answer.RESTART_NOHAND],
])

/** Does something with the registers of a task that is stopped, in the CPU's state; the caller's are put back. */
function within<T>(task: Task, body: (state: CpuState) => T): T {
  const { kernel } = task
  const { state } = kernel.cpu
  const { current } = kernel
  current?.registers.save(state)
  task.registers.load(state)
  const result = body(state)
  task.registers.save(state)
  current?.registers.load(state)
  return result
}

/** `user_regs_struct`, word by word. */
export function registersOf(task: Task): Int32Array {
  return within(task, (state) => {
    const words = new Int32Array(REGISTER_WORDS)
    for (const [n, register] of GENERAL.entries()) words[n] = state.reg32(register)
    for (const [n, segment] of [Seg.ds, Seg.es, Seg.fs, Seg.gs].entries()) words[Word.ds + n] = state.selector(segment)
    words[Word.call] = task.call
    words[Word.ip] = state.ip
    words[Word.cs] = state.selector(Seg.cs)
    words[Word.flags] = state.eflags
    words[Word.sp] = state.reg32(Gpr.sp)
    words[Word.ss] = state.selector(Seg.ss)
    return words
  })
}

/** Sets one of them. False where there is none of this number, or it may not be so. */
export function setRegister(task: Task, word: number, value: number): boolean {
  if (word >= Word.ds && word <= Word.gs) return setSegment(task, word, value & 0xffff)
  if (word === Word.cs || word === Word.ss) return (value & 0xffff) === registersOf(task)[word]
  within(task, (state) => {
    const general = word === Word.sp ? Gpr.sp : GENERAL[word]
    if (general !== undefined) state.setReg32(general, value)
    else if (word === Word.ip) state.ip = value >>> 0
    else if (word === Word.flags) setFlags(state, value)
  })
  if (word === Word.call) {
    task.call = value
    if (value < 0) task.restart = 0
  } else if (word === Word.ax && task.tracing?.stop?.kind === 'signal') {
    task.restart = task.call >= 0 ? (RESTARTS.get(value) ?? 0) : 0
  }
  return true
}

function setFlags(state: CpuState, value: number): void {
  const flags = (state.eflags & ~SETTABLE) | (value & SETTABLE)
  state.eflags = flags
}

/** DS, ES, FS, GS: null, the flat one, or thread-local storage. */
function setSegment(task: Task, word: number, selector: number): boolean {
  const index = (selector >> 3) - Selector.firstTls
  const isFlat = (selector | 3) === Selector.data
  if (selector !== 0 && (selector & 3) !== 3) return false
  if (selector !== 0 && !isFlat && ((selector & 4) !== 0 || index < 0 || index > 2)) return false
  const segment = [Seg.ds, Seg.es, Seg.fs, Seg.gs][word - Word.ds]!
  within(task, () => loadSelector(task.kernel, task, segment, selector, true))
  task.kernel.cpu.events.modeChanged()
  return true
}

/** x87 and SSE as FXSAVE stores them. */
export function fxsaveOf(task: Task): Uint8Array<ArrayBuffer> {
  const area = new Uint8Array(FXSAVE_BYTES)
  within(task, (state) => saveFpu(state, area))
  return area
}
export function setFxsave(task: Task, area: Uint8Array): void {
  within(task, (state) => loadFpu(state, area))
}

/** `user_i387_struct`: the format of FNSAVE. */
export function i387Of(task: Task): Uint8Array<ArrayBuffer> {
  const fxsave = fxsaveOf(task)
  const from = new DataView(fxsave.buffer)
  const bytes = new Uint8Array(I387_BYTES)
  const view = new DataView(bytes.buffer)
  const status = from.getUint16(2, true)
  view.setUint32(0, from.getUint16(0, true) | 0xffff_0000, true)
  view.setUint32(4, status | 0xffff_0000, true)
  view.setUint32(8, fullTags(fxsave, (status >> 11) & 7) | 0xffff_0000, true)
  view.setUint32(12, from.getUint32(8, true), true)
  view.setUint32(16, (from.getUint16(12, true) | (from.getUint16(6, true) << 16)) >>> 0, true)
  view.setUint32(20, from.getUint32(16, true), true)
  view.setUint32(24, from.getUint16(20, true) | 0xffff_0000, true)
  for (let n = 0; n < 8; n++) bytes.set(fxsave.subarray(32 + n * 16, 42 + n * 16), 28 + n * 10)
  return bytes
}

/** Two bits a register, in the order of R0 to R7: valid, zero, special, empty (SDM vol. 1, 8.1.7). */
function fullTags(fxsave: Uint8Array, top: number): number {
  let tags = 0
  for (let n = 0; n < 8; n++) {
    const physical = (top + n) & 7
    tags |=
      (fxsave[4]! & (1 << physical)) === 0
        ? 3 << (physical * 2)
        : tagOf(fxsave.subarray(32 + n * 16, 42 + n * 16)) << (physical * 2)
  }
  return tags
}
function tagOf(register: Uint8Array): number {
  const exponent = register[8]! | ((register[9]! & 0x7f) << 8)
  const isZero = register.subarray(0, 8).every((byte) => byte === 0)
  if (exponent === 0) return isZero ? 1 : 2
  return exponent === 0x7fff || register[7]! < 0x80 ? 2 : 0
}

export function setI387(task: Task, bytes: Uint8Array): void {
  const fxsave = fxsaveOf(task)
  const to = new DataView(fxsave.buffer)
  const view = new DataView(bytes.buffer, bytes.byteOffset, I387_BYTES)
  to.setUint16(0, view.getUint16(0, true), true)
  to.setUint16(2, view.getUint16(4, true), true)
  const tags = view.getUint16(8, true)
  let used = 0
  for (let n = 0; n < 8; n++) if (((tags >> (n * 2)) & 3) !== 3) used |= 1 << n
  fxsave[4] = used
  to.setUint16(6, view.getUint16(18, true) & 0x7ff, true)
  to.setUint32(8, view.getUint32(12, true), true)
  to.setUint16(12, view.getUint16(16, true), true)
  to.setUint32(16, view.getUint32(20, true), true)
  to.setUint16(20, view.getUint16(24, true), true)
  for (let n = 0; n < 8; n++) {
    fxsave.fill(0, 32 + n * 16, 48 + n * 16)
    fxsave.set(bytes.subarray(28 + n * 10, 38 + n * 10), 32 + n * 16)
  }
  setFxsave(task, fxsave)
}

/** The instruction behind which the task stops: TF, unless the program has set it itself. */
export function setTrapFlag(task: Task): boolean {
  return within(task, (state) => {
    if (state.flag(Flag.TF)) return false
    state.setFlag(Flag.TF, true)
    return true
  })
}

/** Where the task is: EIP and ESP. */
export function placeOf(task: Task): { readonly ip: number; readonly sp: number; readonly ax: number } {
  return within(task, (state) => ({
    ip: state.ip,
    sp: state.reg32(Gpr.sp) >>> 0,
    ax: state.reg32(Gpr.ax),
  }))
}
