/** The meaning of every instruction that engines generate code for. The rest is in `system`. */
import { integer } from './integer/index.ts'
import type { SemanticsTable } from './processor.ts'
import { simd } from './simd/index.ts'
import { x87 } from './x87/index.ts'

export const semantics: SemanticsTable = { ...integer, ...x87, ...simd }
