/** SSE instructions of the Pentium III: single precision, and its additions to MMX. SDM volume 2. */
import type { Row } from '../row.ts'
import { type Line, rows } from './line.ts'
import { family, packedIntegerSse } from './mmx.ts'

/** Arithmetic that has a packed and a scalar form: `0F opcode /r`. */
export const floatArithmetic: readonly (readonly [opcode: string, name: string])[] = [
  ['51', 'SQRT'],
  ['58', 'ADD'],
  ['59', 'MUL'],
  ['5C', 'SUB'],
  ['5D', 'MIN'],
  ['5E', 'DIV'],
  ['5F', 'MAX'],
]

/** Bitwise logic: packed only. */
export const floatLogic: readonly (readonly [opcode: string, name: string])[] = [
  ['54', 'AND'],
  ['55', 'ANDN'],
  ['56', 'OR'],
  ['57', 'XOR'],
  ['14', 'UNPCKL'],
  ['15', 'UNPCKH'],
]

/** Lines for `name` + `suffix` with one prefix. */
export function floats(
  list: readonly (readonly [string, string])[],
  prefix: string,
  suffix: string,
  operands: string,
): Line[] {
  return list.map(([opcode, name]) => [
    `${prefix} 0F ${opcode} /r`,
    name + suffix,
    (name + suffix).toLowerCase(),
    operands,
  ])
}

const approximations = [
  ['52', 'RSQRT'],
  ['53', 'RCP'],
] as const

/** SSE instructions. */
export const sseRows: readonly Row[] = rows('sse', [
  ...floats(floatArithmetic, 'NP', 'PS', 'xmm1, xmm2/m128'),
  ...floats(floatArithmetic, 'F3', 'SS', 'xmm1, xmm2/m32'),
  ...floats(approximations, 'NP', 'PS', 'xmm1, xmm2/m128'),
  ...floats(approximations, 'F3', 'SS', 'xmm1, xmm2/m32'),
  ...floats(floatLogic, 'NP', 'PS', 'xmm1, xmm2/m128'),
  ['NP 0F 10 /r', 'MOVUPS', 'movups', 'xmm1, xmm2/m128'],
  ['NP 0F 11 /r', 'MOVUPS', 'movups', 'xmm2/m128, xmm1'],
  ['F3 0F 10 /r', 'MOVSS', 'movss', 'xmm1, xmm2/m32'],
  ['F3 0F 11 /r', 'MOVSS', 'movss', 'xmm2/m32, xmm1'],
  ['NP 0F 12 /r', 'MOVLPS', 'movlps', 'xmm1, m64'],
  ['NP 0F 12 /r', 'MOVHLPS', 'movhlps', 'xmm1, xmm2'],
  ['NP 0F 13 /r', 'MOVLPS', 'movlps', 'm64, xmm1'],
  ['NP 0F 16 /r', 'MOVHPS', 'movhps', 'xmm1, m64'],
  ['NP 0F 16 /r', 'MOVLHPS', 'movlhps', 'xmm1, xmm2'],
  ['NP 0F 17 /r', 'MOVHPS', 'movhps', 'm64, xmm1'],
  ['NP 0F 28 /r', 'MOVAPS', 'movaps', 'xmm1, xmm2/m128'],
  ['NP 0F 29 /r', 'MOVAPS', 'movaps', 'xmm2/m128, xmm1'],
  ['NP 0F 2B /r', 'MOVNTPS', 'movntps', 'm128, xmm1'],
  ['NP 0F 50 /r', 'MOVMSKPS', 'movmskps', 'ry, xmm2'],
  ['NP 0F 2A /r', 'CVTPI2PS', 'cvtpi2ps', 'xmm1, mm2/m64'],
  ['F3 0F 2A /r', 'CVTSI2SS', 'cvtsi2ss', 'xmm1, r/my'],
  ['NP 0F 2C /r', 'CVTTPS2PI', 'cvttps2pi', 'mm1, xmm2/m64'],
  ['F3 0F 2C /r', 'CVTTSS2SI', 'cvttss2si', 'ry, xmm2/m32'],
  ['NP 0F 2D /r', 'CVTPS2PI', 'cvtps2pi', 'mm1, xmm2/m64'],
  ['F3 0F 2D /r', 'CVTSS2SI', 'cvtss2si', 'ry, xmm2/m32'],
  ['NP 0F 2E /r', 'UCOMISS', 'ucomiss', 'xmm1, xmm2/m32'],
  ['NP 0F 2F /r', 'COMISS', 'comiss', 'xmm1, xmm2/m32'],
  ['NP 0F C2 /r ib', 'CMPPS', 'cmpps', 'xmm1, xmm2/m128, imm8'],
  ['F3 0F C2 /r ib', 'CMPSS', 'cmpss', 'xmm1, xmm2/m32, imm8'],
  ['NP 0F C6 /r ib', 'SHUFPS', 'shufps', 'xmm1, xmm2/m128, imm8'],

  ...family(packedIntegerSse, 'NP', 'mm1, mm2/m64'),
  ['NP 0F 70 /r ib', 'PSHUFW', 'pshufw', 'mm1, mm2/m64, imm8'],
  ['NP 0F C4 /r ib', 'PINSRW', 'pinsrw', 'mm1, r32/m16, imm8'],
  ['NP 0F C5 /r ib', 'PEXTRW', 'pextrw', 'r32, mm2, imm8'],
  ['NP 0F D7 /r', 'PMOVMSKB', 'pmovmskb', 'ry, mm2'],
  ['NP 0F E7 /r', 'MOVNTQ', 'movntq', 'm64, mm1'],
  ['NP 0F F7 /r', 'MASKMOVQ', 'maskmovq', 'mm1, mm2'],

  ['NP 0F AE /2', 'LDMXCSR', 'ldmxcsr', 'm32'],
  ['NP 0F AE /3', 'STMXCSR', 'stmxcsr', 'm32'],
  ['NP 0F AE F8+i', 'SFENCE', 'sfence', ''],
  ['0F 18 /0', 'PREFETCHNTA', 'nop', 'm8'],
  ['0F 18 /1', 'PREFETCHT0', 'nop', 'm8'],
  ['0F 18 /2', 'PREFETCHT1', 'nop', 'm8'],
  ['0F 18 /3', 'PREFETCHT2', 'nop', 'm8'],
])
