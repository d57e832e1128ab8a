/** Far JMP and CALL: code segments, call gates, task gates, TSSs (SDM vol. 2, JMP and CALL; vol. 3A, 5.8 and 7.3). */
import { type Insn, Seg } from '@vmexit/x86-decoder'
import { Vector } from '../state/layout.ts'
import { Gpr } from '../state/state.ts'
import type { Action, ActionTable, Core } from './core.ts'
import {
  attributesOf,
  type Descriptor,
  dplOf,
  gateBits,
  gateOffset,
  gateSelector,
  isCode,
  isConforming,
  isNull,
  isPresent,
  limitOf,
  markAccessed,
  needDescriptor,
  readDescriptor,
  SystemType,
  selectorError,
  systemType,
} from './descriptor.ts'
import { raise } from './fault.ts'
import { refreshMode, usesDescriptors } from './mode.ts'
import { loadFarPointer } from './operands.ts'
import { loadDescriptor, loadParagraph, stackDescriptor } from './segments.ts'
import { Stack } from './stack.ts'
import { switchTask } from './task.ts'
import { innerStack } from './tss.ts'

type Cause = 'jump' | 'call'

/** Where a far transfer is to go. */
interface FarTarget {
  readonly selector: number
  readonly offset: number
  /** Operand size: of what CALL pushes. */
  readonly bits: 16 | 32
}

/** A far transfer to where an instruction says. */
function transfer(core: Core, target: FarTarget, cause: Cause): void {
  if (usesDescriptors(core)) byDescriptor(core, target, cause)
  else toParagraph(core, target, cause)
}

/** Protected mode: what the selector names decides. */
function byDescriptor(core: Core, target: FarTarget, cause: Cause): void {
  const { selector } = target
  if (isNull(selector)) raise(Vector.GP, 0)
  const descriptor = needDescriptor(core, selector, Vector.GP)
  const attributes = attributesOf(descriptor)
  if (isCode(attributes)) {
    toCode(core, descriptor, target, cause)
    return
  }
  switch (systemType(attributes)) {
    case SystemType.callGate16:
    case SystemType.callGate32:
      checkGate(core, descriptor)
      throughCallGate(core, descriptor, cause)
      break
    case SystemType.taskGate:
      checkGate(core, descriptor)
      toTask(core, gateSelector(descriptor), cause)
      break
    case SystemType.tss16:
    case SystemType.tss32:
      checkPrivilege(core, descriptor)
      toTask(core, selector, cause)
      break
    default:
      raise(Vector.GP, selectorError(selector))
  }
}

/** Real and virtual-8086 mode. */
function toParagraph(core: Core, target: FarTarget, cause: Cause): void {
  const { state } = core
  if (target.offset > state.segLimit(Seg.cs)) raise(Vector.GP, 0)
  if (cause === 'call') pushReturn(core, Stack.current(core), target.bits).commit()
  loadParagraph(state, Seg.cs, target.selector)
  state.ip = target.offset
  refreshMode(core)
}

/** CS and the instruction pointer, as CALL leaves them on a stack. @throws Fault #SS, #PF before anything but memory changed. */
function pushReturn(core: Core, stack: Stack, bits: 16 | 32): Stack {
  stack.reserve(bits, 2)
  stack.push(bits, core.state.selector(Seg.cs))
  stack.push(bits, core.state.ip)
  return stack
}

/** Go on in a code segment that has passed all checks. */
function enterCode(core: Core, code: Descriptor, cpl: number, offset: number): void {
  loadDescriptor(core.state, Seg.cs, (code.selector & 0xfffc) | cpl, code)
  core.state.ip = offset
  refreshMode(core)
}

/** A code segment named directly: no change of privilege. */
function toCode(core: Core, code: Descriptor, target: FarTarget, cause: Cause): void {
  const { cpl } = core.state
  const attributes = attributesOf(code)
  const error = selectorError(code.selector)
  const dpl = dplOf(attributes)
  const forbidden = isConforming(attributes) ? dpl > cpl : dpl !== cpl || (code.selector & 3) > cpl
  if (forbidden) raise(Vector.GP, error)
  if (!isPresent(attributes)) raise(Vector.NP, error)
  const stack = Stack.current(core)
  if (cause === 'call') stack.reserve(target.bits, 2)
  if (target.offset > limitOf(code)) raise(Vector.GP, 0)
  if (cause === 'call') pushReturn(core, stack, target.bits)
  markAccessed(core, code)
  stack.commit()
  enterCode(core, code, cpl, target.offset)
}

