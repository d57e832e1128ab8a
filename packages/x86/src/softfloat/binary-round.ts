/** Rounding to a binary format and the rules for NaN operands (SDM vol. 1, 4.8.4, 4.9.1.4 to 4.9.1.6 and table 4-7). */
import type { Ops, Routine, Variable } from '../ops/ops.ts'
import { Exception } from './arithmetic.ts'
import {
  type BinaryFormat,
  binary32,
  binary64,
  defaultNan,
  floatConst,
  infinity,
  isNan,
  isSignalling,
  Mxcsr,
  narrow,
  quietBit,
  signBit,
  spare,
} from './format.ts'
import { shiftRightSticky } from './wide.ts'

/** Where an operation leaves its answer. */
export interface Outcome<V> {
  readonly result: Variable<V>
  readonly flags: Variable<V>
}

/** i64 0 or 1 to add to the kept part: `lost` is what lies below the last kept bit, as a 64-bit fraction of it. */
export function increment<V>(o: Ops<V>, rounding: V, sign: V, kept: V, lost: V): V {
  const one = o.i64(1n)
  // Nearest: more than half, or half and odd. Adding the odd bit to the lower bits of `lost` decides both at once.
  const below = o.and(lost, o.i64((1n << 63n) - 1n))
  const nearest = o.and(o.ltS(lost, o.i64(0n)), o.or(o.ne(below, o.i64(0n)), o.wrap(o.and(kept, one))))
  // Down (1) rounds negative numbers away from zero, up (2) positive ones, 3 none.
  const away = o.eq(rounding, o.sub(o.i32(2), sign))
  const directed = o.and(away, o.ne(lost, o.i64(0n)))
  return o.extendU(o.select(rounding, directed, nearest))
}

function roundRoutine(f: BinaryFormat): Routine {
  const w = BigInt(spare(f))
  return {
    name: `${f.name}Round`,
    params: ['i32', 'i32', 'i64', 'i32'],
    results: [f.float, 'i32'],
    body<V>(o: Ops<V>, sign: V, exponent: V, significand: V, mxcsr: V): readonly V[] {
      const rounding = o.let(o.and(o.shr(mxcsr, o.i32(13)), o.i32(3)))
      const flags = o.variable(o.i32(0))
      const e = o.variable(exponent)
      const kept = o.variable(o.shr(significand, o.i64(w)))
      const lost = o.variable(o.shl(significand, o.i64(64n - w)))
      const flushed = o.variable(o.i32(0))
      // What an overflow or underflow that is not masked leaves of precision: rounding with an unbounded exponent.
      const unbounded = o.let(o.ne(o.get(lost), o.i64(0n)))
      const trapped = o.variable(o.i32(0))
      const up = o.variable(increment(o, rounding, sign, o.get(kept), o.get(lost)))
      o.if(
        o.ltS(exponent, o.i32(1)),
        () => {
          // Tiny unless rounding with an unbounded exponent carries up to the smallest normal number.
          const carried = o.eq(o.add(o.get(kept), o.get(up)), o.i64(2n << BigInt(f.fraction)))
          const tiny = o.let(o.eqz(o.and(o.eqz(exponent), carried)))
          const masked = o.let(o.and(mxcsr, o.i32(Mxcsr.underflowMask)))
          const flush = o.and(o.ne(masked, o.i32(0)), o.ne(o.and(mxcsr, o.i32(Mxcsr.ftz)), o.i32(0)))
          o.set(flushed, o.and(tiny, flush))
          const shift = o.let(o.sub(o.i32(1), exponent))
          const count = o.extendU(o.select(o.ltU(shift, o.i32(63)), shift, o.i32(63)))
          const small = o.let(shiftRightSticky(o, significand, o.let(count)))
          o.set(kept, o.shr(small, o.i64(w)))
          o.set(lost, o.shl(small, o.i64(64n - w)))
          o.set(up, increment(o, rounding, sign, o.get(kept), o.get(lost)))
          // The stored exponent of a denormal is 0; one less here, because the leading one of a normal number adds one.
          o.set(e, o.i32(0))
          const inexact = o.ne(o.get(lost), o.i64(0n))
          const underflow = o.and(tiny, o.or(o.eqz(masked), inexact))
          o.set(flags, o.mul(underflow, o.i32(Exception.underflow)))
          o.set(trapped, o.and(tiny, o.eqz(masked)))
        },
        () => o.set(e, o.sub(exponent, o.i32(1))),
      )
      const inexact = o.let(o.select(o.get(trapped), unbounded, o.ne(o.get(lost), o.i64(0n))))
      const upward = o.let(o.get(up))
      const magnitude = o.variable(
        o.add(o.shl(o.extendU(o.get(e)), o.i64(BigInt(f.fraction))), o.add(o.get(kept), upward)),
      )
      const roundedUp = o.mul(o.wrap(upward), o.i32(Exception.roundedUp))
      o.set(flags, o.or(o.get(flags), o.or(o.mul(inexact, o.i32(Exception.precision)), roundedUp)))
      const tooLarge = o.geU(o.get(magnitude), o.i64(infinity(f)))
      o.if(o.and(o.geS(exponent, o.i32(f.special - 1)), o.or(tooLarge, o.geS(exponent, o.i32(f.special)))), () => {
        const toInfinity = o.let(o.or(o.eqz(rounding), o.eq(rounding, o.sub(o.i32(2), sign))))
        o.set(magnitude, o.sub(o.i64(infinity(f)), o.extendU(o.eqz(toInfinity))))
        const imprecise = o.or(unbounded, o.ne(o.and(mxcsr, o.i32(Mxcsr.overflowMask)), o.i32(0)))
        const raised = o.or(o.i32(Exception.overflow), o.mul(imprecise, o.i32(Exception.precision)))
        o.set(flags, o.or(raised, o.mul(toInfinity, o.i32(Exception.roundedUp))))
      })
      o.if(o.get(flushed), () => {
        o.set(magnitude, o.i64(0n))
        o.set(flags, o.i32(Exception.underflow | Exception.precision))
      })
      const signed = o.shl(o.extendU(sign), o.i64(f.float === 'i64' ? 63n : 31n))
      return [narrow(o, f, o.or(o.get(magnitude), signed)), o.get(flags)]
    },
  }
}

