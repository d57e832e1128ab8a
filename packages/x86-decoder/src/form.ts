/** A row compiled for one mode: what the decoder does with the bytes behind the opcode. */
import { Kind, type Operand } from './insn.ts'
import {
  type ImmediateCode,
  type OpcodeNotation,
  type OperandNotation,
  readOpcode,
  readOperands,
  type SizeCode,
} from './notation.ts'
import type { Row } from './row.ts'

/** What follows the address bytes. */
export const Tail = {
  none: 0,
  /** 8 bits, zero-extended. */
  byte: 1,
  /** 8 bits, sign-extended. */
  signedByte: 2,
  /** 16 bits. */
  word: 3,
  /** 16 bits, or 32 that a 64-bit operation sign-extends. */
  z: 4,
  /** 16, 32 or 64 bits. */
  v: 5,
  /** A displacement of 16 or 32 bits. */
  relative: 6,
  /** Offset of 16 or 32 bits, then a selector. */
  farPointer: 7,
  /** 16 bits, then 8: ENTER. */
  enter: 8,
  /** An address of the address size. */
  offset: 9,
} as const
export type Tail = (typeof Tail)[keyof typeof Tail]

const tails: Readonly<Record<ImmediateCode, Tail>> = {
  ib: Tail.byte,
  iw: Tail.word,
  iz: Tail.z,
  iv: Tail.v,
  cb: Tail.signedByte,
  cz: Tail.relative,
  cp: Tail.farPointer,
  mo: Tail.offset,
}

function tailOf(opcode: OpcodeNotation, operands: readonly OperandNotation[]): Tail {
  const [first, second] = opcode.immediates
  if (second) return Tail.enter
  if (!first) return Tail.none
  return first === 'ib' && operands.some((operand) => operand.signed) ? Tail.signedByte : tails[first]
}

/** Operand slots of a form: memory by ModRM.reg, then register pairs; in 64-bit mode all of it once more for REX present. */
export const memorySlots = 16
export const slotsWithoutRex: number = memorySlots + 256
/** Without REX.R and REX.B no slot lies behind the pair of registers 7 and 7. */
const legacySlots = memorySlots + 0x77 + 1
const longSlots = slotsWithoutRex * 2
/** Operand sizes 16, 32, 64. */
export const sizeCount = 3

/** Operand lists by `slot * sizeCount + size`; `null` where none was asked for yet. */
export type OperandCache = (readonly Operand[] | null)[]
const emptyLegacy: OperandCache = new Array(legacySlots * sizeCount).fill(null)
const emptyLong: OperandCache = new Array(longSlots * sizeCount).fill(null)

const interned = new Map<number, Operand>()

/** Operands are immutable and shared between all instructions. */
function operand(kind: Kind, reg: number, size: number, high = false): Operand {
  const key = (((size * 16 + kind) * 16 + reg) << 1) | (high ? 1 : 0)
  let found = interned.get(key)
  if (!found) {
    found = Object.freeze({ kind, reg, size, high })
    interned.set(key, found)
  }
  return found
}

/** Control registers that exist. */
const controlRegisters = [0, 2, 3, 4]
const segmentRegisters = [0, 1, 2, 3, 4, 5]

/** A row compiled for legacy modes or for 64-bit mode. */
export class Form {
  readonly row: Row
  readonly op: string
  readonly opcode: OpcodeNotation
  readonly tail: Tail
  /** Condition of the opcode 0–15 is in its low four bits. */
  readonly conditional: boolean
  /** A REP prefix repeats it. */
  readonly repeats: boolean
  /** F3 or F2 is part of the opcode. */
  readonly repMandatory: boolean
  /** 66 is part of the opcode. */
  readonly sizeMandatory: boolean
  /** Pointer register of a string instruction's memory operand, SI if there are two; −1 elsewhere. */
  readonly pointer: number
  /** When a segment override has an effect: never, where ModRM names memory, always. */
  readonly segmentUse: 'never' | 'memory' | 'always'
  /** ModRM.rm is a register whatever ModRM.mod says. */
  readonly ignoresMod: boolean
  /** ModRM.rm may name memory, a register. */
  readonly memoryAllowed: boolean
  readonly registerAllowed: boolean
  /** Which values of ModRM.reg exist, as a bit mask, without and with REX.R. */
  readonly regs: number
  readonly extendedRegs: number
  /** The form that REX.W selects instead. */
  wide: Form | null = null
  cache: OperandCache
  private readonly long: boolean
  private readonly notation: readonly OperandNotation[]

