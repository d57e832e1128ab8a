/**
 * The transcendental instructions as functions of operands and control word, special cases included
 * (SDM vol. 1, 8.3.7 to 8.3.10; vol. 2, F2XM1, FSIN, FCOS, FPTAN, FPATAN, FYL2X, FYL2XP1 and their tables).
 * Results are rounded by RC from some 150 correct bits: less than half a unit in the last place off to nearest, one otherwise.
 */
import { Exception } from '../../../softfloat/arithmetic.ts'
import { BIAS, INDEFINITE, operands, SPECIAL } from '../../../softfloat/extended.ts'
import { angle, quarterTurns } from './arctangent.ts'
import { powerOfTwoMinusOne } from './exponential.ts'
import { binaryLogarithm, binaryLogarithmOfOnePlus, times } from './logarithm.ts'
import { type Extended, evaluate, type Rounded, realOf, rounded } from './real.ts'
import { cosineOf, sineOf, tangentOf } from './trigonometry.ts'

const TOP = 1n << 63n
export const ONE: Extended = { significand: TOP, se: BIAS }
const INVALID: Rounded = {
  value: { significand: INDEFINITE.significand, se: INDEFINITE.se },
  flags: Exception.invalid,
}

const exponentOf = ({ se }: Extended): number => se & 0x7fff
const isNegative = ({ se }: Extended): boolean => se >= 0x8000
const isZero = ({ significand }: Extended): boolean => significand === 0n
const isInfinite = (x: Extended): boolean => exponentOf(x) === SPECIAL
const zero = (negative: boolean): Extended => ({ significand: 0n, se: negative ? 0x8000 : 0 })
const infinity = (negative: boolean): Extended => ({ significand: TOP, se: negative ? 0x8000 | SPECIAL : SPECIAL })
const exactly = (value: Extended, flags = 0): Rounded => ({ value, flags })

/** What comes before the function: a NaN or an unsupported operand decides; else there are the operands' flags. */
function begin(a: Extended, b: Extended): { decided: Rounded | undefined; flags: number } {
  const args = [a, b].flatMap(({ significand, se }) => [BigInt.asIntN(64, significand), se])
  const [decided, significand, se, flags] = evaluate(operands, ...args) as [number, bigint, number, number]
  const value = { significand: BigInt.asUintN(64, significand), se }
  return { decided: decided ? { value, flags } : undefined, flags }
}
const withFlags = (result: Rounded, flags: number): Rounded => ({ ...result, flags: result.flags | flags })

/** The trigonometric functions do not take arguments of 2^63 and above: C2 is set and nothing happens. */
export function isOutOfRange(x: Extended): boolean {
  return exponentOf(x) >= BIAS + 63 && exponentOf(x) < SPECIAL && x.significand >= TOP
}

function trigonometric(
  atZero: (x: Extended) => Extended,
  compute: (x: Extended, fcw: number) => Rounded,
): (x: Extended, fcw: number) => Rounded {
  return (x, fcw) => {
    const { decided, flags } = begin(x, x)
    if (decided) return decided
    if (isInfinite(x)) return INVALID
    return isZero(x) ? exactly(atZero(x)) : withFlags(compute(x, fcw), flags)
  }
}
export const sine: (x: Extended, fcw: number) => Rounded = trigonometric(
  (x) => x,
  (x, fcw) => rounded(sineOf(realOf(x)), false, fcw),
)
export const cosine: (x: Extended, fcw: number) => Rounded = trigonometric(
  () => ONE,
  (x, fcw) => rounded(cosineOf(realOf(x)), false, fcw),
)
export const tangent: (x: Extended, fcw: number) => Rounded = trigonometric(
  (x) => x,
  (x, fcw) => rounded(tangentOf(realOf(x)), false, fcw),
)

/** F2XM1. Outside −1 to 1 the manual leaves the result open: infinities give their limits, other operands stay. */
export function powerMinusOne(x: Extended, fcw: number): Rounded {
  const { decided, flags } = begin(x, x)
  if (decided) return decided
  if (isInfinite(x)) return exactly(isNegative(x) ? { significand: TOP, se: 0x8000 | BIAS } : x)
  if (exponentOf(x) >= BIAS) {
    const minusOne = x.significand === TOP && x.se === (0x8000 | BIAS)
    return exactly(minusOne ? { significand: TOP, se: 0x8000 | (BIAS - 1) } : x)
  }
  return isZero(x) ? exactly(x) : withFlags(rounded(powerOfTwoMinusOne(realOf(x)), false, fcw), flags)
}

/** FPATAN: the angle of the point (x, y). */
export function angleOf(x: Extended, y: Extended, fcw: number): Rounded {
  const { decided, flags } = begin(x, y)
  if (decided) return decided
  const quarters = (n: number): Rounded => withFlags(rounded(quarterTurns(n, isNegative(y)), false, fcw), flags)
  const flat = (): Rounded => (isNegative(x) ? quarters(4) : exactly(zero(isNegative(y)), flags))
  if (isInfinite(y)) return quarters(isInfinite(x) ? (isNegative(x) ? 3 : 1) : 2)
  if (isInfinite(x) || isZero(y)) return flat()
  if (isZero(x)) return quarters(2)
  return withFlags(rounded(angle(realOf(y), realOf(x)), false, fcw), flags)
}

const isOne = (x: Extended): boolean => x.se === BIAS && x.significand === TOP

/** FYL2X: y × log₂(x). */
export function logarithmTimes(x: Extended, y: Extended, fcw: number): Rounded {
  const { decided, flags } = begin(x, y)
  if (decided) return decided
  const negative = isNegative(y)
  if (isZero(x)) {
    if (isZero(y)) return INVALID
    return exactly(infinity(!negative), isInfinite(y) ? 0 : Exception.zeroDivide)
  }
  if (isNegative(x)) return INVALID
  if (isInfinite(x)) return isZero(y) ? INVALID : exactly(infinity(negative), flags)
  const below = exponentOf(x) < BIAS
  if (isInfinite(y)) return isOne(x) ? INVALID : exactly(infinity(negative !== below), flags)
  if (isZero(y) || isOne(x)) return exactly(zero(negative !== below), flags)
  const logarithm = binaryLogarithm(realOf(x))
  return withFlags(rounded(times(realOf(y), logarithm)!, logarithm.exact, fcw), flags)
}

/** FYL2XP1: y × log₂(x + 1). Beyond 1 − √½ and √2 − 1 the manual leaves the result open; it goes on as far as there is a logarithm. */
export function logarithmOfOnePlusTimes(x: Extended, y: Extended, fcw: number): Rounded {
  const { decided, flags } = begin(x, y)
  if (decided) return decided
  const negative = isNegative(x) !== isNegative(y)
  if (isNegative(x) && exponentOf(x) >= BIAS) return INVALID
  if (isInfinite(y)) return isZero(x) ? INVALID : exactly(infinity(negative), flags)
  if (isInfinite(x)) return isZero(y) ? INVALID : exactly(infinity(negative), flags)
  if (isZero(x) || isZero(y)) return exactly(zero(negative), flags)
  const logarithm = binaryLogarithmOfOnePlus(realOf(x))
  return withFlags(rounded(times(realOf(y), logarithm)!, logarithm.exact, fcw), flags)
}
