/** The VM-exit instruction-information field (SDM vol. 3C, 27.2.5): which operands an instruction has. */
import { type Insn, Kind } from '@vmexit/x86-decoder'

const NO_INDEX = 1 << 22
const NO_BASE = 1 << 27
const IN_REGISTER = 1 << 10

function addressSize(insn: Insn): number {
  return insn.addrSize === 16 ? 0 : insn.addrSize === 32 ? 1 << 7 : 2 << 7
}

/** Bits 1:0, 9:7, 17:15 and 27:18: a memory operand. */
function memoryOperand(insn: Insn): number {
  const index = insn.index < 0 ? NO_INDEX : (insn.index << 18) | insn.scale
  const base = insn.base < 0 ? NO_BASE : insn.base << 23
  return addressSize(insn) | (insn.seg << 15) | index | base
}

/** INS and OUTS: address size and segment. */
export function stringInfo(insn: Insn): number {
  return addressSize(insn) | (insn.seg << 15)
}

const TABLES: Readonly<Record<string, number>> = {
  sgdt: 0,
  sidt: 1,
  lgdt: 2,
  lidt: 3,
  sldt: 0,
  str: 1,
  lldt: 2,
  ltr: 3,
}

/** LGDT, LIDT, SGDT, SIDT. */
export function tableInfo(insn: Insn): number {
  return memoryOperand(insn) | (insn.opSize === 16 ? 0 : 1 << 11) | (TABLES[insn.op]! << 28)
}

/** LLDT, LTR, SLDT, STR: the operand is a register or in memory. */
export function selectorInfo(insn: Insn): number {
  const identity = TABLES[insn.op]! << 28
  const [operand] = insn.operands
  if (operand!.kind === Kind.gpr) return (operand!.reg << 3) | IN_REGISTER | identity
  return memoryOperand(insn) | identity
}

/** VMX instructions with an operand in memory, of which INVEPT, INVVPID, VMREAD and VMWRITE have a register too. */
export function vmxInfo(insn: Insn): number {
  if (insn.op === 'vmread' || insn.op === 'vmwrite') {
    const value = insn.operands[insn.op === 'vmread' ? 0 : 1]!
    const field = insn.operands[insn.op === 'vmread' ? 1 : 0]!
    const where = value.kind === Kind.gpr ? (value.reg << 3) | IN_REGISTER | addressSize(insn) : memoryOperand(insn)
    return where | (field.reg << 28)
  }
  const register = insn.op === 'invept' || insn.op === 'invvpid' ? insn.operands[0]!.reg << 28 : 0
  return memoryOperand(insn) | register
}

/** Is the instruction one whose memory operand the exit qualification gives the displacement of? */
export function hasMemory(insn: Insn): boolean {
  return insn.operands.some(({ kind }) => kind === Kind.mem)
}
