/**
 * What of a host vector does not count, by form: values that the manual leaves undefined or approximate, and the few places
 * where the recording host, an AMD Zen 4, does otherwise than Intel's manual says. Each rule masks no more than that.
 */
import type { Insn } from '@vmexit/x86-decoder'
import { flow, type Step } from './code.ts'
import { flagEffect } from './flags.ts'
import { Fx, type UserState } from './input.ts'

/** Bits of the x87 status word. */
const C1 = 0x200
const CODES = 0x4500
const INVALID = 1
/** Flag and mask of a denormal operand. */
export const DENORMAL = 2
const PE = 0x20

/** What does not count of a sequence's end. */
export class Mask {
  flags = 0
  fsw = 0
  /** The whole x87 and MMX state. */
  x87 = false
  /** Stack registers that may be this many units in the last place away. */
  ulps: { readonly st: readonly number[]; readonly most: number } | undefined
  /** XMM lanes that are approximations: 32-bit lanes of the register may be this far away, relatively. */
  approximate: { readonly xmm: number; readonly lanes: number } | undefined
  /** General registers whose upper half does not count. */
  highHalf = 0
  /** Bytes from the memory operand on. */
  memory: readonly { readonly from: number; readonly bytes: number }[] = []
  /** Rules that have applied. */
  readonly rules: string[] = []
}

interface Context {
  readonly insn: Insn
  readonly bits: 16 | 32 | 64
  readonly before: UserState
  readonly after: UserState
}

interface Rule {
  readonly name: string
  readonly why: string
  readonly applies: (context: Context) => boolean
  readonly mask: (mask: Mask, context: Context) => void
}

const isOp = (...ops: string[]) => {
  const known = new Set(ops)
  return ({ insn }: Context): boolean => known.has(insn.op)
}
const word = (fx: Uint8Array, at: number): number => fx[at]! | (fx[at + 1]! << 8)

const TRANSCENDENTAL = ['f2xm1', 'fyl2x', 'fyl2xp1', 'fptan', 'fpatan', 'fsin', 'fcos', 'fsincos']
const COMPARES = ['fcom', 'fcomp', 'fcompp', 'ficom', 'ficomp', 'ftst', 'fucom', 'fucomp', 'fucompp']

/** Rules for the instruction that a sequence ended with. Those that say "the host" are differences, the others the manual's. */
export const RULES: readonly Rule[] = [
  {
    name: 'x87 pointers in an environment',
    why: 'the host notes opcode and pointers at exceptions only (SDM vol. 1, 8.1.8: implementations differ)',
    applies: isOp('fnstenv', 'fnsave'),
    mask: (mask, { insn }) => {
      mask.memory = insn.opSize === 16 ? [{ from: 6, bytes: 8 }] : [{ from: 12, bytes: 16 }]
    },
  },
  {
    name: 'x87 pointers and MXCSR_MASK in an image',
    why: 'pointers as above; MXCSR_MASK says which MXCSR bits the processor has',
    applies: isOp('fxsave'),
    mask: (mask) => {
      mask.memory = [
        { from: 6, bytes: 18 },
        { from: 28, bytes: 4 },
      ]
    },
  },
  {
    name: 'last bits of transcendental results',
    why: 'the manual promises an error below one unit in the last place (SDM vol. 1, 8.3.10); C1 says how it was rounded',
    applies: isOp(...TRANSCENDENTAL),
    mask: (mask) => {
      mask.ulps = { st: [0, 1], most: 1 }
      mask.fsw |= C1
    },
  },
  {
    name: 'inexact F2XM1 and FYL2X',
    why: 'the host reports results as inexact that are exact',
    applies: isOp('f2xm1', 'fyl2x'),
    mask: (mask) => {
      mask.fsw |= PE
    },
  },
  {
    name: 'F2XM1 and FYL2XP1 out of range',
    why: 'undefined for F2XM1 beyond ±1, and for FYL2XP1 beyond ±(1 − √½)',
    applies: (context) => isOp('f2xm1', 'fyl2xp1')(context) && outOfRange(context),
    mask: (mask) => {
      mask.x87 = true
    },
  },
  {
    name: 'approximate reciprocals',
    why: 'RCP and RSQRT promise a relative error of 1.5 · 2^−12 only',
    applies: isOp('rcpps', 'rcpss', 'rsqrtps', 'rsqrtss'),
    mask: (mask, { insn }) => {
      mask.approximate = { xmm: insn.operands[0]!.reg, lanes: insn.op.endsWith('ss') ? 1 : 4 }
    },
  },
  {
    name: 'upper half after BSF and BSR of 32 bits',
    why: 'undefined with a source of 0; the host leaves all 64 bits as they were',
    applies: (context) => isOp('bsf', 'bsr')(context) && context.bits === 64 && context.insn.opSize === 32,
    mask: (mask, { insn }) => {
      mask.highHalf |= 1 << insn.operands[0]!.reg
    },
  },
  {
    name: 'upper half after CMPXCHG of 32 bits',
    why: 'the host leaves a register that is not equal as it was; by the manual it is written, and zero-extended',
    applies: (context) =>
      isOp('cmpxchg')(context) && context.bits === 64 && context.insn.opSize === 32 && context.insn.modrm >= 0xc0,
    mask: (mask, { insn }) => {
      mask.highHalf |= 1 << insn.operands[0]!.reg
    },
  },
  {
    name: 'FLD of an unmasked denormal',
    why: 'by the manual TOP stays as it was (SDM vol. 1, 8.5.2); the host pushes',
    applies: ({ insn, before, after }) =>
      loadsReal(insn) && !(before.fx[Fx.fcw]! & DENORMAL) && (after.fx[Fx.fsw]! & DENORMAL) !== 0,
    mask: (mask) => {
      mask.x87 = true
    },
  },
  {
    name: 'CVTPI2PS from memory',
    why: 'the host leaves the x87 state alone; the manual says that the instruction begins MMX operation',
    applies: (context) => isOp('cvtpi2ps')(context) && context.insn.modrm < 0xc0,
    mask: (mask) => {
      mask.x87 = true
    },
  },
]

