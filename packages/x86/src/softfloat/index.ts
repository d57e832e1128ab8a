/** IEEE 754 arithmetic as the x86 does it, written over the abstract operations. See `arithmetic.ts` for how routines are called. */
export type { BinaryArithmetic } from './arithmetic.ts'
export { f32, f64 } from './binary.ts'
export { comparisonHolds, comparisonIsSignalling } from './binary-compare.ts'
export { f32ToF64, f64ToF32 } from './binary-convert.ts'
export { f80Add, f80Sub } from './extended-add.ts'
export { f80Compare, f80CompareQuiet } from './extended-compare.ts'
export {
  f32ToF80,
  f64ToF80,
  f80FromI64,
  f80ToF32,
  f80ToF64,
  f80ToI32,
  f80ToI64,
} from './extended-convert.ts'
export { f80Div, f80Mul, f80Sqrt } from './extended-multiply.ts'
export { f80RoundToInteger } from './extended-parts.ts'
export { f80RemainderNearest } from './extended-remainder.ts'
