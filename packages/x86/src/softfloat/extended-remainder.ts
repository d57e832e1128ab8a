/** Partial remainders (SDM vol. 2, FPREM and FPREM1). */
import type { Ops, Routine } from '../ops/ops.ts'
import {
  decide,
  type ExtendedOutcome,
  invalid,
  isInfinite,
  isZero,
  outcome,
  put,
  signBits,
  unpackFinite,
} from './extended.ts'
import { finish, fullPrecision } from './extended-round.ts'
import { divideWide } from './wide.ts'

interface Division<V> {
  /** i64: low bits of the quotient's magnitude. */
  readonly quotient: V
  /** i32: the reduction is incomplete. */
  readonly partial: V
  readonly sign: V
  /** Of the remainder, if it had its leading one in bit 63. */
  readonly exponent: V
  readonly remainder: V
}

/** Reduce |x| by multiples of |y|; exponents `distance` ≥ 0 apart, or ≥ −1 for the nearest quotient. `sign` is x's, in bit 15. */
function reduce<V>(
  o: Ops<V>,
  nearest: boolean,
  x: { exponent: V; significand: V },
  divisor: V,
  distance: V,
  sign: V,
): Division<V> {
  const quotient = o.variable(o.i64(0n))
  const remainder = o.variable(x.significand)
  const exponent = o.variable(x.exponent)
  const signed = o.variable(sign)
  const partial = o.let(o.geS(distance, o.i32(64)))
  o.if(
    o.geS(distance, o.i32(0)),
    () => {
      // 64 exponents apart and more, a step takes 32 to 63 bits off.
      const step = o.or(o.and(distance, o.i32(31)), o.i32(32))
      const count = o.let(o.extendU(o.select(partial, step, distance)))
      const above = o.shr(x.significand, o.sub(o.i64(64n), count))
      const high = o.let(o.select(o.eqz(count), o.i64(0n), above))
      const division = divideWide(o, high, o.let(o.shl(x.significand, count)), divisor)
      o.set(quotient, division.quotient)
      o.set(remainder, division.remainder)
      o.set(exponent, o.sub(x.exponent, o.wrap(count)))
      if (nearest) {
        const complement = o.let(o.sub(divisor, division.remainder))
        const odd = o.wrap(o.and(division.quotient, o.i64(1n)))
        const tie = o.and(o.eq(division.remainder, complement), odd)
        const up = o.or(o.gtU(division.remainder, complement), tie)
        o.if(o.and(up, o.eqz(partial)), () => {
          o.set(quotient, o.add(o.get(quotient), o.i64(1n)))
          o.set(remainder, complement)
          o.set(signed, o.xor(sign, o.i32(0x8000)))
        })
      }
    },
    () => {
      // |x| < |y|: the nearest quotient is 1 when |x| is more than half of |y|, that is, its significand the larger one.
      if (nearest) {
        o.if(o.gtU(x.significand, divisor), () => {
          o.set(quotient, o.i64(1n))
          o.set(remainder, o.sub(o.shl(divisor, o.i64(1n)), x.significand))
          o.set(signed, o.xor(sign, o.i32(0x8000)))
        })
      }
    },
  )
  return {
    quotient: o.let(o.get(quotient)),
    partial,
    sign: o.let(o.get(signed)),
    exponent: o.let(o.get(exponent)),
    remainder: o.let(o.get(remainder)),
  }
}

/** C0, C3, C1 are bits 2, 1, 0 of the quotient; C2 alone says that the reduction is incomplete. In place for the status word. */
function conditionCodes<V>(o: Ops<V>, division: Division<V>): V {
  const q = o.let(o.wrap(division.quotient))
  const field = (bit: number, place: number): V => o.shl(o.and(o.shr(q, o.i32(bit)), o.i32(1)), o.i32(place))
  const complete = o.or(field(2, 8), o.or(field(1, 14), field(0, 9)))
  return o.select(division.partial, o.i32(0x400), complete)
}

function remainderRoutine(nearest: boolean): Routine {
  return {
    name: nearest ? 'f80RemainderNearest' : 'f80Remainder',
    params: ['i64', 'i32', 'i64', 'i32', 'i32'],
    results: ['i64', 'i32', 'i32', 'i32'],
    body<V>(o: Ops<V>, aSignificand: V, aSe: V, bSignificand: V, bSe: V, fcw: V): readonly V[] {
      const a = { significand: aSignificand, se: aSe }
      const b = { significand: bSignificand, se: bSe }
      const out = outcome(o)
      const codes = o.variable(o.i32(0))
      o.if(o.eqz(decide(o, out, a, b)), () => {
        o.if(
          o.or(isInfinite(o, a), isZero(o, b)),
          () => invalid(o, out),
          () => {
            put(o, out, aSignificand, aSe)
            o.if(o.eqz(isZero(o, a)), () => {
              const sign = o.let(signBits(o, aSe))
              const x = unpackFinite(o, a)
              const y = unpackFinite(o, b)
              const distance = o.let(o.sub(x.exponent, y.exponent))
              // A quotient below one half, or of an infinity, is 0: the dividend stays.
              o.if(
                o.or(isInfinite(o, b), o.ltS(distance, o.i32(nearest ? -1 : 0))),
                () => exact(o, out, sign, x.exponent, x.significand, fcw),
                () => {
                  const division = reduce(o, nearest, x, y.significand, distance, sign)
                  o.set(codes, conditionCodes(o, division))
                  o.if(
                    o.eqz(division.remainder),
                    () => put(o, out, o.i64(0n), sign),
                    () => exact(o, out, division.sign, division.exponent, division.remainder, fcw),
                  )
                },
              )
            })
          },
        )
      })
      return [o.get(out.significand), o.get(out.se), o.get(codes), o.get(out.flags)]
    },
  }
}

/** A remainder is exact; it may still be tiny. */
function exact<V>(o: Ops<V>, out: ExtendedOutcome<V>, sign: V, exponent: V, significand: V, fcw: V): void {
  const shift = o.let(o.clz(significand))
  const normalised = o.let(o.shl(significand, shift))
  finish(o, out, sign, o.let(o.sub(exponent, o.wrap(shift))), normalised, o.i64(0n), fullPrecision(o, fcw))
}

/**
 * (a, b, fcw) → (significand, se, codes: i32, flags): FPREM, one step: the quotient is truncated.
 * `codes` are C0–C3 in their places of the status word (SDM vol. 2, table 3-29).
 */
export const f80Remainder: Routine = remainderRoutine(false)
/** The same for FPREM1: the quotient is rounded to the nearest integer in the last step. */
export const f80RemainderNearest: Routine = remainderRoutine(true)
