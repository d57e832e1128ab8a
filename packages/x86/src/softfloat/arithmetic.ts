/**
 * What the softfloat routines compute and how they are called. IEEE 754 as the x86 implements it (SDM vol. 1, chapter 4:
 * NaNs, tininess after rounding, denormal operands), over integers only: no host floating point takes part.
 */
import type { Routine } from '../ops/ops.ts'

/**
 * Exception flags that a routine returns: the layout of the status bits of MXCSR and of the x87 status word
 * (SDM vol. 1, 8.1.3.3 and 10.2.3). Invalid, denormal and divide-by-zero are found before computing, the others after.
 */
export const Exception = {
  invalid: 1,
  denormal: 2,
  zeroDivide: 4,
  overflow: 8,
  underflow: 16,
  precision: 32,
  /** Extended format and stores from it only: C1, the significand was rounded away from zero (SDM vol. 1, 8.1.3.1). */
  roundedUp: 0x200,
} as const

/**
 * Routines of a binary format with SSE semantics. `float` is i32 for binary32 and i64 for binary64, holding the encoding.
 * `mxcsr` is the whole register as i32: rounding control (bits 13–14), DAZ (6), FTZ (15) and the masks of overflow (10) and underflow (11) count.
 *
 * Every routine computes the masked response of every exception and returns, last, the i32 of {@link Exception} bits
 * (only bits 0–5) that occurred. Underflow: with the mask set, tiny and inexact; with the mask clear, tiny. With an
 * overflow or underflow that is not masked goes precision if rounding with an unbounded exponent is inexact. It is the
 * caller's part to raise #XM when `flags & ~(mxcsr >> 7)` is not zero — then no result is written, and when that
 * has one of bits 0–2, bits 3–5 (of all lanes) have not occurred (SDM vol. 1, 11.5.4).
 *
 * NaN operands: the first one if it is a NaN, else the second, made quiet; invalid without a NaN operand gives the
 * default NaN (SDM vol. 1, tables 4-7 and 4-8).
 */
export interface BinaryArithmetic {
  /** (a: float, b: float, mxcsr) → (a + b: float, flags) */
  readonly add: Routine
  /** (a: float, b: float, mxcsr) → (a − b: float, flags) */
  readonly sub: Routine
  /** (a: float, b: float, mxcsr) → (a × b: float, flags) */
  readonly mul: Routine
  /** (a: float, b: float, mxcsr) → (a ÷ b: float, flags) */
  readonly div: Routine
  /** (a: float, mxcsr) → (√a: float, flags) */
  readonly sqrt: Routine
  /** (a: float, b: float, mxcsr) → (float, flags). MINxx: b when either is a NaN (invalid, quiet or not) or both are zeros. */
  readonly min: Routine
  /** (a: float, b: float, mxcsr) → (float, flags). MAXxx, with the same rule. */
  readonly max: Routine
  /**
   * (a: float, b: float, mxcsr) → (relation, flags). Only a signalling NaN is invalid: UCOMIxx, and CMPxx EQ, UNORD, NEQ, ORD.
   * `relation` is the EFLAGS image of COMIxx: a > b 0, a < b CF (1), equal ZF (0x40), unordered ZF|PF|CF (0x45).
   */
  readonly compareQuiet: Routine
  /** The same; any NaN is invalid: COMIxx, and CMPxx LT, LE, NLT, NLE. */
  readonly compare: Routine
  /** (a: float, mxcsr) → (i32, flags). CVTxx2SI: out of range, infinite or NaN gives 0x8000_0000 and invalid alone. Never `denormal`. */
  readonly toI32: Routine
  /** (a: float, mxcsr) → (i64, flags). The same with 0x8000_0000_0000_0000. */
  readonly toI64: Routine
  /** CVTTxx2SI: the same, towards zero whatever MXCSR says. */
  readonly toI32Truncate: Routine
  readonly toI64Truncate: Routine
  /** (a: i32, mxcsr) → (float, flags). */
  readonly fromI32: Routine
  /** (a: i64, mxcsr) → (float, flags). */
  readonly fromI64: Routine
}
