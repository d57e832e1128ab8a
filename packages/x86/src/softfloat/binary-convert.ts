/** Conversions of a binary format to and from integers, and between the two formats (SDM vol. 2: CVTxx2yy). */
import type { Ops, Routine } from '../ops/ops.ts'
import { Exception } from './arithmetic.ts'
import { exactly, finish, increment } from './binary-round.ts'
import {
  type BinaryFormat,
  binary32,
  binary64,
  countsAsZero,
  denormalFlag,
  exponentOf,
  floatConst,
  infinity,
  isNan,
  isSignalling,
  narrow,
  quietBit,
  signOf,
  unpackFinite,
  widen,
} from './format.ts'

/** An integer's magnitude before it is cut to its width. */
export interface Rounded<V> {
  /** i64, unsigned; meaningless where the exponent says that it does not fit. */
  readonly whole: V
  /** i64: 1 when rounding increased the magnitude. */
  readonly up: V
  /** i32 0 or 1. */
  readonly inexact: V
}

/** Round significand × 2^(power − 63), `power` ≤ 63, to an integer. `rounding` is RC. */
export function roundToInteger<V>(o: Ops<V>, rounding: V, sign: V, power: V, significand: V): Rounded<V> {
  const shift = o.let(o.sub(o.i32(63), power))
  const whole = o.variable(significand)
  const lost = o.variable(o.i64(0n))
  o.if(o.gtS(shift, o.i32(0)), () => {
    o.if(
      o.ltS(shift, o.i32(64)),
      () => {
        const count = o.let(o.extendU(shift))
        o.set(whole, o.shr(significand, count))
        o.set(lost, o.shl(significand, o.sub(o.i64(64n), count)))
      },
      () => {
        o.set(whole, o.i64(0n))
        o.set(lost, o.select(o.eq(shift, o.i32(64)), significand, o.extendU(o.ne(significand, o.i64(0n)))))
      },
    )
  })
  const up = o.let(increment(o, rounding, sign, o.get(whole), o.get(lost)))
  return { whole: o.let(o.add(o.get(whole), up)), up, inexact: o.let(o.ne(o.get(lost), o.i64(0n))) }
}

/** i32 0 or 1: a magnitude from {@link roundToInteger}, of a number below 2^64, fits a signed integer of `bits`. */
export function fits<V>(o: Ops<V>, bits: number, sign: V, rounded: Rounded<V>, power: V): V {
  // 2^63 and up to 2^64 are below 2^64 still; a carry out of 64 bits leaves 0 with power 63.
  const limit = o.add(o.i64((1n << BigInt(bits - 1)) - 1n), o.extendU(sign))
  const wrapped = o.and(o.eqz(rounded.whole), o.eq(power, o.i32(63)))
  return o.and(o.leU(rounded.whole, limit), o.eqz(wrapped))
}

/** (a: float, mxcsr) → (integer, flags). `truncate`: CVTT. */
export function toIntegerRoutine(f: BinaryFormat, bits: 32 | 64, truncate: boolean): Routine {
  return {
    name: `${f.name}ToI${bits}${truncate ? 'Truncate' : ''}`,
    params: [f.float, 'i32'],
    results: [bits === 64 ? 'i64' : 'i32', 'i32'],
    body<V>(o: Ops<V>, a: V, mxcsr: V): readonly V[] {
      const value = o.variable(o.i64(1n << BigInt(bits - 1)))
      const flags = o.variable(o.i32(Exception.invalid))
      o.if(o.ltS(exponentOf(o, f, a), o.i32(f.bias + 64)), () => {
        const sign = o.let(signOf(o, f, a))
        const x = unpackFinite(o, f, a, mxcsr)
        const power = o.let(o.sub(x.exponent, o.i32(f.bias)))
        const rounding = truncate ? o.i32(3) : o.let(o.and(o.shr(mxcsr, o.i32(13)), o.i32(3)))
        const rounded = roundToInteger(o, rounding, sign, power, o.let(x.significand))
        o.if(fits(o, bits, sign, rounded, power), () => {
          o.set(value, o.select(sign, o.sub(o.i64(0n), rounded.whole), rounded.whole))
          o.set(flags, o.shl(rounded.inexact, o.i32(5)))
        })
      })
      return [bits === 64 ? o.get(value) : o.wrap(o.get(value)), o.get(flags)]
    },
  }
}

