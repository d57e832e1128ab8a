/** Which handler an instruction needs: everything about it that is fixed in generated code, and not a field of its record. */
import { type Insn, Kind, Seg } from '@vmexit/x86-decoder'
import { integer } from '../semantics/integer/index.ts'
import { x87 } from '../semantics/x87/index.ts'
import type { Mode } from './mode.ts'

const STACK = new Set(['push', 'pop', 'call', 'call_ind', 'ret', 'leave'])
const STRING = new Set(['movs', 'cmps', 'scas', 'lods', 'stos'])

/** What a handler is generated from. */
export interface Template {
  readonly insn: Insn
  /** Segments that need no check and have no base. */
  readonly flatRead: number
  readonly flatWrite: number
  readonly stackBits: 16 | 32 | 64
  /** CS has no limit worth checking. */
  readonly flatCode: boolean
  /** Condition code of a Jcc that follows and is executed by the same handler. */
  readonly branch?: number
}

/** What sets flags, cannot end a run, and often stands before a Jcc. */
const FUSED = new Set(['cmp', 'test', 'sub', 'add', 'and', 'or', 'xor', 'inc', 'dec'])

/** Can the instruction share a handler with a Jcc behind it? Not if it stores: the Jcc may be what it changes. */
export function canFuse(insn: Insn): boolean {
  const stores = insn.operands[0]?.kind === Kind.mem && insn.op !== 'cmp' && insn.op !== 'test'
  return FUSED.has(insn.op) && !stores
}

/** Segments that the instruction can reach, as bits. */
function segmentsOf(insn: Insn): number {
  let mask = insn.operands.some((operand) => operand.kind === Kind.mem) || insn.op === 'xlat' ? 1 << insn.seg : 0
  if (STACK.has(insn.op)) mask |= 1 << Seg.ss
  if (STRING.has(insn.op)) mask |= (1 << Seg.es) | (1 << insn.seg)
  return integer[insn.op] ? mask : mask | (1 << insn.seg)
}

export function templateOf(insn: Insn, mode: Mode): Template {
  const segments = segmentsOf(insn)
  return {
    insn,
    flatRead: mode.flatRead & segments,
    flatWrite: mode.flatWrite & segments,
    stackBits: STACK.has(insn.op) ? mode.stackBits : 32,
    flatCode: mode.codeBits === 64 || mode.codeLimit === 0xffff_ffff,
  }
}

/** Operand registers of the integer instructions are fields of the record; all else is fixed. */
export function keyOf(template: Template): string {
  const { insn } = template
  const isInteger = integer[insn.op] !== undefined
  const segments = segmentsOf(insn)
  // Flat segments are all alike.
  const flat = template.flatRead === segments && template.flatWrite === segments
  const through = flat ? 'flat' : `${segments}.${template.flatRead}.${template.flatWrite}.${insn.seg}`
  let key = `${insn.op}.${insn.opSize}.${insn.addrSize}.${insn.rep}.${insn.cc}.${through}.${template.stackBits}.${template.flatCode ? 1 : 0}`
  for (const operand of insn.operands) {
    // Records hold displacements of branches, whatever their size, as targets.
    key += `/${operand.kind}:${operand.kind === Kind.rel ? '' : operand.size}`
    if (!isInteger || (operand.kind !== Kind.gpr && operand.kind !== Kind.mem)) key += `:${operand.reg}`
    if (operand.kind === Kind.mem) {
      key += `:${insn.base >= 0 ? 1 : 0}${insn.index >= 0 ? insn.scale + 1 : 0}${insn.ripRelative ? 'r' : ''}`
    }
  }
  // POP to memory looks at whether the base is the stack pointer; RET and everything beyond the integers at immediates.
  if (insn.op === 'pop' && insn.base === 4) key += '/sp'
  if (insn.op === 'ret' || !isInteger) key += `/${insn.imm}/${insn.imm2}`
  // The x87 notes its opcode, the address of the instruction, and the segment of its operand.
  if (x87[insn.op]) key += `/${insn.row.opcode}/${insn.modrm}/${insn.length}/${insn.seg}`
  return template.branch === undefined ? key : `${key}+j${template.branch}`
}

/**
 * The same with a base register, or nothing where that makes no difference: the record of an instruction without one
 * has a zero in its place, so a rare form may use the handler of a frequent one.
 */
export function withBase(template: Template): Template | undefined {
  const { insn } = template
  const addresses = insn.operands.some(({ kind }) => kind === Kind.mem)
  return addresses && insn.base < 0 && !insn.ripRelative ? { ...template, insn: { ...insn, base: 0 } } : undefined
}
