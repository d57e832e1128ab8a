/** The meaning of x87 instructions. Transcendental functions and state images are actions: `actions.ts`. */
import type { SemanticsTable } from '../processor.ts'
import { arithmetic } from './arithmetic.ts'
import { comparison } from './compare.ts'
import { control } from './control.ts'
import { moves } from './move.ts'

export const x87: SemanticsTable = { ...arithmetic, ...comparison, ...moves, ...control }