/** (a: integer, mxcsr) → (float, flags). */
export function fromIntegerRoutine(f: BinaryFormat, bits: 32 | 64): Routine {
  return {
    name: `${f.name}FromI${bits}`,
    params: [bits === 64 ? 'i64' : 'i32', 'i32'],
    results: [f.float, 'i32'],
    body<V>(o: Ops<V>, a: V, mxcsr: V): readonly V[] {
      const out = { result: o.variable(floatConst(o, f, 0n)), flags: o.variable(o.i32(0)) }
      const wide = o.let(bits === 64 ? a : o.extendS(a))
      o.if(o.ne(wide, o.i64(0n)), () => {
        const sign = o.let(o.wrap(o.shr(wide, o.i64(63n))))
        const size = o.let(o.select(sign, o.sub(o.i64(0n), wide), wide))
        const shift = o.let(o.clz(size))
        const exponent = o.let(o.sub(o.i32(f.bias + 63), o.wrap(shift)))
        finish(o, f, out, sign, exponent, o.let(o.shl(size, shift)), mxcsr)
      })
      return [o.get(out.result), o.get(out.flags)]
    },
  }
}

function convertRoutine(from: BinaryFormat, to: BinaryFormat): Routine {
  const shift = BigInt(Math.abs(from.fraction - to.fraction))
  return {
    name: `${from.name}To${to.name.toUpperCase()}`,
    params: [from.float, 'i32'],
    results: [to.float, 'i32'],
    body<V>(o: Ops<V>, a: V, mxcsr: V): readonly V[] {
      const out = { result: o.variable(floatConst(o, to, 0n)), flags: o.variable(o.i32(0)) }
      const sign = o.let(signOf(o, from, a))
      o.if(
        o.eq(exponentOf(o, from, a), o.i32(from.special)),
        () => {
          // Infinities and NaNs keep the leading bits of their fraction; a NaN becomes quiet.
          const bits = o.and(widen(o, from, a), o.i64((1n << BigInt(from.fraction)) - 1n))
          const fraction = to.fraction > from.fraction ? o.shl(bits, o.i64(shift)) : o.shr(bits, o.i64(shift))
          exactly(o, to, out, sign, infinity(to), isSignalling(o, from, a))
          const quiet = o.select(isNan(o, from, a), floatConst(o, to, quietBit(to)), floatConst(o, to, 0n))
          o.set(out.result, o.or(o.get(out.result), o.or(narrow(o, to, fraction), quiet)))
        },
        () => {
          o.if(
            countsAsZero(o, from, mxcsr, a),
            () => exactly(o, to, out, sign, 0n, o.i32(0)),
            () => {
              o.set(out.flags, denormalFlag(o, from, mxcsr, a))
              const x = unpackFinite(o, from, a, mxcsr)
              const exponent = o.let(o.add(x.exponent, o.i32(to.bias - from.bias)))
              finish(o, to, out, sign, exponent, o.let(x.significand), mxcsr)
            },
          )
        },
      )
      return [o.get(out.result), o.get(out.flags)]
    },
  }
}

/** (a: i32, mxcsr) → (i64, flags): CVTSS2SD. Exact. */
export const f32ToF64: Routine = convertRoutine(binary32, binary64)
/** (a: i64, mxcsr) → (i32, flags): CVTSD2SS. */
export const f64ToF32: Routine = convertRoutine(binary64, binary32)
