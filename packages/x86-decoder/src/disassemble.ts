/** Instructions as text, in Intel syntax. */
import { type Insn, Kind, type Operand } from './insn.ts'
import { gprName, registerName, segmentNames } from './registers.ts'

/** How instructions are written. */
export interface DisassembleOptions {
  /** `prefix`: `0x1f`. `suffix`: `1Fh`, with a leading 0 before a letter. Default `prefix`. */
  readonly hex?: 'prefix' | 'suffix'
}

const conditions = ['o', 'no', 'b', 'ae', 'e', 'ne', 'be', 'a', 's', 'ns', 'p', 'np', 'l', 'ge', 'le', 'g']
const memorySizes: Readonly<Record<number, string>> = {
  8: 'byte ptr ',
  16: 'word ptr ',
  32: 'dword ptr ',
  48: 'fword ptr ',
  64: 'qword ptr ',
  80: 'tbyte ptr ',
  128: 'xmmword ptr ',
}

/** `reg` of a string instruction's operand at ES:DI. */
const pointerDi = 7

type Hex = (value: number | bigint) => string

const prefixHex: Hex = (value) => `0x${value.toString(16)}`
const suffixHex: Hex = (value) => {
  const digits = value.toString(16).toUpperCase()
  return `${/^[A-F]/.test(digits) ? '0' : ''}${digits}h`
}

function pair(high: number, low: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low >>> 0)
}

/**
 * The mnemonic: conditions spelled out, and of `CBW/CWDE/CDQE` the one for the operand size.
 * JCXZ is named after the address size, which is the size of the register that it tests.
 */
function mnemonic(insn: Insn): string {
  const names = insn.row.mnemonic.toLowerCase().split('/')
  const size = insn.op === 'jcxz' ? insn.addrSize : insn.opSize
  const name = names.length === 1 ? names[0]! : names[size === 16 ? 0 : size === 32 ? 1 : 2]!
  return name.endsWith('cc') ? name.slice(0, -2) + conditions[insn.cc] : name
}

function prefixes(insn: Insn): string {
  const lock = insn.lock ? 'lock ' : ''
  if (insn.rep === 0) return lock
  const compares = insn.op === 'cmps' || insn.op === 'scas'
  return lock + (insn.rep === 0xf2 ? 'repne ' : compares ? 'repe ' : 'rep ')
}

function displacement(insn: Insn, hasBase: boolean, hex: Hex): string {
  if (!hasBase) return hex(BigInt.asUintN(insn.addrSize, pair(insn.dispHigh, insn.disp)))
  if (insn.disp === 0) return ''
  return insn.disp < 0 ? `-${hex(-insn.disp)}` : `+${hex(insn.disp)}`
}

function memory(insn: Insn, operand: Operand, hex: Hex): string {
  const { base, index, addrSize } = insn
  const size = memorySizes[operand.size] ?? ''
  if (operand.reg === pointerDi) return `${size}es:[${gprName(pointerDi, addrSize)}]`
  const segment = insn.segOverride ? `${segmentNames[insn.seg]}:` : ''
  const registers: string[] = []
  if (insn.ripRelative) registers.push(addrSize === 64 ? 'rip' : 'eip')
  if (base >= 0) registers.push(gprName(base, addrSize))
  if (index >= 0) registers.push(gprName(index, addrSize) + (addrSize === 16 ? '' : `*${1 << insn.scale}`))
  return `${size}${segment}[${registers.join('+')}${displacement(insn, registers.length > 0, hex)}]`
}

function text(insn: Insn, operand: Operand, ip: bigint, hex: Hex): string {
  switch (operand.kind) {
    case Kind.mem:
      return memory(insn, operand, hex)
    case Kind.imm:
      return hex(BigInt.asUintN(operand.size, pair(insn.immHigh, insn.imm)))
    case Kind.imm2:
      return hex(insn.imm2)
    case Kind.rel:
      return hex(BigInt.asUintN(insn.opSize, ip + BigInt(insn.length) + BigInt(insn.imm)))
    case Kind.far:
      return `${hex(insn.imm2)}:${hex(insn.imm >>> 0)}`
    case Kind.one:
      return operand.reg === 1 ? '1' : ''
    default:
      return registerName(operand)
  }
}

/**
 * The instruction in Intel syntax, in lower case. `ip` is its address, from which branch targets follow; they are cut to the
 * operand size as the processor cuts them.
 */
export function disassemble(insn: Insn, ip: number | bigint = 0, options: DisassembleOptions = {}): string {
  const hex = options.hex === 'suffix' ? suffixHex : prefixHex
  const far = /_far(_ind)?$/.test(insn.op) && insn.op !== 'ret_far' ? 'far ' : ''
  const operands = insn.operands
    .map((operand) => text(insn, operand, BigInt(ip), hex))
    .filter((operand) => operand !== '')
  // An override of memory that no operand shows (XLATB, MASKMOVQ) stands before the instruction.
  const hidden =
    insn.segOverride && !insn.operands.some((operand) => operand.kind === Kind.mem) ? `${segmentNames[insn.seg]} ` : ''
  return `${prefixes(insn)}${hidden}${mnemonic(insn)} ${far}${operands.join(', ')}`.trimEnd()
}
