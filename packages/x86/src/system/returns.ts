/** Far RET and IRET: to the same level, outward, to virtual-8086 mode, to the previous task (SDM vol. 2, RET and IRET). */
import { type Insn, Kind, Seg } from '@vmexit/x86-decoder'
import { Flag, Layout, Vector } from '../state/layout.ts'
import { Gpr } from '../state/state.ts'
import { Cr4 } from './bits.ts'
import type { Action, ActionTable, Core } from './core.ts'
import {
  attributesOf,
  type Descriptor,
  dplOf,
  isCode,
  isConforming,
  isNull,
  isPresent,
  limitOf,
  markAccessed,
  needDescriptor,
  selectorError,
} from './descriptor.ts'
import { raise } from './fault.ts'
import { changeableFlags, checkVirtualInterrupt, checkVmeFlags, updateFlags, updateVmeFlags } from './flags.ts'
import { refreshMode, usesDescriptors } from './mode.ts'
import { dropPrivilegedSegments, loadDescriptor, loadParagraph, stackDescriptor } from './segments.ts'
import { Stack } from './stack.ts'
import { returnToPreviousTask } from './task.ts'

/** Far returns pop 16 or 32 bits here; 64-bit code has its own forms. */
type Bits = 16 | 32

function bitsOf(insn: Insn): Bits {
  return insn.opSize === 16 ? 16 : 32
}

/** The code segment that a return names. @throws Fault #GP(selector), #NP(selector). */
function returnCode(core: Core, selector: number): Descriptor {
  const error = selectorError(selector)
  if (isNull(selector)) raise(Vector.GP, 0)
  const code = needDescriptor(core, selector, Vector.GP)
  const attributes = attributesOf(code)
  const rpl = selector & 3
  const dpl = dplOf(attributes)
  const forbidden = !isCode(attributes) || rpl < core.state.cpl || (isConforming(attributes) ? dpl > rpl : dpl !== rpl)
  if (forbidden) raise(Vector.GP, error)
  if (!isPresent(attributes)) raise(Vector.NP, error)
  return code
}

/** Where a return goes, once it has passed all checks. */
interface Return {
  readonly code: Descriptor
  readonly offset: number
  /** The outer stack; absent when the level stays. */
  readonly stack: Descriptor | undefined
  /** The stack pointer to go on with. */
  readonly pointer: Stack
}

/**
 * All checks of a return in protected mode. `stack` stands behind what has been popped; `release` are the bytes of parameters that RET
 * takes off both stacks. @throws Fault.
 */
function checkReturn(core: Core, stack: Stack, bits: Bits, selector: number, offset: number, release: number): Return {
  const code = returnCode(core, selector)
  stack.drop(release)
  let outer: Descriptor | undefined
  let pointer = stack
  if ((selector & 3) > core.state.cpl) {
    const sp = stack.pop(bits)
    outer = stackDescriptor(core, stack.pop(bits) & 0xffff, selector & 3, Vector.GP)
    pointer = Stack.within(core, outer, sp)
    pointer.drop(release)
  }
  if (offset > limitOf(code)) raise(Vector.GP, 0)
  markAccessed(core, code)
  if (outer) markAccessed(core, outer)
  return { code, offset, stack: outer, pointer }
}

/** Make a checked return happen. */
function completeReturn(core: Core, target: Return): void {
  const { state } = core
  loadDescriptor(state, Seg.cs, target.code.selector, target.code)
  state.ip = target.offset
  if (target.stack) loadDescriptor(state, Seg.ss, target.stack.selector, target.stack)
  target.pointer.commit()
  if (target.stack) dropPrivilegedSegments(state, state.cpl)
  refreshMode(core)
}

/** Real and virtual-8086 mode. */
function returnToParagraph(core: Core, stack: Stack, selector: number, offset: number): void {
  stack.commit()
  loadParagraph(core.state, Seg.cs, selector)
  core.state.ip = offset
  refreshMode(core)
}

const ret_far: Action = (core, insn) => {
  const bits = bitsOf(insn)
  const release = insn.operands[0]?.kind === Kind.imm ? insn.imm & 0xffff : 0
  const stack = Stack.current(core)
  const offset = stack.pop(bits)
  const selector = stack.pop(bits) & 0xffff
  if (usesDescriptors(core)) {
    completeReturn(core, checkReturn(core, stack, bits, selector, offset, release))
    return
  }
  if (offset > core.state.segLimit(Seg.cs)) raise(Vector.GP, 0)
  stack.drop(release)
  returnToParagraph(core, stack, selector, offset)
}

