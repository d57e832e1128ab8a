/** The arctangent of a quotient (SDM vol. 2, FPATAN). */
import { ARCTANGENT, arctangent, BITS, divide, multiply, ONE, PI, polynomial, STEPS } from './fixed.ts'
import { bitLength, fixed, notOne, type Real, ratio, realOfFixed, scaled } from './real.ts'

const oddFactor = (u: bigint): bigint => notOne(polynomial(ARCTANGENT, multiply(u, u)), false)

/** atan(t), 0 < t ≤ 1, t a quotient of two numbers. */
function ofRatio(t: Real): Real {
  const value = fixed(t)
  const step = Number((value * BigInt(2 * STEPS) + ONE) >> BigInt(BITS + 1))
  if (step === 0) return scaled(t, oddFactor(value))
  // atan(t) = atan(c) + atan((t − c) ÷ (1 + t·c))
  const c = (BigInt(step) << BigInt(BITS)) / BigInt(STEPS)
  const u = divide(value - c, ONE + multiply(value, c))
  return realOfFixed(arctangent(step) + multiply(u, polynomial(ARCTANGENT, multiply(u, u))))
}

const larger = (a: Real, b: Real): boolean => {
  const difference = bitLength(a.mantissa) + a.exponent - bitLength(b.mantissa) - b.exponent
  if (difference !== 0) return difference > 0
  const exponent = Math.min(a.exponent, b.exponent)
  return a.mantissa << BigInt(a.exponent - exponent) > b.mantissa << BigInt(b.exponent - exponent)
}

/** The angle of the point (x, y), neither zero: −π to π. Never exact. */
export function angle(y: Real, x: Real): Real {
  const steep = larger(y, x)
  const acute = ofRatio(steep ? ratio(x, y) : ratio(y, x))
  if (!steep && !x.negative) return { ...acute, negative: y.negative }
  const part = fixed(acute)
  const first = steep ? PI / 2n - part : part
  return { ...realOfFixed(x.negative ? PI - first : first), negative: y.negative }
}

/** `quarters` × π ÷ 4. */
export function quarterTurns(quarters: number, negative: boolean): Real {
  return { ...realOfFixed((PI * BigInt(quarters)) / 4n), negative }
}
