/** Packed decimal integers of 18 digits (SDM vol. 1, 4.7; vol. 2, FBLD and FBSTP). Two words: 16 digits i64; 2 digits and the sign, 16 bits, i32. */
import type { Ops, Routine } from '../ops/ops.ts'
import { Exception } from './arithmetic.ts'
import { roundToInteger } from './binary-convert.ts'
import { BIAS, exponentOf, isUnsupported, signBits, signOf, unpackFinite } from './extended.ts'

/** (low: i64, high: i32) → (significand, se): exact. Digits above 9 count as what they are. */
export const f80FromBcd: Routine = {
  name: 'f80FromBcd',
  params: ['i64', 'i32'],
  results: ['i64', 'i32'],
  body<V>(o: Ops<V>, low: V, high: V): readonly V[] {
    const upper = o.let(o.and(high, o.i32(0xff)))
    const value = o.variable(o.extendU(o.add(o.mul(o.shr(upper, o.i32(4)), o.i32(10)), o.and(upper, o.i32(15)))))
    const place = o.variable(o.i64(60n))
    o.while(
      () => o.geS(o.get(place), o.i64(0n)),
      () => {
        const digit = o.and(o.shr(low, o.get(place)), o.i64(15n))
        o.set(value, o.add(o.mul(o.get(value), o.i64(10n)), digit))
        o.set(place, o.sub(o.get(place), o.i64(4n)))
      },
    )
    const shift = o.let(o.clz(o.get(value)))
    const exponent = o.select(o.eqz(o.get(value)), o.i32(0), o.sub(o.i32(BIAS + 63), o.wrap(shift)))
    return [o.shl(o.get(value), shift), o.or(exponent, signBits(o, high))]
  },
}

/** (a, fcw) → (low: i64, high: i32, flags). Beyond 18 digits, or no number: invalid alone, and the packed BCD indefinite. */
export const f80ToBcd: Routine = {
  name: 'f80ToBcd',
  params: ['i64', 'i32', 'i32'],
  results: ['i64', 'i32', 'i32'],
  body<V>(o: Ops<V>, significand: V, se: V, fcw: V): readonly V[] {
    const a = { significand, se }
    const low = o.variable(o.i64(0xc000_0000_0000_0000n))
    const high = o.variable(o.i32(0xffff))
    const flags = o.variable(o.i32(Exception.invalid))
    o.if(o.and(o.ltS(exponentOf(o, se), o.i32(BIAS + 60)), o.eqz(isUnsupported(o, a))), () => {
      const x = unpackFinite(o, a)
      const rounding = o.let(o.and(o.shr(fcw, o.i32(10)), o.i32(3)))
      const power = o.sub(x.exponent, o.i32(BIAS))
      const { whole, up, inexact } = roundToInteger(o, rounding, o.let(signOf(o, se)), power, x.significand)
      o.if(o.ltU(whole, o.i64(10n ** 18n)), () => {
        const rest = o.variable(whole)
        const place = o.variable(o.i64(0n))
        const ten = o.i64(10n)
        o.set(low, o.i64(0n))
        o.while(
          () => o.ltU(o.get(place), o.i64(64n)),
          () => {
            const next = o.let(o.divU(o.get(rest), ten))
            const digit = o.sub(o.get(rest), o.mul(next, ten))
            o.set(low, o.or(o.get(low), o.shl(digit, o.get(place))))
            o.set(rest, next)
            o.set(place, o.add(o.get(place), o.i64(4n)))
          },
        )
        const last = o.let(o.wrap(o.get(rest)))
        const tens = o.let(o.divU(last, o.i32(10)))
        const digits = o.add(o.mul(tens, o.i32(6)), last)
        o.set(high, o.or(digits, signBits(o, se)))
        o.set(flags, o.or(o.shl(inexact, o.i32(5)), o.shl(o.wrap(up), o.i32(9))))
      })
    })
    return [o.get(low), o.get(high), o.get(flags)]
  },
}
