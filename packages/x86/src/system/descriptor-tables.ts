/** GDTR, IDTR, LDTR and TR, and the instructions that look at descriptors (SDM vol. 3A, 2.4 and 5.10). */
import { Kind, type Operand } from '@vmexit/x86-decoder'
import { Flag, Layout, LDTR, TR, Vector } from '../state/layout.ts'
import { needSupervisor } from './control-registers.ts'
import type { Action, ActionTable, Core } from './core.ts'
import {
  attributesOf,
  type Descriptor,
  dplOf,
  isCode,
  isConforming,
  isNull,
  isPresent,
  isReadable,
  isWritableData,
  limitOf,
  readDescriptor,
  SystemType,
  selectorError,
  systemType,
} from './descriptor.ts'
import { raise } from './fault.ts'
import { usesDescriptors } from './mode.ts'
import { dataAddress, displaced, effectiveOffset, load, readWord, writeRegister, writeWord } from './operands.ts'
import { loadDescriptor, loadNull } from './segments.ts'

/** A pseudo-descriptor holds 4 bytes of base, 8 in 64-bit code. */
function baseBytes(core: Core): 4 | 8 {
  return core.state.long64 ? 8 : 4
}

function storeTable(base: number, limit: number): Action {
  return (core, insn) => {
    const { state, linear } = core
    const user = state.cpl === 3
    const bytes = baseBytes(core)
    const at = effectiveOffset(core, insn)
    const first = dataAddress(core, insn.seg, at, 2, 'write')
    const second = dataAddress(core, insn.seg, displaced(insn, at, 2), bytes, 'write')
    linear.probe(first, 2, true, user)
    linear.probe(second, bytes, true, user)
    linear.write16(first, state.get32(limit), user)
    if (bytes === 8) linear.write64(second, state.get64(base), user)
    else linear.write32(second, state.get32(base), user)
  }
}

/** With a 16-bit operand size the base has 24 bits. */
function loadTable(base: number, limit: number): Action {
  return (core, insn) => {
    needSupervisor(core)
    const { state } = core
    const at = effectiveOffset(core, insn)
    const newLimit = load(core, insn.seg, at, 16)
    const second = displaced(insn, at, 2)
    if (baseBytes(core) === 8) {
      const newBase = core.linear.read64(dataAddress(core, insn.seg, second, 8, 'read'), false)
      if (BigInt.asIntN(48, newBase) !== newBase) raise(Vector.GP, 0)
      state.set64(base, newBase)
    } else {
      const newBase = load(core, insn.seg, second, 32)
      state.setNumber(base, insn.opSize === 16 ? newBase & 0xff_ffff : newBase)
    }
    state.set32(limit, newLimit)
  }
}

/** SLDT, STR and the rest exist in protected mode only. @throws Fault #UD. */
function needDescriptors(core: Core): void {
  if (!usesDescriptors(core)) raise(Vector.UD)
}

const sldt: Action = (core, insn) => {
  needDescriptors(core)
  writeWord(core, insn, 0, core.state.selector(LDTR))
}
const str: Action = (core, insn) => {
  needDescriptors(core)
  writeWord(core, insn, 0, core.state.selector(TR))
}

/** A system descriptor of the GDT, for LLDT and LTR. @throws Fault #GP(selector), #NP(selector). */
function systemDescriptor(core: Core, selector: number, types: readonly number[]): Descriptor {
  const error = selectorError(selector)
  const descriptor = selector & 4 ? undefined : readDescriptor(core, selector)
  if (!descriptor || !types.includes(systemType(attributesOf(descriptor)))) raise(Vector.GP, error)
  if (!isPresent(attributesOf(descriptor))) raise(Vector.NP, error)
  return descriptor
}

const lldt: Action = (core, insn) => {
  needDescriptors(core)
  needSupervisor(core)
  const selector = readWord(core, insn, 0)
  if (isNull(selector)) loadNull(core.state, LDTR, selector)
  else loadDescriptor(core.state, LDTR, selector, systemDescriptor(core, selector, [SystemType.ldt]))
}

