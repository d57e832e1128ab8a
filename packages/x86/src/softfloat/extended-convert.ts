/** Conversions of the extended format (SDM vol. 2, FLD, FST, FILD, FIST). */
import type { Ops, Routine } from '../ops/ops.ts'
import { shortened } from '../ops/shortcut.ts'
import { Exception } from './arithmetic.ts'
import { fits, roundToInteger } from './binary-convert.ts'
import { round } from './binary-round.ts'
import * as extended from './extended.ts'
import { widened } from './extended-short.ts'
import {
  type BinaryFormat,
  binary32,
  binary64,
  defaultNan,
  exponentOf,
  floatConst,
  infinity,
  isSignalling,
  narrow,
  quietBit,
  signOf,
  spare,
  TOP,
  widen,
} from './format.ts'

/** The control word's rounding and underflow mask where MXCSR has them. */
function asMxcsr<V>(o: Ops<V>, fcw: V): V {
  const masks = o.shl(o.and(fcw, o.i32(0x3f)), o.i32(7))
  return o.or(masks, o.shl(o.and(fcw, o.i32(0xc00)), o.i32(3)))
}

function fromBinary(f: BinaryFormat): Routine {
  return {
    name: `${f.name}ToF80`,
    params: [f.float],
    results: ['i64', 'i32', 'i32'],
    body<V>(o: Ops<V>, a: V): readonly V[] {
      const exponent = o.variable(exponentOf(o, f, a))
      const fraction = o.let(o.shl(widen(o, f, a), o.i64(BigInt(spare(f)))))
      const significand = o.variable(o.or(fraction, o.i64(TOP)))
      const flags = o.variable(o.i32(0))
      const rebased = o.i32(extended.BIAS - f.bias)
      o.if(
        o.ltU(o.sub(o.get(exponent), o.i32(1)), o.i32(f.special - 1)),
        () => o.set(exponent, o.add(o.get(exponent), rebased)),
        () => {
          o.if(
            o.get(exponent),
            () => {
              o.set(exponent, o.i32(extended.SPECIAL))
              o.set(flags, isSignalling(o, f, a))
            },
            () => {
              const bits = o.let(o.and(fraction, o.i64(TOP - 1n)))
              const shift = o.let(o.clz(bits))
              o.set(significand, o.shl(bits, shift))
              o.if(o.ne(bits, o.i64(0n)), () => {
                o.set(exponent, o.sub(o.add(rebased, o.i32(1)), o.wrap(shift)))
                o.set(flags, o.i32(Exception.denormal))
              })
            },
          )
        },
      )
      const sign = o.shl(signOf(o, f, a), o.i32(15))
      return [o.get(significand), o.or(o.get(exponent), sign), o.get(flags)]
    },
  }
}

function toBinary(f: BinaryFormat): Routine {
  return {
    name: `f80To${f.name.toUpperCase()}`,
    params: ['i64', 'i32', 'i32'],
    results: [f.float, 'i32'],
    body<V>(o: Ops<V>, significand: V, se: V, fcw: V): readonly V[] {
      const a = { significand, se }
      const sign = o.let(extended.signOf(o, se))
      const result = o.variable(floatConst(o, f, defaultNan(f)))
      const flags = o.variable(o.i32(Exception.invalid))
      const signed = (bits: V): V => {
        const place = o.shl(o.extendU(sign), o.i64(f.float === 'i64' ? 63n : 31n))
        return narrow(o, f, o.or(bits, place))
      }
      o.if(o.eqz(extended.isUnsupported(o, a)), () => {
        o.if(
          o.eq(extended.exponentOf(o, se), o.i32(extended.SPECIAL)),
          () => {
            // A NaN keeps the leading bits of its fraction and becomes quiet.
            const fraction = o.shr(o.and(significand, o.i64(TOP - 1n)), o.i64(BigInt(spare(f))))
            const quiet = o.select(extended.isNan(o, a), o.i64(quietBit(f)), o.i64(0n))
            o.set(result, signed(o.or(o.or(fraction, quiet), o.i64(infinity(f)))))
            o.set(flags, extended.isSignalling(o, a))
          },
          () => {
            o.if(
              extended.isZero(o, a),
              () => {
                o.set(result, signed(o.i64(0n)))
                o.set(flags, o.i32(0))
              },
              () => {
                const x = extended.unpackFinite(o, a)
                const exponent = o.sub(x.exponent, o.i32(extended.BIAS - f.bias))
                const [rounded, raised] = o.call(round[f.name], sign, exponent, x.significand, asMxcsr(o, fcw)) as [
                  V,
                  V,
                ]
                o.set(result, rounded)
                o.set(flags, raised)
              },
            )
          },
        )
      })
      return [o.get(result), o.get(flags)]
    },
  }
}

