/** Reads the notation of the table's rows (see `table/line.ts`) into the parts that a decoder needs. */
import { Kind } from './insn.ts'

/** What stands in front of the opcode: `null` where prefixes are ignored. */
export type MandatoryPrefix = 'NP' | '66' | 'F3' | 'F2' | null

/** An immediate, displacement or offset behind the opcode, as the manual writes it. */
export type ImmediateCode = 'ib' | 'iw' | 'iz' | 'iv' | 'cb' | 'cz' | 'cp' | 'mo'

/** The opcode column, read. */
export interface OpcodeNotation {
  readonly prefix: MandatoryPrefix
  readonly rexW: boolean
  /** Opcode map: 0 one byte, 1 behind 0F, 2 behind 0F 38. */
  readonly map: 0 | 1 | 2
  readonly opcode: number
  /** How many opcodes from `opcode` on belong to the row: 8 with `+r`, 16 with `+cc`. */
  readonly span: 1 | 8 | 16
  /** The low bits of the opcode name a register. */
  readonly opcodeRegister: boolean
  /** `r`: ModRM with a register field; a number: the extension in that field; `none`: no ModRM. */
  readonly extension: 'r' | 'none' | number
  /** The whole ModRM byte where the opcode fixes it, and how many from it on: 8 with `+i`. */
  readonly modrm: { readonly first: number; readonly span: 1 | 8 } | null
  readonly immediates: readonly ImmediateCode[]
}

const prefixes = new Set(['NP', '66', 'F3', 'F2'])

/** Reads the opcode column. Throws `SyntaxError` on a word that the notation does not have. */
export function readOpcode(text: string): OpcodeNotation {
  const words: string[] = text.split(' ')
  const prefix = prefixes.has(words[0]!) && words.length > 1 ? (words.shift() as MandatoryPrefix) : null
  const rexW = words[0] === 'REX.W'
  if (rexW) words.shift()
  const map = words[0] !== '0F' ? 0 : words[1] !== '38' ? 1 : 2
  words.splice(0, map)
  const [opcode = '', opcodeSuffix] = words.shift()!.split('+')
  let extension: 'r' | 'none' | number = 'none'
  let modrm: OpcodeNotation['modrm'] = null
  const immediates: ImmediateCode[] = []
  for (const word of words) {
    if (word === '/r') extension = 'r'
    else if (/^\/[0-7]$/.test(word)) extension = Number(word[1])
    else if (/^[0-9A-F]{2}(\+i)?$/.test(word))
      modrm = { first: Number.parseInt(word, 16), span: word.endsWith('+i') ? 8 : 1 }
    else if (/^(i[bwzv]|c[bzp]|mo)$/.test(word)) immediates.push(word as ImmediateCode)
    else
      throw new SyntaxError(`opcode notation "${text}": "${word}" is not a word of it; see table/line.ts for the words`)
  }
  return {
    prefix,
    rexW,
    map,
    opcode: Number.parseInt(opcode, 16),
    span: opcodeSuffix === 'cc' ? 16 : opcodeSuffix === 'r' ? 8 : 1,
    opcodeRegister: opcodeSuffix === 'r',
    extension,
    modrm,
    immediates,
  }
}

/** Where the register number of an operand comes from. `rm` alone means ModRM.mod must be 3 unless memory is allowed too. */
export type Field = 'reg' | 'rm' | 'opcode' | 'fixed'

/** A size in bits, or how it follows from operand size, mode and REX.W. */
export type SizeCode = number | 'v' | 'z' | 'y' | 'n' | 'v&v' | '16:v' | '16&n'

/** One operand of the operand column, read. */
export interface OperandNotation {
  readonly kind: Kind
  readonly field: Field
  /** Register number where `field` is `fixed`. */
  readonly reg: number
  readonly size: SizeCode
  /** ModRM.rm may name memory instead; `memorySize` is its size. */
  readonly memory: boolean
  readonly memorySize: SizeCode
  /** Pointer register of a string operand: SI 6, DI 7; −1 elsewhere. */
  readonly pointer: number
  /** An 8-bit immediate is sign-extended. */
  readonly signed: boolean
}

const plain: OperandNotation = {
  kind: Kind.none,
  field: 'fixed',
  reg: 0,
  size: 0,
  memory: false,
  memorySize: 0,
  pointer: -1,
  signed: false,
}

