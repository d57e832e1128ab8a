/** The routines of binary32 and binary64, by format. */
import type { BinaryArithmetic } from './arithmetic.ts'
import { addRoutine } from './binary-add.ts'
import { compareRoutine, extremeRoutine } from './binary-compare.ts'
import { fromIntegerRoutine, toIntegerRoutine } from './binary-convert.ts'
import { divRoutine, mulRoutine, sqrtRoutine } from './binary-multiply.ts'
import { type BinaryFormat, binary32, binary64 } from './format.ts'

function arithmetic(f: BinaryFormat): BinaryArithmetic {
  return {
    add: addRoutine(f, false),
    sub: addRoutine(f, true),
    mul: mulRoutine(f),
    div: divRoutine(f),
    sqrt: sqrtRoutine(f),
    min: extremeRoutine(f, 'min'),
    max: extremeRoutine(f, 'max'),
    compareQuiet: compareRoutine(f, false),
    compare: compareRoutine(f, true),
    toI32: toIntegerRoutine(f, 32, false),
    toI64: toIntegerRoutine(f, 64, false),
    toI32Truncate: toIntegerRoutine(f, 32, true),
    toI64Truncate: toIntegerRoutine(f, 64, true),
    fromI32: fromIntegerRoutine(f, 32),
    fromI64: fromIntegerRoutine(f, 64),
  }
}

/** binary32: encodings are i32. */
export const f32: BinaryArithmetic = arithmetic(binary32)
/** binary64: encodings are i64. */
export const f64: BinaryArithmetic = arithmetic(binary64)