/**
 * (sign: i32, exponent: i32, significand: i64, mxcsr: i32) → (float, flags): the one place where numbers are rounded to the format.
 * The significand's bit 63 is set, its bit 0 stands for everything below. `flags` has {@link Exception}'s `roundedUp` too.
 */
export const round: Readonly<Record<'f32' | 'f64', Routine>> = {
  f32: roundRoutine(binary32),
  f64: roundRoutine(binary64),
}

/** Round to nearest well inside the range at once, anything else by the routine. Sets `out` (flags: bits 0–5 only). */
export function finish<V>(
  o: Ops<V>,
  f: BinaryFormat,
  out: Outcome<V>,
  sign: V,
  exponent: V,
  significand: V,
  mxcsr: V,
): void {
  const inside = o.ltU(o.sub(exponent, o.i32(1)), o.i32(f.special - 2))
  const nearest = o.eqz(o.and(mxcsr, o.i32(Mxcsr.rounding)))
  o.if(
    o.and(inside, nearest),
    () => {
      const w = BigInt(spare(f))
      const one = o.i64(1n)
      const kept = o.let(o.shr(significand, o.i64(w)))
      const lost = o.let(o.and(significand, o.i64((1n << w) - 1n)))
      const up = o.extendU(o.gtU(o.add(lost, o.and(kept, one)), o.i64(1n << (w - 1n))))
      const high = o.or(
        o.shl(o.extendU(sign), o.i64(f.float === 'i64' ? 63n : 31n)),
        o.shl(o.extendU(o.sub(exponent, o.i32(1))), o.i64(BigInt(f.fraction))),
      )
      o.set(out.result, narrow(o, f, o.add(high, o.add(kept, up))))
      o.set(out.flags, o.or(o.get(out.flags), o.shl(o.ne(lost, o.i64(0n)), o.i32(5))))
    },
    () => {
      const [result, flags] = o.call(round[f.name], sign, exponent, significand, mxcsr) as [V, V]
      o.set(out.result, result)
      o.set(out.flags, o.or(o.get(out.flags), o.and(flags, o.i32(0x3f))))
    },
  )
}

/** Both operands may be NaNs, one is: the first if it is one, made quiet; invalid when either is signalling. */
export function propagate<V>(o: Ops<V>, f: BinaryFormat, out: Outcome<V>, a: V, b: V): void {
  o.set(out.result, o.or(o.select(isNan(o, f, a), a, b), floatConst(o, f, quietBit(f))))
  o.set(out.flags, o.or(isSignalling(o, f, a), isSignalling(o, f, b)))
}

export function invalid<V>(o: Ops<V>, f: BinaryFormat, out: Outcome<V>): void {
  o.set(out.result, floatConst(o, f, defaultNan(f)))
  o.set(out.flags, o.i32(Exception.invalid))
}

/** Set the result to ±`bits` without exceptions beyond `flags`. `sign` is i32 0 or 1. */
export function exactly<V>(o: Ops<V>, f: BinaryFormat, out: Outcome<V>, sign: V, bits: bigint, flags: V): void {
  const signed = o.select(sign, floatConst(o, f, signBit(f)), floatConst(o, f, 0n))
  o.set(out.result, o.or(signed, floatConst(o, f, bits)))
  o.set(out.flags, flags)
}
