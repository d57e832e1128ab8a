/**
 * The two binary interchange formats and how an encoding is taken apart (SDM vol. 1, 4.2.2).
 *
 * Inside the routines a finite number other than zero is (sign, exponent, significand): sign i32 0 or 1; exponent i32, biased as
 * in the encoding but free to leave its range; significand i64 with its leading one in bit 63, so that the value is
 * significand × 2^(exponent − bias − 63). A zero has significand 0 and an exponent below that of every other number.
 */
import type { Ops, ValueType } from '../ops/ops.ts'
import { Exception } from './arithmetic.ts'

export interface BinaryFormat {
  readonly name: 'f32' | 'f64'
  /** Type that holds an encoding. */
  readonly float: ValueType
  /** Width of the stored fraction. */
  readonly fraction: number
  readonly bias: number
  /** Exponent field of infinities and NaNs. */
  readonly special: number
}

export const binary32: BinaryFormat = { name: 'f32', float: 'i32', fraction: 23, bias: 127, special: 0xff }
export const binary64: BinaryFormat = { name: 'f64', float: 'i64', fraction: 52, bias: 1023, special: 0x7ff }

/** Bits of a significand below the last one that the format keeps: 40 or 11. */
export const spare = (f: BinaryFormat): number => 63 - f.fraction

/** MXCSR: denormal operands are zeros; rounding control; overflow and underflow masks; tiny results are flushed to zero. */
export const Mxcsr = { daz: 0x40, rounding: 0x6000, overflowMask: 0x400, underflowMask: 0x800, ftz: 0x8000 } as const

export const TOP: bigint = 1n << 63n

/** A constant of the format's own type. */
export function floatConst<V>(o: Ops<V>, f: BinaryFormat, bits: bigint): V {
  return f.float === 'i64' ? o.i64(bits) : o.i32(Number(BigInt.asIntN(32, bits)))
}
export function signBit(f: BinaryFormat): bigint {
  return f.float === 'i64' ? TOP : 1n << 31n
}
export function infinity(f: BinaryFormat): bigint {
  return BigInt(f.special) << BigInt(f.fraction)
}
/** The bit that makes a NaN quiet. */
export function quietBit(f: BinaryFormat): bigint {
  return 1n << BigInt(f.fraction - 1)
}
/** Real indefinite. */
export function defaultNan(f: BinaryFormat): bigint {
  return signBit(f) | infinity(f) | quietBit(f)
}

/** Sign as i32 0 or 1. */
export function signOf<V>(o: Ops<V>, f: BinaryFormat, x: V): V {
  return f.float === 'i64' ? o.wrap(o.shr(x, o.i64(63n))) : o.shr(x, o.i32(31))
}
/** Exponent field as i32. */
export function exponentOf<V>(o: Ops<V>, f: BinaryFormat, x: V): V {
  const field = f.float === 'i64' ? o.wrap(o.shr(x, o.i64(52n))) : o.shr(x, o.i32(23))
  return o.and(field, o.i32(f.special))
}
/** Significand of a normal number. */
export function significandOf<V>(o: Ops<V>, f: BinaryFormat, x: V): V {
  return o.or(o.shl(widen(o, f, x), o.i64(BigInt(spare(f)))), o.i64(TOP))
}
/** The encoding as i64. */
export function widen<V>(o: Ops<V>, f: BinaryFormat, x: V): V {
  return f.float === 'i64' ? x : o.extendU(x)
}
/** The low bits of an i64 as an encoding. */
export function narrow<V>(o: Ops<V>, f: BinaryFormat, x: V): V {
  return f.float === 'i64' ? x : o.wrap(x)
}
/** Everything but the sign, shifted left by one: orders magnitudes. */
export function magnitude<V>(o: Ops<V>, f: BinaryFormat, x: V): V {
  return o.shl(x, floatConst(o, f, 1n))
}

/** i32 0 or 1: a NaN. */
export function isNan<V>(o: Ops<V>, f: BinaryFormat, x: V): V {
  return o.gtU(magnitude(o, f, x), floatConst(o, f, infinity(f) << 1n))
}
/** i32 0 or 1: a NaN that is not quiet. `x` is used twice. */
export function isSignalling<V>(o: Ops<V>, f: BinaryFormat, x: V): V {
  return o.and(isNan(o, f, x), o.eqz(o.and(x, floatConst(o, f, quietBit(f)))))
}
/** i32 0 or 1: a denormal number (not a zero). */
function isDenormal<V>(o: Ops<V>, f: BinaryFormat, x: V): V {
  const one = floatConst(o, f, 1n)
  return o.ltU(o.sub(magnitude(o, f, x), one), floatConst(o, f, (2n << BigInt(f.fraction)) - 1n))
}
/** i32 0 or 1: neither zero nor denormal nor infinite nor a NaN, from the exponent field. */
export function isNormal<V>(o: Ops<V>, f: BinaryFormat, exponent: V): V {
  return o.ltU(o.sub(exponent, o.i32(1)), o.i32(f.special - 1))
}

/** Exponent and significand of any finite number; a denormal is a zero when `mxcsr` has DAZ set. */
export function unpackFinite<V>(o: Ops<V>, f: BinaryFormat, x: V, mxcsr: V): { exponent: V; significand: V } {
  const exponent = o.variable(exponentOf(o, f, x))
  const significand = o.variable(significandOf(o, f, x))
  o.if(o.eqz(o.get(exponent)), () => {
    const fraction = o.shr(o.shl(widen(o, f, x), o.i64(BigInt(spare(f) + 1))), o.i64(1n))
    const kept = o.let(o.select(o.and(mxcsr, o.i32(Mxcsr.daz)), o.i64(0n), fraction))
    const shift = o.let(o.clz(kept))
    o.set(significand, o.shl(kept, shift))
    o.set(exponent, o.sub(o.i32(1), o.wrap(shift)))
  })
  return { exponent: o.get(exponent), significand: o.get(significand) }
}

/** The operand flag of an operation on `a` (and `b`): denormal, unless DAZ makes it a zero. */
export function denormalFlag<V>(o: Ops<V>, f: BinaryFormat, mxcsr: V, ...operands: V[]): V {
  const any = operands.map((x) => isDenormal(o, f, x)).reduce((x, y) => o.or(x, y))
  return o.select(o.and(mxcsr, o.i32(Mxcsr.daz)), o.i32(0), o.mul(any, o.i32(Exception.denormal)))
}

/** i32 0 or 1: a zero, or a denormal that DAZ makes one. */
export function countsAsZero<V>(o: Ops<V>, f: BinaryFormat, mxcsr: V, x: V): V {
  const daz = o.ne(o.and(mxcsr, o.i32(Mxcsr.daz)), o.i32(0))
  return o.or(o.eqz(magnitude(o, f, x)), o.and(daz, isDenormal(o, f, x)))
}