/** Gates and TSSs must be visible to both CPL and RPL. @throws Fault #GP(selector). */
function checkPrivilege(core: Core, descriptor: Descriptor): void {
  const { selector } = descriptor
  if (dplOf(attributesOf(descriptor)) < Math.max(core.state.cpl, selector & 3))
    raise(Vector.GP, selectorError(selector))
}

/** @throws Fault #GP(selector), #NP(selector). */
function checkGate(core: Core, gate: Descriptor): void {
  checkPrivilege(core, gate)
  if (!isPresent(attributesOf(gate))) raise(Vector.NP, selectorError(gate.selector))
}

/** The TSS that `selector` names must lie in the GDT, be available and present. @throws Fault #GP(selector), #NP(selector). */
function toTask(core: Core, selector: number, cause: Cause): void {
  const error = selectorError(selector)
  const tss = selector & 4 ? undefined : readDescriptor(core, selector)
  if (!tss) raise(Vector.GP, error)
  const attributes = attributesOf(tss)
  const type = systemType(attributes)
  if (type !== SystemType.tss16 && type !== SystemType.tss32) raise(Vector.GP, error)
  if (!isPresent(attributes)) raise(Vector.NP, error)
  switchTask(core, tss, cause, core.state.eflags)
}

function throughCallGate(core: Core, gate: Descriptor, cause: Cause): void {
  const { cpl } = core.state
  const selector = gateSelector(gate)
  const error = selectorError(selector)
  if (isNull(selector)) raise(Vector.GP, 0)
  const code = needDescriptor(core, selector, Vector.GP)
  const attributes = attributesOf(code)
  const dpl = dplOf(attributes)
  if (!isCode(attributes) || dpl > cpl) raise(Vector.GP, error)
  // Only CALL may raise the privilege level.
  if (cause === 'jump' && !isConforming(attributes) && dpl !== cpl) raise(Vector.GP, error)
  if (!isPresent(attributes)) raise(Vector.NP, error)
  if (cause === 'call' && !isConforming(attributes) && dpl < cpl) {
    callInner(core, gate, code)
    return
  }
  toCode(
    core,
    { ...code, selector: (selector & 0xfffc) | cpl },
    { selector, offset: gateOffset(gate), bits: gateBits(gate) },
    cause,
  )
}

/** CALL through a gate to a more privileged level: the stack is switched and parameters are copied. */
function callInner(core: Core, gate: Descriptor, code: Descriptor): void {
  const { state } = core
  const bits = gateBits(gate)
  const cpl = dplOf(attributesOf(code))
  const inner = innerStack(core, cpl)
  const newStack = stackDescriptor(core, inner.selector, cpl, Vector.TS)
  const stack = Stack.within(core, newStack, inner.pointer)
  const count = gate.high & 0x1f
  stack.reserve(bits, 4 + count)
  if (gateOffset(gate) > limitOf(code)) raise(Vector.GP, 0)
  const old = Stack.current(core)
  const parameters = Array.from({ length: count }, () => old.pop(bits))
  stack.push(bits, state.selector(Seg.ss))
  stack.push(bits, state.reg32(Gpr.sp))
  for (const parameter of parameters.reverse()) stack.push(bits, parameter)
  pushReturn(core, stack, bits)
  markAccessed(core, newStack)
  markAccessed(core, code)
  loadDescriptor(state, Seg.ss, newStack.selector, newStack)
  stack.commit()
  enterCode(core, code, cpl, gateOffset(gate))
}

/** The far pointer within the instruction. */
function immediateTarget(insn: Insn): FarTarget {
  const bits = insn.opSize === 16 ? 16 : 32
  return { selector: insn.imm2 & 0xffff, offset: bits === 16 ? insn.imm & 0xffff : insn.imm >>> 0, bits }
}

function memoryTarget(core: Core, insn: Insn): FarTarget {
  return { ...loadFarPointer(core, insn), bits: insn.opSize === 16 ? 16 : 32 }
}

const jmp_far: Action = (core, insn) => transfer(core, immediateTarget(insn), 'jump')
const jmp_far_ind: Action = (core, insn) => transfer(core, memoryTarget(core, insn), 'jump')
const call_far: Action = (core, insn) => transfer(core, immediateTarget(insn), 'call')
const call_far_ind: Action = (core, insn) => transfer(core, memoryTarget(core, insn), 'call')

export const transferActions: ActionTable = { jmp_far, jmp_far_ind, call_far, call_far_ind }
