/** The integer instructions. */
import type { SemanticsTable } from '../processor.ts'
import { arithmetic } from './arithmetic.ts'
import { bits } from './bits.ts'
import { branches } from './branch.ts'
import { decimal } from './decimal.ts'
import { move } from './move.ts'
import { multiplication } from './multiply.ts'
import { shifts } from './shift.ts'
import { strings } from './strings.ts'

export const integer: SemanticsTable = {
  ...arithmetic,
  ...bits,
  ...branches,
  ...decimal,
  ...move,
  ...multiplication,
  ...shifts,
  ...strings,
}