function toInteger(bits: 16 | 32 | 64): Routine {
  return {
    name: `f80ToI${bits}`,
    params: ['i64', 'i32', 'i32'],
    results: [bits === 64 ? 'i64' : 'i32', 'i32'],
    body<V>(o: Ops<V>, significand: V, se: V, fcw: V): readonly V[] {
      const a = { significand, se }
      const value = o.variable(o.i64(-(1n << BigInt(bits - 1))))
      const flags = o.variable(o.i32(Exception.invalid))
      const inRange = o.ltS(extended.exponentOf(o, se), o.i32(extended.BIAS + 64))
      o.if(o.and(inRange, o.eqz(extended.isUnsupported(o, a))), () => {
        const sign = o.let(extended.signOf(o, se))
        const x = extended.unpackFinite(o, a)
        const power = o.let(o.sub(x.exponent, o.i32(extended.BIAS)))
        const rounding = o.let(o.and(o.shr(fcw, o.i32(10)), o.i32(3)))
        const rounded = roundToInteger(o, rounding, sign, power, x.significand)
        o.if(fits(o, bits, sign, rounded, power), () => {
          o.set(value, o.select(sign, o.sub(o.i64(0n), rounded.whole), rounded.whole))
          o.set(flags, o.or(o.shl(rounded.inexact, o.i32(5)), o.shl(o.wrap(rounded.up), o.i32(9))))
        })
      })
      return [bits === 64 ? o.get(value) : o.wrap(o.get(value)), o.get(flags)]
    },
  }
}

/**
 * (a: i32) → (significand, se, flags), exact. A signalling NaN is reported as invalid but left signalling, for arithmetic on a
 * memory operand to see; FLD must set {@link extended.QUIET} in it.
 */
export const f32ToF80: Routine = shortened(fromBinary(binary32), widened(binary32))
/** (a: i64) → (significand, se, flags), the same. */
export const f64ToF80: Routine = shortened(fromBinary(binary64), widened(binary64))
/** (a, fcw) → (i32, flags): FST m32fp. Underflow and overflow that are not masked leave a result that is not to be stored. */
export const f80ToF32: Routine = toBinary(binary32)
/** (a, fcw) → (i64, flags): FST m64fp. */
export const f80ToF64: Routine = toBinary(binary64)
/** (a, fcw) → (i32, sign-extended; flags): FIST m16int. Out of range gives the integer indefinite, −2^15, and invalid alone. */
export const f80ToI16: Routine = toInteger(16)
/** (a, fcw) → (i32, flags): FIST m32int. */
export const f80ToI32: Routine = toInteger(32)
/** (a, fcw) → (i64, flags): FISTP m64int. */
export const f80ToI64: Routine = toInteger(64)

/** (a: i64) → (significand, se): FILD. Exact. */
export const f80FromI64: Routine = {
  name: 'f80FromI64',
  params: ['i64'],
  results: ['i64', 'i32'],
  body<V>(o: Ops<V>, a: V): readonly V[] {
    const sign = o.let(o.shr(a, o.i64(63n)))
    const size = o.let(o.select(o.wrap(sign), o.sub(o.i64(0n), a), a))
    const shift = o.let(o.clz(size))
    const exponent = o.or(o.sub(o.i32(extended.BIAS + 63), o.wrap(shift)), o.shl(o.wrap(sign), o.i32(15)))
    return [o.shl(size, shift), o.select(o.eqz(a), o.i32(0), exponent)]
  },
}
