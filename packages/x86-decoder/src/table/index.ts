/** The whole instruction table. */
import type { Row } from '../row.ts'
import { controlRows } from './control.ts'
import { arithmeticRows, transferRows } from './integer.ts'
import { mmxRows } from './mmx.ts'
import { sseRows } from './sse.ts'
import { sse2Rows } from './sse2.ts'
import { systemRows } from './system.ts'
import { vmxRows } from './vmx.ts'
import { x87Rows } from './x87.ts'

/** Every instruction form, in the order of the groups; where two describe the same bytes, the one that says more about them holds. */
export const table: readonly Row[] = [
  ...arithmeticRows,
  ...transferRows,
  ...controlRows,
  ...systemRows,
  ...x87Rows,
  ...mmxRows,
  ...sseRows,
  ...sse2Rows,
  ...vmxRows,
]
