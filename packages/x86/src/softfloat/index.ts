/** IEEE 754 arithmetic as the x86 does it, written over the abstract operations. See `arithmetic.ts` for how routines are called. */
export { type BinaryArithmetic, Exception } from './arithmetic.ts'
export { comparisonHolds, comparisonIsSignalling, f32, f32ToF64, f64, f64ToF32 } from './binary.ts'
