/** PUSHA, POPA, ENTER, BOUND, and moves to and from segment registers (SDM vol. 2). */
import { type Insn, Kind, type Operand, Seg } from '@vmexit/x86-decoder'
import { Vector } from '../state/layout.ts'
import { Gpr } from '../state/state.ts'
import type { Action, ActionTable, Core } from './core.ts'
import { raise } from './fault.ts'
import { usesDescriptors } from './mode.ts'
import { displaced, effectiveOffset, load, loadFarPointer, readWord, writeRegister, writeWord } from './operands.ts'
import { loadSegment } from './segments.ts'
import { Stack } from './stack.ts'

/** Registers in the order in which PUSHA pushes them. */
const ALL: readonly number[] = [Gpr.ax, Gpr.cx, Gpr.dx, Gpr.bx, Gpr.sp, Gpr.bp, Gpr.si, Gpr.di]

const pusha: Action = (core, insn) => {
  const { state } = core
  const stack = Stack.current(core)
  const sp = stack.bits === 16 ? stack.pointer & 0xffff : stack.pointer
  // An odd pointer that would run over the bottom on the way: #GP in real and virtual-8086 mode (SDM vol. 2, PUSHA).
  if (!usesDescriptors(core) && (sp & 1) !== 0 && sp >= 7 && sp <= 15) raise(Vector.GP, 0)
  stack.reserve(insn.opSize, ALL.length)
  for (const reg of ALL) stack.push(insn.opSize, state.reg32(reg))
  stack.commit()
}

/** The stack pointer in the image is skipped. */
const popa: Action = (core, insn) => {
  const stack = Stack.current(core)
  const values = ALL.map(() => stack.pop(insn.opSize)).reverse()
  for (const [n, reg] of ALL.entries()) if (reg !== Gpr.sp) writeRegister(core, reg, insn.opSize, values[n]!)
  stack.commit()
}

/** The frame pointer as wide as the stack's addresses. */
function framePointer(core: Core, stack: Stack): number {
  return stack.bits === 64 ? Number(core.state.reg64(Gpr.bp)) : core.state.reg32(Gpr.bp) >>> 0
}

/** ENTER with its display of up to 31 frame pointers. Nothing but memory changes before the new stack pointer is known to be good. */
const enter: Action = (core, insn) => {
  const { state } = core
  const bits = insn.opSize
  const bytes = bits >> 3
  const level = insn.imm2 & 31
  const stack = Stack.current(core)
  stack.push(bits, bits === 64 ? state.reg64(Gpr.bp) : state.reg32(Gpr.bp))
  const frame = stack.pointer
  if (level > 0) {
    const display = Stack.current(core)
    display.pointer = framePointer(core, stack)
    for (let n = 1; n < level; n++) {
      display.drop(-bytes)
      stack.push(bits, bits === 64 ? display.read64(0) : display.read(bits, 0))
    }
    stack.push(bits, frame)
  }
  stack.drop(-(insn.imm & 0xffff))
  stack.probe(bits)
  stack.commit()
  if (bits === 64) state.setReg64(Gpr.bp, BigInt(frame))
  else writeRegister(core, Gpr.bp, bits, frame)
}

/** Signed index, lower and upper bound. @throws Fault #BR. */
const bound: Action = (core, insn) => {
  const bits = insn.opSize === 16 ? 16 : 32
  const at = effectiveOffset(core, insn)
  const signed = (value: number): number => (bits === 16 ? (value << 16) >> 16 : value | 0)
  const lower = signed(load(core, insn.seg, at, bits))
  const upper = signed(load(core, insn.seg, displaced(insn, at, bits >> 3), bits))
  const index = signed(core.state.reg32(insn.operands[0]!.reg))
  if (index < lower || index > upper) raise(Vector.BR)
}

/** A selector is pushed zero-extended to the operand size. */
const push_seg: Action = (core, insn) => {
  const stack = Stack.current(core)
  stack.push(insn.opSize, core.state.selector(insn.operands[0]!.reg))
  stack.commit()
}

const pop_seg: Action = (core, insn) => {
  const seg = insn.operands[0]!.reg
  const stack = Stack.current(core)
  loadSegment(core, seg, stack.pop(insn.opSize) & 0xffff)
  stack.commit()
  holdInterrupts(core, seg)
}

/** MOV SS and POP SS: the next instruction, which loads ESP, is not interrupted (SDM vol. 3A, 6.8.3). */
function holdInterrupts(core: Core, seg: number): void {
  if (seg === Seg.ss) core.events.shadow = 'ss'
}

const mov_seg: Action = (core, insn) => {
  const [to, from] = insn.operands as [Operand, Operand]
  if (to.kind !== Kind.seg) {
    writeWord(core, insn, 0, core.state.selector(from.reg))
    return
  }
  loadSegment(core, to.reg, readWord(core, insn, 1))
  holdInterrupts(core, to.reg)
}

/** LES, LDS, LSS, LFS, LGS. */
function loadFar(seg: Seg): Action {
  return (core: Core, insn: Insn) => {
    const { offset, selector } = loadFarPointer(core, insn)
    loadSegment(core, seg, selector)
    writeRegister(core, insn.operands[0]!.reg, insn.opSize, offset)
  }
}

export const stackActions: ActionTable = {
  pusha,
  popa,
  enter,
  bound,
  push_seg,
  pop_seg,
  mov_seg,
  les: loadFar(Seg.es),
  lds: loadFar(Seg.ds),
  lss: loadFar(Seg.ss),
  lfs: loadFar(Seg.fs),
  lgs: loadFar(Seg.gs),
}