/** TR loaded marks its descriptor busy. */
const ltr: Action = (core, insn) => {
  needDescriptors(core)
  needSupervisor(core)
  const selector = readWord(core, insn, 0)
  if (isNull(selector)) raise(Vector.GP, 0)
  const tss = systemDescriptor(core, selector, [SystemType.tss16, SystemType.tss32])
  tss.high |= 0x200
  core.linear.write32((tss.address + 4) >>> 0, tss.high, false)
  loadDescriptor(core.state, TR, selector, tss)
}

function setZero(core: Core, on: boolean): void {
  const { state } = core
  state.setStatusFlags((state.statusFlags() & ~Flag.ZF) | (on ? Flag.ZF : 0))
}

/** The descriptor that a selector names when the current level may see it; undefined is no fault here. @throws Fault #PF. */
function visible(core: Core, selector: number): Descriptor | undefined {
  if (isNull(selector)) return undefined
  const descriptor = readDescriptor(core, selector)
  if (!descriptor) return undefined
  const attributes = attributesOf(descriptor)
  const open = isConforming(attributes) || dplOf(attributes) >= Math.max(core.state.cpl, selector & 3)
  return open ? descriptor : undefined
}

/** Types of system descriptors that LAR and LSL know of (SDM vol. 2, tables in LAR and LSL). */
const WITH_LIMIT: readonly number[] = [
  SystemType.tss16,
  SystemType.ldt,
  SystemType.busyTss16,
  SystemType.tss32,
  SystemType.busyTss32,
]
const WITH_RIGHTS: readonly number[] = [
  ...WITH_LIMIT,
  SystemType.callGate16,
  SystemType.taskGate,
  SystemType.callGate32,
]

/** LAR and LSL: a value from a descriptor, or ZF cleared and the register as it was. */
function inspect(types: readonly number[], value: (descriptor: Descriptor) => number): Action {
  return (core, insn) => {
    needDescriptors(core)
    const descriptor = visible(core, readWord(core, insn, 1))
    const type = descriptor ? systemType(attributesOf(descriptor)) : 0
    const known = descriptor !== undefined && (type < 0 || types.includes(type))
    if (known) {
      const destination = insn.operands[0]!
      writeRegister(core, destination.reg, destination.size, value(descriptor))
    }
    setZero(core, known)
  }
}

function verify(permits: (attributes: number) => boolean): Action {
  return (core, insn) => {
    needDescriptors(core)
    const descriptor = visible(core, readWord(core, insn, 0))
    setZero(core, descriptor !== undefined && permits(attributesOf(descriptor)))
  }
}

const lar: Action = inspect(WITH_RIGHTS, (descriptor) => descriptor.high & 0x00ff_ff00)
const lsl: Action = inspect(WITH_LIMIT, limitOf)
const verr: Action = verify(isReadable)
const verw: Action = verify((attributes) => !isCode(attributes) && isWritableData(attributes))

/** Raise the RPL of a selector to that of another. Memory is written even where nothing changes. */
const arpl: Action = (core, insn) => {
  needDescriptors(core)
  const { state } = core
  const [destination, source] = insn.operands as [Operand, Operand]
  const rpl = state.reg16(source.reg) & 3
  const adjust = (selector: number): boolean => (selector & 3) < rpl
  if (destination.kind === Kind.gpr) {
    const selector = state.reg16(destination.reg)
    if (adjust(selector)) state.setReg16(destination.reg, (selector & ~3) | rpl)
    setZero(core, adjust(selector))
    return
  }
  const user = state.cpl === 3
  const linear = dataAddress(core, insn.seg, effectiveOffset(core, insn), 2, 'write')
  core.linear.probe(linear, 2, true, user)
  const selector = core.linear.read16(linear, user)
  core.linear.write16(linear, adjust(selector) ? (selector & ~3) | rpl : selector, user)
  setZero(core, adjust(selector))
}

export const descriptorTableActions: ActionTable = {
  sgdt: storeTable(Layout.gdtBase, Layout.gdtLimit),
  sidt: storeTable(Layout.idtBase, Layout.idtLimit),
  lgdt: loadTable(Layout.gdtBase, Layout.gdtLimit),
  lidt: loadTable(Layout.idtBase, Layout.idtLimit),
  sldt,
  str,
  lldt,
  ltr,
  lar,
  lsl,
  verr,
  verw,
  arpl,
}
