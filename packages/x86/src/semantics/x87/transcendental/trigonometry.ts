/**
 * Sine, cosine and tangent (SDM vol. 1, 8.3.8 and 8.3.10): the argument is reduced exactly by the 66-bit π of the
 * processor, 4 × 0.C90FDAA2_2168C234_C, so for large arguments the results are those of that π.
 */
import { BITS, COSINE, divide, multiply, ONE, polynomial, SINE } from './fixed.ts'
import { bitLength, fixed, notOne, type Real, realOfFixed, scaled } from './real.ts'

/** π × 2^66: of the 68 bits written, the last two are zero. */
const PI_66 = 0xc_90fd_aa22_168c_234cn >> 2n
/** PI_66 is π × 2^64; π ÷ 2 therefore is PI_66 × 2^−65. */
const HALF_PI_EXPONENT = -65

interface Reduced {
  /** Multiples of π ÷ 2 that were taken off, modulo 4. */
  readonly quadrant: number
  /** What is left, at most about π ÷ 4. Never zero: no multiple of the 66-bit π has 64 bits. */
  readonly rest: Real
}

/** Arguments below 2^63. */
function reduce(x: Real): Reduced {
  if (bitLength(x.mantissa) + x.exponent < 0) return { quadrant: 0, rest: x }
  // Both as integers of one exponent.
  const exponent = Math.min(x.exponent, HALF_PI_EXPONENT)
  const value = x.mantissa << BigInt(x.exponent - exponent)
  const half = PI_66 << BigInt(HALF_PI_EXPONENT - exponent)
  const turns = (2n * value + half) / (2n * half)
  const rest = value - turns * half
  const quadrant = Number(turns & 3n)
  return {
    quadrant: x.negative ? -quadrant & 3 : quadrant,
    rest: { negative: rest < 0n !== x.negative, mantissa: rest < 0n ? -rest : rest, exponent },
  }
}

/** sin of `rest` and a number of quarter turns. */
function afterTurns({ quadrant, rest }: Reduced): Real {
  const square = squareOf(rest)
  const value =
    quadrant % 2 === 0
      ? scaled(rest, notOne(polynomial(SINE, square), false))
      : realOfFixed(notOne(polynomial(COSINE, square), false))
  return quadrant < 2 ? value : { ...value, negative: !value.negative }
}

/** Of an argument other than zero, below 2^63: never exact. */
export function sineOf(x: Real): Real {
  return afterTurns(reduce(x))
}
/** Of an argument other than zero, below 2^63: never exact. */
export function cosineOf(x: Real): Real {
  const { quadrant, rest } = reduce(x)
  return afterTurns({ quadrant: (quadrant + 1) & 3, rest })
}

/** Of an argument other than zero, below 2^63: never exact. */
export function tangentOf(x: Real): Real {
  const { quadrant, rest } = reduce(x)
  const square = squareOf(rest)
  const factor = notOne(divide(polynomial(SINE, square), polynomial(COSINE, square)), true)
  if (quadrant % 2 === 0) return scaled(rest, factor)
  // −cot: the reciprocal.
  const shift = bitLength(rest.mantissa) + 64
  const mantissa = (divide(ONE, factor) << BigInt(shift)) / rest.mantissa
  return { negative: !rest.negative, mantissa, exponent: -rest.exponent - shift - BITS }
}

function squareOf(x: Real): bigint {
  const value = fixed(x)
  return multiply(value, value)
}
