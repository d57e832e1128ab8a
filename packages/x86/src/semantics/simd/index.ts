/** The meaning of every MMX, SSE and SSE2 instruction, by operation name (SDM vol. 1, chapters 9 to 11). */
import type { SemanticsTable } from '../processor.ts'
import { approximations } from './approximate.ts'
import { comparisons } from './compare.ts'
import { conversions } from './convert.ts'
import { floatArithmetic } from './float.ts'
import { packedInteger } from './integer.ts'
import { moves } from './move.ts'
import { control } from './mxcsr.ts'
import { shifts } from './shift.ts'
import { shuffles } from './shuffle.ts'

/** MMX, SSE and SSE2. The hints PREFETCHh are the operation `nop`. */
export const simd: SemanticsTable = {
  ...packedInteger,
  ...shifts,
  ...shuffles,
  ...moves,
  ...floatArithmetic,
  ...comparisons,
  ...conversions,
  ...approximations,
  ...control,
}