const fixed: Readonly<Record<string, OperandNotation>> = {
  AL: { ...plain, kind: Kind.gpr, size: 8 },
  CL: { ...plain, kind: Kind.gpr, reg: 1, size: 8 },
  AX: { ...plain, kind: Kind.gpr, size: 16 },
  DX: { ...plain, kind: Kind.gpr, reg: 2, size: 16 },
  rAX: { ...plain, kind: Kind.gpr, size: 'v' },
  zAX: { ...plain, kind: Kind.gpr, size: 'z' },
  ES: { ...plain, kind: Kind.seg, reg: 0, size: 16 },
  CS: { ...plain, kind: Kind.seg, reg: 1, size: 16 },
  SS: { ...plain, kind: Kind.seg, reg: 2, size: 16 },
  DS: { ...plain, kind: Kind.seg, reg: 3, size: 16 },
  FS: { ...plain, kind: Kind.seg, reg: 4, size: 16 },
  GS: { ...plain, kind: Kind.seg, reg: 5, size: 16 },
  'ST(0)': { ...plain, kind: Kind.st, size: 80 },
  'ST(i)': { ...plain, kind: Kind.st, field: 'rm', size: 80 },
  1: { ...plain, kind: Kind.one, reg: 1, size: 8 },
  3: { ...plain, kind: Kind.one, reg: 3, size: 8 },
  Sreg: { ...plain, kind: Kind.seg, field: 'reg', size: 16 },
  CR: { ...plain, kind: Kind.cr, field: 'reg', size: 'n' },
  DR: { ...plain, kind: Kind.dr, field: 'reg', size: 'n' },
  imm8: { ...plain, kind: Kind.imm, size: 8 },
  imm8s: { ...plain, kind: Kind.imm, size: 'v', signed: true },
  imm16: { ...plain, kind: Kind.imm, size: 16 },
  immz: { ...plain, kind: Kind.imm, size: 'v' },
  immv: { ...plain, kind: Kind.imm, size: 'v' },
  rel8: { ...plain, kind: Kind.rel, size: 8 },
  relz: { ...plain, kind: Kind.rel, size: 'z' },
  'ptr16:v': { ...plain, kind: Kind.far, size: '16:v' },
  moffs8: { ...plain, kind: Kind.mem, size: 8 },
  moffsv: { ...plain, kind: Kind.mem, size: 'v' },
}

function readSize(text: string): SizeCode {
  if (text === '') return 0
  return /^\d+$/.test(text) ? Number(text) : (text as SizeCode)
}

const sizeText = '(\\d+|[vzyn])'
const pointerPattern = /^m(8|v|z)\((SI|DI)\)$/
const memoryPattern = /^m(|\d+(?=$|fp$|int$|bcd$)|v|y|v&v|16:v|16&n)(fp|int|bcd)?$/
const gprPattern = new RegExp(`^r${sizeText}(?:/m${sizeText})?$`)
const eitherPattern = new RegExp(`^r/m${sizeText}$`)
const vectorPattern = /^(x?mm)([12])(?:\/m(\d+))?$/

function readOperand(word: string, opcode: OpcodeNotation): OperandNotation {
  const known = fixed[word]
  if (known) return known
  const pointer = pointerPattern.exec(word)
  if (pointer) return { ...plain, kind: Kind.mem, size: readSize(pointer[1]!), pointer: pointer[2] === 'SI' ? 6 : 7 }
  const either = eitherPattern.exec(word)
  if (either) {
    const size = readSize(either[1]!)
    return { ...plain, kind: Kind.gpr, field: 'rm', size, memory: true, memorySize: size }
  }
  const gpr = gprPattern.exec(word)
  if (gpr) {
    const memory = gpr[2] !== undefined
    const field = opcode.opcodeRegister ? 'opcode' : memory ? 'rm' : 'reg'
    return { ...plain, kind: Kind.gpr, field, size: readSize(gpr[1]!), memory, memorySize: readSize(gpr[2] ?? '') }
  }
  const vector = vectorPattern.exec(word)
  if (vector) {
    const xmm = vector[1] === 'xmm'
    const field = vector[2] === '1' && opcode.extension === 'r' ? 'reg' : 'rm'
    const memory = vector[3] !== undefined
    return {
      ...plain,
      kind: xmm ? Kind.xmm : Kind.mm,
      field,
      size: xmm ? 128 : 64,
      memory,
      memorySize: readSize(vector[3] ?? ''),
    }
  }
  const memory = memoryPattern.exec(word)
  if (memory) return { ...plain, kind: Kind.mem, field: 'rm', memory: true, memorySize: readSize(memory[1]!) }
  throw new SyntaxError(`operand notation: "${word}" is not a word of it; see table/line.ts for the words`)
}

/** Reads the operand column. Throws `SyntaxError` on a word that the notation does not have. */
export function readOperands(text: string, opcode: OpcodeNotation): readonly OperandNotation[] {
  if (text === '') return []
  const operands = text.split(', ').map((word) => readOperand(word, opcode))
  if (operands.some((operand) => operand.kind === Kind.cr || operand.kind === Kind.dr))
    return operands.map((operand) => (operand.kind === Kind.gpr ? { ...operand, field: 'rm' } : operand))
  if (opcode.immediates.length === 2)
    return operands.map((operand, n) => (n === 1 ? { ...operand, kind: Kind.imm2 } : operand))
  return operands
}
