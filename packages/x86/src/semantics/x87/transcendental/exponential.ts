/** 2^x − 1 (SDM vol. 2, F2XM1). */
import { BITS, EXPONENTIAL, LN2, multiply, ONE, polynomial, power, STEPS } from './fixed.ts'
import { fixed, notOne, type Real, realOfFixed, scaled } from './real.ts'

/** −1 < x < 1, x ≠ 0: never exact. */
export function powerOfTwoMinusOne(x: Real): Real {
  const value = fixed(x)
  const step = Number((value * BigInt(2 * STEPS) + ONE) >> BigInt(BITS + 1))
  if (step === 0) {
    const y = multiply(value, LN2)
    return scaled(scaled(x, LN2), notOne(polynomial(EXPONENTIAL, y), !x.negative))
  }
  // 2^x = 2^(i ÷ 32) · e^y
  const y = multiply(value - (BigInt(step) << BigInt(BITS)) / BigInt(STEPS), LN2)
  const grown = ONE + multiply(y, polynomial(EXPONENTIAL, y))
  return realOfFixed(multiply(power(step), grown) - ONE)
}
