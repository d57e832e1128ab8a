/** IEEE 754 arithmetic as the x86 does it, written over the abstract operations. See `arithmetic.ts` for how routines are called. */
export { type BinaryArithmetic, Exception } from './arithmetic.ts'
export { f32, f64 } from './binary.ts'
export { comparisonHolds, comparisonIsSignalling } from './binary-compare.ts'
export { f32ToF64, f64ToF32 } from './binary-convert.ts'
