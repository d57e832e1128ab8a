/** Logarithms to the base two, times a factor (SDM vol. 2, FYL2X and FYL2XP1). */
import { AREA_TANGENT, BITS, divide, LN2, logarithm, multiply, ONE, polynomial, STEPS } from './fixed.ts'
import { bitLength, fixed, notOne, type Real, ratio, realOfFixed, scaled } from './real.ts'

/** 1 ÷ ln 2. */
const LOG2_E = divide(ONE, LN2)

/** A logarithm: the number, absent for zero, and whether that is all of it. */
export interface Logarithm {
  readonly value: Real | undefined
  readonly exact: boolean
}

/** log₂(1 + z), |z| at most 2^−6 and not zero: 2·artanh(z ÷ (2 + z)) ÷ ln 2. */
function nearOne(z: Real): Real {
  const two: Real = { negative: false, mantissa: (2n << BigInt(BITS)) + fixed(z), exponent: -BITS }
  const w = { ...ratio(z, two), negative: z.negative }
  const u = fixed(w)
  const factor = notOne(polynomial(AREA_TANGENT, multiply(u, u)), true)
  return scaled(scaled({ ...w, exponent: w.exponent + 1 }, LOG2_E), factor)
}

/** log₂(m), m fixed-point between √½ and √2, not within 2^−6 of 1. */
function ofMantissa(m: bigint): bigint {
  const step = Number((m * BigInt(2 * STEPS) + ONE) >> BigInt(BITS + 1))
  const c = (BigInt(step) << BigInt(BITS)) / BigInt(STEPS)
  const u = divide(m - c, m + c)
  const natural = logarithm(step) + 2n * multiply(u, polynomial(AREA_TANGENT, multiply(u, u)))
  return multiply(natural, LOG2_E)
}

/** log₂ of a positive number. */
export function binaryLogarithm(x: Real): Logarithm {
  // x = m × 2^power with m between √½ and √2.
  const length = bitLength(x.mantissa)
  let power = x.exponent + length - 1
  let m = length - 1 > BITS ? x.mantissa >> BigInt(length - 1 - BITS) : x.mantissa << BigInt(BITS - length + 1)
  if (m === ONE) return { value: power === 0 ? undefined : realOfFixed(BigInt(power) * ONE), exact: true }
  if (2n * m * m > ONE * ONE * 4n) {
    m /= 2n
    power++
  }
  const distance = m - ONE
  if (distance < ONE >> 6n && -distance < ONE >> 6n) {
    const part = nearOne(realOfFixed(distance))
    return { value: power === 0 ? part : realOfFixed(BigInt(power) * ONE + fixed(part)), exact: false }
  }
  return { value: realOfFixed(BigInt(power) * ONE + ofMantissa(m)), exact: false }
}

/** log₂(1 + z), z > −1, not zero. */
export function binaryLogarithmOfOnePlus(z: Real): Logarithm {
  // The one is lost in the 160th bit.
  if (bitLength(z.mantissa) + z.exponent > BITS) return { ...binaryLogarithm(z), exact: false }
  const value = fixed(z)
  if (value < ONE >> 6n && -value < ONE >> 6n) return { value: nearOne(z), exact: false }
  return binaryLogarithm(realOfFixed(ONE + value))
}

/** y × logarithm; absent when the logarithm is zero. */
export function times(y: Real, { value }: Logarithm): Real | undefined {
  if (!value) return undefined
  return {
    negative: y.negative !== value.negative,
    mantissa: y.mantissa * value.mantissa,
    exponent: y.exponent + value.exponent,
  }
}
