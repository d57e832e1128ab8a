/** MOV to and from control registers, LMSW, SMSW, CLTS, INVLPG (SDM vol. 3A, 2.5). */
import { type Insn, Kind, type Operand } from '@vmexit/x86-decoder'
import { Layout, Vector } from '../state/layout.ts'
import { Cr0 } from './bits.ts'
import type { Action, ActionTable, Core } from './core.ts'
import { raise } from './fault.ts'
import { refreshMode } from './mode.ts'
import { effectiveOffset, readWord, writeWord } from './operands.ts'
import { refreshSpans } from './segments.ts'

/** @throws Fault #GP(0) unless CPL is 0. */
export function needSupervisor(core: Core): void {
  if (core.state.cpl !== 0) raise(Vector.GP, 0)
}

/** Write a control register slot and tell the paging unit, which may refuse: then it is as it was. @throws Fault #GP(0). */
export function changeControl(core: Core, what: 'cr0' | 'cr3' | 'cr4', value: number): void {
  const before = core.state.getNumber(Layout[what])
  core.state.setNumber(Layout[what], value)
  try {
    core.paging.controlsChanged(what, before)
  } catch (error) {
    core.state.setNumber(Layout[what], before)
    throw error
  }
}

/**
 * Load CR0; bits that the model does not have are ignored, ET stays 1. @throws Fault #GP(0) for paging without protection, or
 * not-write-through with the cache enabled.
 */
function writeCr0(core: Core, image: number): void {
  const { state, model } = core
  const before = state.get32(Layout.cr0)
  const value = ((core.vmx?.controlWritten(0, before, image) ?? image) & model.cr0Mask) | Cr0.ET
  if (core.vmx?.allows(0, value) === false) raise(Vector.GP, 0)
  if ((value & Cr0.PG) !== 0 && (value & Cr0.PE) === 0) raise(Vector.GP, 0)
  if ((value & Cr0.NW) !== 0 && (value & Cr0.CD) === 0) raise(Vector.GP, 0)
  changeControl(core, 'cr0', value >>> 0)
  if ((before ^ value) & Cr0.PE) refreshSpans(state)
  refreshMode(core)
}

/** @throws Fault #GP(0) for a bit that the model does not have. */
function writeCr4(core: Core, image: number): void {
  const value = core.vmx?.controlWritten(4, core.state.get32(Layout.cr4), image) ?? image
  if (core.vmx?.allows(4, value) === false) raise(Vector.GP, 0)
  if (value & ~core.model.cr4Mask) raise(Vector.GP, 0)
  changeControl(core, 'cr4', value >>> 0)
  refreshMode(core)
}

/** CR4 came with the models that have something in it. @throws Fault #UD. */
function controlRegister(core: Core, operand: Operand): number {
  if (operand.reg === 4 && core.model.cr4Mask === 0) raise(Vector.UD)
  return operand.reg
}

const CR8_MASK = 0xf

function writeControl(core: Core, cr: number, gpr: number): void {
  const { state } = core
  const wide = state.long64
  const value = state.reg32(gpr)
  // Upper halves: CR2 holds any value, CR3 an address; the others have nothing there.
  if (wide && cr !== 2 && cr !== 3 && state.reg64(gpr) >> 32n !== 0n) raise(Vector.GP, 0)
  const whole = wide ? Number(state.reg64(gpr)) : value >>> 0
  if (cr === 0) writeCr0(core, value)
  else if (cr === 2) state.setNumber(Layout.cr2, whole)
  else if (cr === 3) {
    if (whole < 0 || whole >= 2 ** Math.max(core.model.physicalAddressBits, 32)) raise(Vector.GP, 0)
    changeControl(core, 'cr3', whole)
  } else if (cr === 4) writeCr4(core, value)
  else {
    if (value & ~CR8_MASK) raise(Vector.GP, 0)
    state.setNumber(Layout.cr8, value)
  }
}

const SLOTS: Readonly<Record<number, number>> = {
  0: Layout.cr0,
  2: Layout.cr2,
  3: Layout.cr3,
  4: Layout.cr4,
  8: Layout.cr8,
}

const mov_cr: Action = (core, insn) => {
  const [to, from] = insn.operands as [Operand, Operand]
  const cr = controlRegister(core, to.kind === Kind.cr ? to : from)
  needSupervisor(core)
  if (to.kind === Kind.cr) writeControl(core, cr, from.reg)
  else if (core.state.long64) core.state.setReg64(to.reg, core.state.get64(SLOTS[cr]!))
  else {
    const value = core.state.get32(SLOTS[cr]!)
    core.state.setReg32(to.reg, cr === 0 || cr === 4 ? (core.vmx?.controlSeen(cr, value) ?? value) : value)
  }
}

/** The machine status word is the low half of CR0; LMSW reaches PE, MP, EM and TS, and cannot clear PE. */
const LMSW_BITS = Cr0.PE | Cr0.MP | Cr0.EM | Cr0.TS

const lmsw: Action = (core: Core, insn: Insn) => {
  needSupervisor(core)
  const before = core.state.get32(Layout.cr0)
  writeCr0(core, (before & ~LMSW_BITS) | (readWord(core, insn, 0) & LMSW_BITS) | (before & Cr0.PE))
}

const smsw: Action = (core, insn) => {
  const held = core.state.get32(Layout.cr0)
  const cr0 = core.vmx?.controlSeen(0, held) ?? held
  writeWord(core, insn, 0, cr0 & 0xffff, cr0)
}

const clts: Action = (core) => {
  needSupervisor(core)
  const before = core.state.get32(Layout.cr0)
  core.state.set32(Layout.cr0, core.vmx?.controlWritten(0, before, before & ~Cr0.TS) ?? before & ~Cr0.TS)
  refreshMode(core)
}

/** The address is not checked against the segment: nothing is accessed. */
const invlpg: Action = (core, insn) => {
  const { state } = core
  needSupervisor(core)
  const offset = effectiveOffset(core, insn)
  if (!state.long64) core.paging.invalidate((state.segBase(insn.seg) + offset) >>> 0)
  else {
    const linear = offset + (insn.seg >= 4 ? state.segBase(insn.seg) : 0)
    if (linear >= -(2 ** 47) && linear < 2 ** 47) core.paging.invalidate(linear)
  }
}

export const controlRegisterActions: ActionTable = { mov_cr, lmsw, smsw, clts, invlpg }
