/** IN, OUT, INS and OUTS (SDM vol. 1, chapter 18). */
import { type Insn, Kind, type Operand, Seg } from '@vmexit/x86-decoder'
import { Flag, Vector } from '../state/layout.ts'
import { Gpr } from '../state/state.ts'
import type { Action, ActionTable, Core } from './core.ts'
import { ioAccess } from './debug.ts'
import { raise } from './fault.ts'
import { dataAddress, load, writeRegister } from './operands.ts'
import { ioPermitted } from './tss.ts'

type Width = 8 | 16 | 32

/** IOPL decides, and below it, and always in virtual-8086 mode, the permission map of the TSS. @throws Fault #GP(0), #PF. */
export function checkPorts(core: Core, port: number, bytes: number): void {
  const { state } = core
  if (!state.protectedMode) return
  if (!state.virtual8086 && state.cpl <= state.iopl) return
  if (!ioPermitted(core, port, bytes)) raise(Vector.GP, 0)
}

/** A port number in an immediate or in DX. */
function portOf(core: Core, insn: Insn, operand: Operand): number {
  return operand.kind === Kind.imm ? insn.imm & 0xff : core.state.reg16(Gpr.dx)
}

const in_: Action = (core, insn) => {
  const [destination, source] = insn.operands as [Operand, Operand]
  const width = destination.size as Width
  const port = portOf(core, insn, source)
  checkPorts(core, port, width >> 3)
  writeRegister(core, Gpr.ax, width, core.ports.read(port, width))
  ioAccess(core, port, width >> 3)
}

const out: Action = (core, insn) => {
  const [destination, source] = insn.operands as [Operand, Operand]
  const width = source.size as Width
  const port = portOf(core, insn, destination)
  checkPorts(core, port, width >> 3)
  core.ports.write(port, width, accumulator(core, width))
  ioAccess(core, port, width >> 3)
}

/** AL, AX or EAX, unsigned. */
function accumulator(core: Core, width: Width): number {
  const { state } = core
  if (width === 32) return state.reg32(Gpr.ax) >>> 0
  return width === 16 ? state.reg16(Gpr.ax) : state.reg8(Gpr.ax)
}

/** A register as wide as addresses are: unsigned, signed at 64 bits. */
function indexOf(core: Core, insn: Insn, reg: number): number {
  if (insn.addrSize === 64) return Number(core.state.reg64(reg))
  return insn.addrSize === 32 ? core.state.reg32(reg) >>> 0 : core.state.reg16(reg)
}

function addToIndex(core: Core, insn: Insn, reg: number, by: number): void {
  const { state } = core
  if (insn.addrSize === 64) state.setReg64(reg, state.reg64(reg) + BigInt(by))
  else if (insn.addrSize === 32) state.setReg32(reg, state.reg32(reg) + by)
  else state.setReg16(reg, state.reg16(reg) + by)
}

/**
 * One iteration of a string instruction; with REP it counts (E)CX down and goes back to the instruction while iterations are left:
 * each is a restart point and counts as one instruction.
 */
function iterate(core: Core, insn: Insn, index: number, width: Width, step: () => void): void {
  const { state } = core
  if (insn.rep !== 0 && indexOf(core, insn, Gpr.cx) === 0) return
  step()
  const bytes = width >> 3
  addToIndex(core, insn, index, state.flag(Flag.DF) ? -bytes : bytes)
  if (insn.rep === 0) return
  addToIndex(core, insn, Gpr.cx, -1)
  if (indexOf(core, insn, Gpr.cx) === 0) return
  const start = state.ip - insn.length
  state.ip = start < 0 && !state.long64 ? start + 0x1_0000_0000 : start
}

/** To ES:(E)DI. That it can be written is made sure of before the port is read. */
const ins: Action = (core, insn) => {
  const width = insn.operands[0]!.size as Width
  iterate(core, insn, Gpr.di, width, () => {
    const { state, linear } = core
    const bytes = width >> 3
    const port = state.reg16(Gpr.dx)
    const user = state.cpl === 3
    checkPorts(core, port, bytes)
    const address = dataAddress(core, Seg.es, indexOf(core, insn, Gpr.di), bytes, 'write')
    linear.probe(address, bytes, true, user)
    const value = core.ports.read(port, width)
    if (width === 8) linear.write8(address, value & 0xff, user)
    else if (width === 16) linear.write16(address, value & 0xffff, user)
    else linear.write32(address, value | 0, user)
    ioAccess(core, port, bytes)
  })
}

/** From DS:(E)SI, or the segment of an override. */
const outs: Action = (core, insn) => {
  const width = insn.operands[1]!.size as Width
  iterate(core, insn, Gpr.si, width, () => {
    const port = core.state.reg16(Gpr.dx)
    checkPorts(core, port, width >> 3)
    core.ports.write(port, width, load(core, insn.seg, indexOf(core, insn, Gpr.si), width))
    ioAccess(core, port, width >> 3)
  })
}

export const ioActions: ActionTable = { in: in_, out, ins, outs }