/** IRET opens the door to NMIs again, whatever becomes of it. If a guest leaves by what it meets, the VMM is told (SDM vol. 3C, 27.2.3). */
const iret: Action = (core, insn) => {
  const { vmx, events } = core
  if (vmx?.nonRoot) vmx.unblocksNmis = events.nmiBlocked
  events.nmiBlocked = false
  returnFromInterrupt(core, insn)
  if (vmx) vmx.unblocksNmis = false
}

const returnFromInterrupt: Action = (core, insn) => {
  const { state } = core
  const bits = bitsOf(insn)
  if (!state.protectedMode) iretReal(core, bits)
  else if (state.virtual8086) iretVirtual8086(core, bits)
  else if (state.flag(Flag.NT)) returnToPreviousTask(core)
  else iretProtected(core, bits)
}

function iretProtected(core: Core, bits: Bits): void {
  const { state } = core
  const stack = Stack.current(core)
  const offset = stack.pop(bits)
  const selector = stack.pop(bits) & 0xffff
  const image = stack.pop(bits)
  if (bits === 32 && (image & Flag.VM) !== 0 && state.cpl === 0) {
    iretToVirtual8086(core, stack, selector, offset, image)
    return
  }
  const target = checkReturn(core, stack, bits, selector, offset, 0)
  // What may change depends on the level that is left.
  let mask = changeableFlags(core, bits)
  if (bits === 32) mask |= state.cpl === 0 ? Flag.RF | Flag.VIF | Flag.VIP : Flag.RF
  updateFlags(core, image, mask)
  completeReturn(core, target)
  checkVirtualInterrupt(core)
}

function iretReal(core: Core, bits: Bits): void {
  const stack = Stack.current(core)
  const offset = stack.pop(bits)
  const selector = stack.pop(bits) & 0xffff
  const image = stack.pop(bits)
  if (offset > core.state.segLimit(Seg.cs)) raise(Vector.GP, 0)
  updateFlags(core, image, changeableFlags(core, bits) | (bits === 32 ? Flag.RF : 0))
  returnToParagraph(core, stack, selector, offset)
}

/** From virtual-8086 mode to virtual-8086 mode: IOPL 3, or CR4.VME and a 16-bit image. */
function iretVirtual8086(core: Core, bits: Bits): void {
  const { state } = core
  const monitored = state.iopl < 3
  if (monitored && (bits === 32 || (state.get32(Layout.cr4) & Cr4.VME) === 0)) raise(Vector.GP, 0)
  const stack = Stack.current(core)
  const offset = stack.pop(bits)
  const selector = stack.pop(bits) & 0xffff
  const image = stack.pop(bits)
  if (offset > state.segLimit(Seg.cs)) raise(Vector.GP, 0)
  if (monitored) checkVmeFlags(core, image)
  if (monitored) updateVmeFlags(core, image)
  else updateFlags(core, image, changeableFlags(core, bits) | (bits === 32 ? Flag.RF : 0))
  returnToParagraph(core, stack, selector, offset)
}

/** From ring 0 to virtual-8086 mode: the stack holds ESP, SS, ES, DS, FS and GS above EFLAGS. */
function iretToVirtual8086(core: Core, stack: Stack, selector: number, offset: number, image: number): void {
  const { state } = core
  const [esp, ss, es, ds, fs, gs] = Array.from({ length: 6 }, () => stack.pop(32)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  if (offset > 0xffff) raise(Vector.GP, 0)
  updateFlags(core, image, changeableFlags(core, 32) | Flag.RF | Flag.VM | Flag.VIF | Flag.VIP)
  loadParagraph(state, Seg.cs, selector)
  state.ip = offset
  const segments: readonly (readonly [Seg, number])[] = [
    [Seg.ss, ss],
    [Seg.es, es],
    [Seg.ds, ds],
    [Seg.fs, fs],
    [Seg.gs, gs],
  ]
  for (const [seg, value] of segments) loadParagraph(state, seg, value & 0xffff)
  state.setReg32(Gpr.sp, esp)
  refreshMode(core)
  checkVirtualInterrupt(core)
}

export const returnActions: ActionTable = { ret_far, iret }
