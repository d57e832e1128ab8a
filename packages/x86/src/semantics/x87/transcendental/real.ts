/** Real numbers on their way in and out of the transcendental functions. */
import { Evaluator, type Value } from '../../../ops/evaluate.ts'
import type { Routine } from '../../../ops/ops.ts'
import { BIAS } from '../../../softfloat/extended.ts'
import { fullPrecision, roundExtended } from '../../../softfloat/extended-round.ts'
import { BITS, ONE } from './fixed.ts'

/** A value of the extended format: significand unsigned; sign and exponent, 16 bits. */
export interface Extended {
  readonly significand: bigint
  readonly se: number
}

/** ±mantissa × 2^exponent, mantissa > 0. */
export interface Real {
  readonly negative: boolean
  readonly mantissa: bigint
  readonly exponent: number
}

export interface Rounded {
  readonly value: Extended
  /** Exception flags with `roundedUp`. */
  readonly flags: number
}

const nothing = new Uint8Array(0)
const evaluator = new Evaluator({ view: new DataView(nothing.buffer), u8: nothing }, 0)

/** Call a routine of integers. */
export function evaluate(routine: Routine, ...args: Value[]): readonly Value[] {
  return evaluator.call(routine, ...args)
}

/** A finite number other than zero. */
export function realOf({ significand, se }: Extended): Real {
  const biased = se & 0x7fff
  return { negative: se >= 0x8000, mantissa: significand, exponent: (biased === 0 ? 1 : biased) - BIAS - 63 }
}

export function bitLength(n: bigint): number {
  return n.toString(16).length * 4 - (Math.clz32(Number.parseInt(n.toString(16)[0]!, 16)) - 28)
}

/** A real number as fixed-point, rounded towards zero; only for magnitudes below some thousands. */
export function fixed({ negative, mantissa, exponent }: Real): bigint {
  const shift = exponent + BITS
  const magnitude = shift >= 0 ? mantissa << BigInt(shift) : mantissa >> BigInt(-shift)
  return negative ? -magnitude : magnitude
}
/** A fixed-point number that is not zero. */
export function realOfFixed(value: bigint): Real {
  return { negative: value < 0n, mantissa: value < 0n ? -value : value, exponent: -BITS }
}
/** `real` times a positive fixed-point number. */
export function scaled(real: Real, factor: bigint): Real {
  return { negative: real.negative, mantissa: real.mantissa * factor, exponent: real.exponent - BITS }
}
/** |a ÷ b| as a real number of some {@link BITS} bits. */
export function ratio(a: Real, b: Real): Real {
  const shift = Math.max(0, BITS + bitLength(b.mantissa) - bitLength(a.mantissa) + 1)
  return {
    negative: false,
    mantissa: (a.mantissa << BigInt(shift)) / b.mantissa,
    exponent: a.exponent - b.exponent - shift,
  }
}

/** `factor`, the sum of a series that is not exactly one, kept off one where the digits do not show it. */
export function notOne(factor: bigint, above: boolean): bigint {
  if (factor !== ONE) return factor
  return above ? ONE + 1n : ONE - 1n
}

/**
 * Round to 64 bits in the direction that the control word says. A result that is not `exact` is never taken for a number of the
 * format, however close it is.
 */
export function rounded({ negative, mantissa, exponent }: Real, exact: boolean, fcw: number): Rounded {
  const length = bitLength(mantissa)
  const surplus = length - 128
  const top = surplus > 0 ? mantissa >> BigInt(surplus) : mantissa << BigInt(-surplus)
  const lost = surplus > 0 && top << BigInt(surplus) !== mantissa
  const below = (top & 0xffff_ffff_ffff_ffffn) | (lost || !exact ? 1n : 0n)
  const biased = exponent + length - 1 + BIAS
  const control = fullPrecision(evaluator, fcw)
  const [significand, se, flags] = evaluate(
    roundExtended,
    negative ? 1 : 0,
    Math.max(-0x10000, Math.min(0x10000, biased)),
    BigInt.asIntN(64, top >> 64n),
    BigInt.asIntN(64, below),
    control,
  )
  return { value: { significand: BigInt.asUintN(64, significand as bigint), se: se as number }, flags: flags as number }
}