/** FLD of single or double precision. */
export function loadsReal(insn: Insn): boolean {
  return insn.op === 'fld' && insn.modrm < 0xc0 && insn.operands[0]!.size !== 80
}

/** ST(0) is not within ±1 for F2XM1, or ±(1 − √½) for FYL2XP1. */
function outOfRange({ insn, before: { fx } }: Context): boolean {
  const exponent = word(fx, Fx.st + 8) & 0x7fff
  const high = new DataView(fx.buffer, fx.byteOffset).getUint32(Fx.st + 4, true)
  const low = new DataView(fx.buffer, fx.byteOffset).getUint32(Fx.st, true)
  if (insn.op === 'f2xm1') return exponent > 0x3fff || (exponent === 0x3fff && (high > 0x8000_0000 || low > 0))
  // 1 − √½ is 0.2929…: 1.0010 1011 1110 1100 … · 2^−2.
  return exponent > 0x3ffd || (exponent === 0x3ffd && high >= 0x95f6_1998)
}

/** x87 instructions after which C1 is defined again: all that compute, move or load. */
const KEEPS_CODES = new Set(['fnop', 'fwait', 'fldcw', 'fnstcw', 'fnstsw', 'fnclex', 'fneni', 'emms'])
const COMPARES_TO_FLAGS = new Set(['fcomi', 'fcomip', 'fucomi', 'fucomip'])
const COMPARES_TO_CODES = new Set(COMPARES)
const LOADS_CODES = new Set(['fninit', 'fldenv', 'frstor', 'fxrstor', 'fnsave'])
/** Instructions that change the control word by a value not known here. */
const CHANGES_CONTROL = new Set(['fldcw', 'fldenv', 'frstor', 'fxrstor'])

/** Condition codes that are not defined after an instruction, out of those that were not before. */
export function undefinedCodes(before: number, insn: Insn, invalidMasked: boolean): number {
  const { op } = insn
  if (LOADS_CODES.has(op)) return 0
  // The host leaves C1 as it was, where the manual has it cleared.
  if (COMPARES_TO_FLAGS.has(op)) return before | C1
  // With the invalid operation not masked the manual sets no codes (SDM vol. 2, FCOM); the host sets them to "unordered".
  if (COMPARES_TO_CODES.has(op)) return (before & ~(CODES | C1)) | (invalidMasked ? 0 : CODES)
  if (insn.row.feature !== 'fpu' || KEEPS_CODES.has(op)) return before
  return before & ~C1
}

/** Is the x87 invalid operation masked all along? */
export function masksInvalid(steps: readonly Step[], { fx }: UserState): boolean {
  return (fx[Fx.fcw]! & INVALID) !== 0 && !steps.some(({ insn }) => CHANGES_CONTROL.has(insn.op))
}

/**
 * The mask of a sequence that ended at byte `stop`: what no path to there has defined, and what the rules say about an
 * instruction by itself, of which such sequences consist.
 */
export function maskOf(
  steps: readonly Step[],
  stop: number,
  bits: 16 | 32 | 64,
  before: UserState,
  after: UserState,
): Mask {
  const mask = new Mask()
  const invalidMasked = masksInvalid(steps, before)
  const reached = steps.findIndex(({ at }) => at >= stop)
  const end = reached < 0 ? steps.length : reached
  mask.flags = flow(steps, (value, { insn }) => {
    const { defines, undefines } = flagEffect(insn, invalidMasked)
    return (value & ~defines) | undefines
  })[end]!
  if (mask.flags) mask.rules.push('undefined flags')
  mask.fsw = flow(steps, (value, { insn }) => undefinedCodes(value, insn, invalidMasked))[end]!
  if (mask.fsw) mask.rules.push('codes of x87 comparisons')
  if (steps.length !== 1) return mask
  const context: Context = { insn: steps[0]!.insn, bits, before, after }
  for (const rule of RULES) {
    if (!rule.applies(context)) continue
    mask.rules.push(rule.name)
    rule.mask(mask, context)
  }
  return mask
}
