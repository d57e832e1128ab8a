/** Forms of instructions: what host vectors cover, and what they leave out and why. */
import { type Insn, Kind, type Row, table } from '@vmexit/x86-decoder'
import { type Bits, type Choice, encode, scratchInsn } from './generate/encode.ts'

const KIND_NAMES = Object.fromEntries(Object.entries(Kind).map(([name, kind]) => [kind, name]))

/** The operand size matters to operands that these letters name, and to these operations. */
const SIZED_OPERANDS = /[vz]|rAX|ry|my/
const SIZED = new Set(['pusha', 'popa', 'pushf', 'popf', 'enter', 'leave', 'cbw', 'cwd', 'ret', 'push_seg'])
const BRANCHES = new Set(['jmp', 'jcc', 'call', 'loop', 'loope', 'loopne', 'jcxz'])

/** Name of the form that an instruction has: row, kinds and sizes of operands, operand size where it matters. */
export function formOf(insn: Insn): string {
  const { row, op, operands, opSize } = insn
  const shape = operands.map(({ kind, size }) => `${KIND_NAMES[kind]}${size}`).join(' ')
  const sized = SIZED.has(op) || BRANCHES.has(op) || SIZED_OPERANDS.test(row.operands)
  return `${row.opcode} ${row.mnemonic.split('/')[0]} [${shape}]${sized ? ` ${opSize}` : ''}`
}

/** Why a row is not among the host vectors; undefined for one that is. */
export function leftOut(row: Row): string | undefined {
  if (row.feature === 'vmx') return 'VMX'
  const known = LEFT_OUT[row.op]
  if (known) return known
  if (row.op === 'mov' || row.op === 'pushf' || row.op === 'popf' || row.op === 'push_seg') {
    if (row.operands.startsWith('Sreg')) return SEGMENT_LOAD
    if (/CR|DR/.test(row.operands)) return 'privileged'
    return undefined
  }
  if (row.privilege === 'cpl0' || row.privilege === 'iopl') return 'privileged'
  if (row.privilege === 'io') return "I/O: permission is the system's"
  if (row.privilege === 'sensitive') return 'reads system tables, or transfers through them'
  return undefined
}

/** Why a form is not among the host vectors, though its row is. */
export function formLeftOut(insn: Insn): string | undefined {
  if (insn.op === 'bswap' && insn.opSize === 16) return 'the manual leaves the result undefined'
  if (insn.row.opcode === '0F 0D /r' && insn.modrm >= 0xc0) return 'the host raises #UD, where the manual has a NOP'
  return undefined
}

const SEGMENT_LOAD = "loads a segment register: descriptor tables are the system's"
const LEFT_OUT: Readonly<Record<string, string>> = {
  pop_seg: SEGMENT_LOAD,
  les: SEGMENT_LOAD,
  lds: SEGMENT_LOAD,
  lss: SEGMENT_LOAD,
  lfs: SEGMENT_LOAD,
  lgs: SEGMENT_LOAD,
  cpuid: 'says which processor it is',
  rdtsc: 'time',
  rdpmc: 'privileged unless the system allows it',
  sysenter: 'enters the system',
  syscall: 'enters the system',
  rsm: 'system management',
  int1: 'hypervisors of recording hosts have another instruction pointer for it',
}

/** In 64-bit code processors differ about 66 before near branches (SDM vol. 2, Jcc): it is not used. */
export const sizesOf = (row: Row, bits: Bits): readonly Bits[] =>
  bits !== 64 ? [16, 32] : row.width === 'f64' ? [64] : row.width === 'd64' ? [64, 16] : [32, 16, 64]

/** All forms of one row in code of so many bits, each with the choice of operand size and memory that makes it. */
export function formsOf(row: Row, bits: Bits): Map<string, { operandSize: Bits; memory: boolean }> {
  const forms = new Map<string, { operandSize: Bits; memory: boolean }>()
  const insn = scratchInsn()
  for (const operandSize of sizesOf(row, bits)) {
    for (const memory of [false, true]) {
      const choice: Choice = {
        operandSize,
        address: memory ? { size: bits === 16 ? 32 : bits, base: 3, index: -1, scale: 0, disp: 0 } : undefined,
        reg: 1,
        rm: 2,
        low: 1,
        prefixes: [],
        rex: 0,
        immediate: (_code, bytes) => Array.from({ length: bytes }, () => 0),
      }
      if (!encode(row, bits, choice, insn)) continue
      if (formLeftOut(insn)) continue
      const form = formOf(insn)
      if (!forms.has(form)) forms.set(form, { operandSize, memory })
    }
  }
  return forms
}

/** The rows that host vectors cover. */
export const coveredRows = (bits: Bits): readonly Row[] =>
  table.filter((row) => leftOut(row) === undefined && row.modes !== (bits === 64 ? 'legacy' : 'long'))