  constructor(row: Row, long: boolean) {
    const opcode = readOpcode(row.opcode)
    const operands = readOperands(row.operands, opcode)
    const first = operands[0]
    const rm = operands.find((operand) => operand.field === 'rm')
    const special = operands.find(
      (operand) => operand.field === 'reg' && operand.kind >= Kind.seg && operand.kind <= Kind.dr,
    )
    const pointers = operands.filter((operand) => operand.pointer >= 0).map((operand) => operand.pointer)
    this.row = row
    this.op = row.op
    this.opcode = opcode
    this.long = long
    this.cache = long ? emptyLong : emptyLegacy
    this.notation = operands
    this.tail = tailOf(opcode, operands)
    this.conditional = opcode.span === 16
    this.repeats = pointers.length > 0
    this.repMandatory = opcode.prefix === 'F3' || opcode.prefix === 'F2'
    this.sizeMandatory = opcode.prefix === '66'
    this.pointer = pointers.length > 0 ? Math.min(...pointers) : -1
    this.ignoresMod = special?.kind === Kind.cr || special?.kind === Kind.dr
    this.memoryAllowed = rm === undefined || rm.memory || this.ignoresMod
    this.registerAllowed = rm === undefined || rm.kind !== Kind.mem
    const implied = this.pointer === 6 || this.tail === Tail.offset || /^(xlat|maskmov)/.test(row.op)
    this.segmentUse = implied ? 'always' : rm?.memory && row.op !== 'lea' ? 'memory' : 'never'
    let regs = [0, 1, 2, 3, 4, 5, 6, 7]
    if (special?.kind === Kind.cr) regs = controlRegisters
    // CS cannot be loaded by MOV.
    if (special?.kind === Kind.seg) regs = segmentRegisters.filter((reg) => special !== first || reg !== 1)
    if (typeof opcode.extension === 'number') regs = [opcode.extension]
    this.regs = regs.reduce((mask, reg) => mask | (1 << reg), 0)
    // CR8 is the one extended control register; there is no extended debug register.
    this.extendedRegs = special?.kind === Kind.cr ? 1 : special?.kind === Kind.dr ? 0 : 0xff
  }

  /**
   * Builds and keeps the operands of one slot.
   * `modrm` −1: no ModRM. `rex` 0: no REX. `size` is 0, 1, 2 for operand size 16, 32, 64.
   */
  fill(key: number, byte: number, modrm: number, rex: number, size: number): readonly Operand[] {
    if (this.cache === emptyLegacy || this.cache === emptyLong) this.cache = this.cache.slice()
    const operands = Object.freeze(this.notation.map((notation) => this.build(notation, byte, modrm, rex, size)))
    this.cache[key] = operands
    return operands
  }

  private build(notation: OperandNotation, byte: number, modrm: number, rex: number, size: number): Operand {
    const { field, kind } = notation
    if (field === 'rm' && notation.memory && modrm < 0xc0)
      return operand(Kind.mem, 0, this.bits(notation.memorySize, size))
    const bits = this.bits(notation.size, size)
    if (notation.pointer >= 0) return operand(kind, notation.pointer, bits)
    if (field === 'fixed') return operand(kind, notation.reg, bits)
    let reg = field === 'opcode' ? byte & 7 : field === 'rm' ? modrm & 7 : (modrm >> 3) & 7
    // Segment, x87 and MMX registers have no extension.
    if (kind === Kind.gpr || kind === Kind.xmm || kind === Kind.cr)
      reg |= field === 'reg' ? (rex & 4) << 1 : (rex & 1) << 3
    if (kind === Kind.gpr && bits === 8 && rex === 0 && reg >= 4) return operand(kind, reg - 4, bits, true)
    return operand(kind, reg, bits)
  }

  private bits(code: SizeCode, size: number): number {
    const v = 16 << size
    switch (code) {
      case 'v':
        return v
      case 'z':
        return Math.min(v, 32)
      case 'y':
        return Math.max(v, 32)
      case 'n':
        return this.long ? 64 : 32
      case 'v&v':
        return v * 2
      case '16:v':
        return 16 + v
      case '16&n':
        return this.long ? 80 : 48
      default:
        return code
    }
  }
}
