/** Status flags as the manual defines them, by operation (SDM vol. 2, "Flags Affected"; vol. 1, appendix A). */
import { type Insn, Kind } from '@vmexit/x86-decoder'
import { Flag } from '../../src/index.ts'

const { CF, PF, AF, ZF, SF, OF } = Flag
export const STATUS: number = CF | PF | AF | ZF | SF | OF

/** What an instruction does to the status flags. */
export interface FlagEffect {
  /** Read before anything is written. */
  readonly reads: number
  /** Written with defined values, whatever the operands. */
  readonly defines: number
  /** Left undefined, for some operands at least. */
  readonly undefines: number
}

/** Flags that a condition code reads, by the code without its lowest bit. */
const CONDITIONS = [OF, CF, ZF, CF | ZF, SF, PF, SF | OF, ZF | SF | OF]

const none: FlagEffect = { reads: 0, defines: 0, undefines: 0 }
const all: FlagEffect = { reads: 0, defines: STATUS, undefines: 0 }
const effect = (defines: number, undefines: number, reads = 0): FlagEffect => ({ reads, defines, undefines })

const EFFECTS: Readonly<Record<string, FlagEffect>> = {
  add: all,
  sub: all,
  cmp: all,
  neg: all,
  xadd: all,
  cmpxchg: all,
  adc: effect(STATUS, 0, CF),
  sbb: effect(STATUS, 0, CF),
  and: effect(STATUS & ~AF, AF),
  or: effect(STATUS & ~AF, AF),
  xor: effect(STATUS & ~AF, AF),
  test: effect(STATUS & ~AF, AF),
  inc: effect(STATUS & ~CF, 0),
  dec: effect(STATUS & ~CF, 0),
  mul: effect(CF | OF, SF | ZF | AF | PF),
  imul: effect(CF | OF, SF | ZF | AF | PF),
  imul1: effect(CF | OF, SF | ZF | AF | PF),
  div: effect(0, STATUS),
  idiv: effect(0, STATUS),
  bsf: effect(ZF, STATUS & ~ZF),
  bsr: effect(ZF, STATUS & ~ZF),
  bt: effect(CF, OF | SF | AF | PF),
  bts: effect(CF, OF | SF | AF | PF),
  btr: effect(CF, OF | SF | AF | PF),
  btc: effect(CF, OF | SF | AF | PF),
  daa: effect(STATUS & ~OF, OF, AF | CF),
  das: effect(STATUS & ~OF, OF, AF | CF),
  aaa: effect(AF | CF, OF | SF | ZF | PF, AF),
  aas: effect(AF | CF, OF | SF | ZF | PF, AF),
  aam: effect(SF | ZF | PF, OF | AF | CF),
  aad: effect(SF | ZF | PF, OF | AF | CF),
  cmpxchg8b: effect(ZF, 0),
  cmpxchg16b: effect(ZF, 0),
  cmc: effect(CF, 0, CF),
  clc: effect(CF, 0),
  stc: effect(CF, 0),
  sahf: effect(STATUS & ~OF, 0),
  lahf: effect(0, 0, STATUS & ~OF),
  popf: all,
  pushf: effect(0, 0, STATUS),
  salc: effect(0, 0, CF),
  into: effect(0, 0, OF),
  loope: effect(0, 0, ZF),
  loopne: effect(0, 0, ZF),
  comiss: all,
  comisd: all,
  ucomiss: all,
  ucomisd: all,
  fcmovb: effect(0, 0, CF),
  fcmovnb: effect(0, 0, CF),
  fcmove: effect(0, 0, ZF),
  fcmovne: effect(0, 0, ZF),
  fcmovbe: effect(0, 0, CF | ZF),
  fcmovnbe: effect(0, 0, CF | ZF),
  fcmovu: effect(0, 0, PF),
  fcmovnu: effect(0, 0, PF),
}

const SHIFTS = new Set(['shl', 'shr', 'sar', 'shld', 'shrd'])
const ROTATES = new Set(['rol', 'ror', 'rcl', 'rcr'])
const STRING_COMPARES = new Set(['cmps', 'scas'])

/** With the x87 invalid operation not masked FCOMI sets no flags where it is invalid (SDM vol. 2); some processors do. */
const X87_COMPARES = new Set(['fcomi', 'fcomip', 'fucomi', 'fucomip'])

export function flagEffect(insn: Insn, invalidMasked: boolean): FlagEffect {
  const { op } = insn
  if (X87_COMPARES.has(op)) return invalidMasked ? all : effect(0, STATUS)
  if (op === 'jcc' || op === 'setcc' || op === 'cmovcc') return effect(0, 0, CONDITIONS[insn.cc >> 1]!)
  if (SHIFTS.has(op) || ROTATES.has(op)) return shiftEffect(insn)
  // A count of 0 leaves the flags as they were.
  if (STRING_COMPARES.has(op)) return insn.rep === 0 ? all : none
  return EFFECTS[op] ?? none
}

/** The count, or undefined where it is in CL. */
function countOf(insn: Insn): number | undefined {
  const count = insn.operands.at(-1)!
  if (count.kind === Kind.one) return count.reg
  return count.kind === Kind.imm ? insn.imm & (insn.operands[0]!.size === 64 ? 63 : 31) : undefined
}

function shiftEffect(insn: Insn): FlagEffect {
  const { op } = insn
  const { size } = insn.operands[0]!
  const count = countOf(insn)
  const reads = op === 'rcl' || op === 'rcr' ? CF : 0
  if (count === 0) return effect(0, 0, reads)
  let undefines = count === 1 ? 0 : OF
  if (SHIFTS.has(op)) undefines |= AF
  // The bit shifted out last is none of the operand's.
  if ((op === 'shl' || op === 'shr') && size < 32 && (count === undefined || count >= size)) undefines |= CF
  const written = SHIFTS.has(op) ? STATUS : CF | OF
  return effect(count === undefined ? 0 : written & ~undefines, undefines, reads)
}
