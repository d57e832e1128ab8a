/** Rounding to an integer, scaling, taking apart (SDM vol. 2, FRNDINT, FSCALE, FXTRACT). */
import type { Ops, Routine } from '../ops/ops.ts'
import { Exception } from './arithmetic.ts'
import { roundToInteger } from './binary-convert.ts'
import {
  answer,
  BIAS,
  decide,
  exponentOf,
  invalid,
  isInfinite,
  isZero,
  outcome,
  put,
  SPECIAL,
  signBits,
  signOf,
  unpackFinite,
} from './extended.ts'
import { finish, fullPrecision } from './extended-round.ts'
import { TOP } from './format.ts'

/** (a, fcw) → (a rounded to an integer, flags): FRNDINT. */
export const f80RoundToInteger: Routine = {
  name: 'f80RoundToInteger',
  params: ['i64', 'i32', 'i32'],
  results: ['i64', 'i32', 'i32'],
  body<V>(o: Ops<V>, significand: V, se: V, fcw: V): readonly V[] {
    const a = { significand, se }
    const out = outcome(o)
    o.if(o.eqz(decide(o, out, a, a)), () => {
      put(o, out, significand, se)
      o.if(o.and(o.ltU(exponentOf(o, se), o.i32(BIAS + 63)), o.eqz(isZero(o, a))), () => {
        const x = unpackFinite(o, a)
        const rounding = o.let(o.and(o.shr(fcw, o.i32(10)), o.i32(3)))
        const power = o.sub(x.exponent, o.i32(BIAS))
        const { whole, up, inexact } = roundToInteger(o, rounding, signOf(o, se), power, x.significand)
        const shift = o.let(o.clz(whole))
        const exponent = o.select(o.eqz(whole), o.i32(0), o.sub(o.i32(BIAS + 63), o.wrap(shift)))
        put(o, out, o.shl(whole, shift), o.or(exponent, signBits(o, se)))
        const raised = o.or(o.shl(inexact, o.i32(5)), o.shl(o.wrap(up), o.i32(9)))
        o.set(out.flags, o.or(o.get(out.flags), raised))
      })
    })
    return answer(o, out)
  },
}

/** (a, b, fcw) → (a × 2^truncated b, flags): FSCALE (SDM vol. 2, table 3-30). */
export const f80Scale: Routine = {
  name: 'f80Scale',
  params: ['i64', 'i32', 'i64', 'i32', 'i32'],
  results: ['i64', 'i32', 'i32'],
  body<V>(o: Ops<V>, aSignificand: V, aSe: V, bSignificand: V, bSe: V, fcw: V): readonly V[] {
    const a = { significand: aSignificand, se: aSe }
    const b = { significand: bSignificand, se: bSe }
    const out = outcome(o)
    o.if(o.eqz(decide(o, out, a, b)), () => {
      const aZero = o.let(isZero(o, a))
      const aInfinite = o.let(isInfinite(o, a))
      const negative = o.let(signOf(o, bSe))
      put(o, out, aSignificand, aSe)
      o.if(
        isInfinite(o, b),
        () => {
          o.if(
            o.or(o.and(aZero, o.eqz(negative)), o.and(aInfinite, negative)),
            () => invalid(o, out),
            () => {
              const sign = o.let(signBits(o, aSe))
              o.if(
                negative,
                () => put(o, out, o.i64(0n), sign),
                () => put(o, out, o.i64(TOP), o.or(sign, o.i32(SPECIAL))),
              )
            },
          )
        },
        () => {
          o.if(o.eqz(o.or(aZero, aInfinite)), () => {
            const x = unpackFinite(o, a)
            // 2^16 is more than the whole range, denormals and wrapped exponents included.
            const power = o.let(o.sub(exponentOf(o, bSe), o.i32(BIAS)))
            const amount = o.wrap(o.shr(bSignificand, o.i64(48n)))
            const steps = o.let(
              o.select(
                o.ltS(power, o.i32(0)),
                o.i32(0),
                o.select(
                  o.geS(power, o.i32(16)),
                  o.i32(0x10000),
                  o.shr(amount, o.and(o.sub(o.i32(15), power), o.i32(31))),
                ),
              ),
            )
            const scaled = o.add(x.exponent, o.select(negative, o.sub(o.i32(0), steps), steps))
            const exponent = o.let(scaled)
            finish(o, out, o.let(signBits(o, aSe)), exponent, x.significand, o.i64(0n), fullPrecision(o, fcw))
          })
        },
      )
    })
    return answer(o, out)
  },
}

/** (a) → (exponent: i64, i32; significand: i64, i32; flags): FXTRACT, both as values of the extended format. */
export const f80Extract: Routine = {
  name: 'f80Extract',
  params: ['i64', 'i32'],
  results: ['i64', 'i32', 'i64', 'i32', 'i32'],
  body<V>(o: Ops<V>, significand: V, se: V): readonly V[] {
    const a = { significand, se }
    const out = outcome(o)
    const decided = o.let(decide(o, out, a, a))
    const exponent = { significand: o.variable(o.get(out.significand)), se: o.variable(o.get(out.se)) }
    o.if(o.eqz(decided), () => {
      put(o, out, significand, se)
      o.set(exponent.significand, o.i64(TOP))
      o.if(
        isZero(o, a),
        () => {
          o.set(exponent.se, o.i32(0x8000 | SPECIAL))
          o.set(out.flags, o.i32(Exception.zeroDivide))
        },
        () => {
          o.if(
            isInfinite(o, a),
            () => o.set(exponent.se, o.i32(SPECIAL)),
            () => {
              const x = unpackFinite(o, a)
              put(o, out, x.significand, o.or(signBits(o, se), o.i32(BIAS)))
              const power = o.let(o.sub(x.exponent, o.i32(BIAS)))
              const negative = o.let(o.shr(power, o.i32(31)))
              const size = o.let(o.extendU(o.select(negative, o.sub(o.i32(0), power), power)))
              const shift = o.let(o.clz(size))
              const biased = o.or(o.sub(o.i32(BIAS + 63), o.wrap(shift)), o.shl(negative, o.i32(15)))
              o.set(exponent.significand, o.shl(size, shift))
              o.set(exponent.se, o.select(o.eqz(size), o.i32(0), biased))
            },
          )
        },
      )
    })
    return [o.get(exponent.significand), o.get(exponent.se), ...answer(o, out)]
  },
}
