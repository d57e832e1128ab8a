/** Rounding to the extended format, to the precision and in the direction that the x87 control word says (SDM vol. 1, 8.1.5). */
import type { Ops, Routine } from '../ops/ops.ts'
import { Exception } from './arithmetic.ts'
import { increment } from './binary-round.ts'
import { type ExtendedOutcome, put, SPECIAL } from './extended.ts'
import { TOP } from './format.ts'
import { sticky } from './wide.ts'

/** Fields of the x87 control word: masks of overflow and underflow, precision control, rounding control. */
export const ControlWord = { overflowMask: 8, underflowMask: 0x10, precision: 0x300, rounding: 0xc00 } as const
/** The control word for operations that round to 64 bits whatever precision control says (SDM vol. 1, 8.1.5.2). */
export function fullPrecision<V>(o: Ops<V>, fcw: V): V {
  return o.let(o.or(fcw, o.i32(ControlWord.precision)))
}

/** What unmasked overflow and underflow subtract from and add to the exponent (SDM vol. 1, 8.5.4, 8.5.5). */
const WRAP = 24576

/**
 * (sign: i32, exponent: i32, significand: i64, below: i64, fcw: i32) → (significand, se, flags).
 * Bit 63 of `significand` is set; `below` continues it by 64 bits, the last of them for everything lower.
 * Overflow and underflow that are not masked wrap the exponent once; what is still out of range then (FSCALE can bring that
 * about) becomes infinity or zero.
 */
export const roundExtended: Routine = {
  name: 'f80Round',
  params: ['i32', 'i32', 'i64', 'i64', 'i32'],
  results: ['i64', 'i32', 'i32'],
  body<V>(o: Ops<V>, sign: V, exponent: V, significand: V, below: V, fcw: V): readonly V[] {
    const rounding = o.let(o.and(o.shr(fcw, o.i32(10)), o.i32(3)))
    const control = o.let(o.and(fcw, o.i32(ControlWord.precision)))
    // Bits that the precision drops: 24 and 53 bits are kept, else all 64.
    const single = o.eqz(control)
    const double = o.eq(control, o.i32(0x200))
    const drop = o.let(o.select(single, o.i64(40n), o.select(double, o.i64(11n), o.i64(0n))))
    const full = o.let(o.eqz(drop))
    const kept = o.variable(o.i64(0n))
    const lost = o.variable(o.i64(0n))
    const up = o.variable(o.i64(0n))
    const split = (upper: V, lower: V): void => {
      o.set(kept, o.shr(upper, drop))
      const dropped = o.or(o.shl(upper, o.sub(o.i64(64n), drop)), sticky(o, lower))
      o.set(lost, o.select(full, lower, dropped))
      o.set(up, increment(o, rounding, sign, o.get(kept), o.get(lost)))
    }
    const whole = (): V => o.shl(o.add(o.get(kept), o.get(up)), drop)

    const e = o.variable(exponent)
    const flags = o.variable(o.i32(0))
    const denormal = o.variable(o.i32(0))
    split(significand, below)
    o.if(o.ltS(exponent, o.i32(1)), () => {
      // Tiny unless rounding with an unbounded exponent carries up to the smallest normal number.
      const tiny = o.let(o.or(o.ne(exponent, o.i32(0)), o.ne(whole(), o.i64(0n))))
      const masked = o.let(o.ne(o.and(fcw, o.i32(ControlWord.underflowMask)), o.i32(0)))
      o.if(
        o.and(tiny, o.eqz(masked)),
        () => {
          o.set(e, o.add(exponent, o.i32(WRAP)))
          o.set(flags, o.i32(Exception.underflow))
        },
        () => {
          const distance = o.let(o.sub(o.i32(1), exponent))
          const count = o.let(o.extendU(distance))
          const rest = o.let(sticky(o, below))
          o.if(
            o.ltU(distance, o.i32(64)),
            () => {
              const lower = o.or(o.shl(significand, o.sub(o.i64(64n), count)), rest)
              split(o.let(o.shr(significand, count)), o.let(lower))
            },
            () => split(o.i64(0n), o.let(o.select(o.eq(distance, o.i32(64)), o.or(significand, rest), o.i64(1n)))),
          )
          o.set(denormal, o.i32(1))
          const inexact = o.ne(o.get(lost), o.i64(0n))
          o.set(flags, o.mul(o.and(tiny, inexact), o.i32(Exception.underflow)))
        },
      )
    })
    const rounded = o.variable(whole())
    o.if(
      o.get(denormal),
      () => o.set(e, o.wrap(o.shr(o.get(rounded), o.i64(63n)))),
      () => {
        o.if(o.eqz(o.get(rounded)), () => {
          o.set(rounded, o.i64(TOP))
          o.set(e, o.add(o.get(e), o.i32(1)))
        })
      },
    )
    const inexact = o.mul(o.ne(o.get(lost), o.i64(0n)), o.i32(Exception.precision))
    const upward = o.mul(o.wrap(o.get(up)), o.i32(Exception.roundedUp))
    o.set(flags, o.or(o.get(flags), o.or(inexact, upward)))
    o.if(o.and(o.eqz(o.get(denormal)), o.ltS(o.get(e), o.i32(1))), () => {
      o.set(rounded, o.i64(0n))
      o.set(e, o.i32(0))
      o.set(flags, o.i32(Exception.underflow | Exception.precision))
    })
    o.if(o.geS(o.get(e), o.i32(SPECIAL)), () => {
      o.if(
        o.and(fcw, o.i32(ControlWord.overflowMask)),
        () => {
          const toInfinity = o.let(o.or(o.eqz(rounding), o.eq(rounding, o.sub(o.i32(2), sign))))
          o.set(rounded, o.select(toInfinity, o.i64(TOP), o.shl(o.i64(-1n), drop)))
          o.set(e, o.sub(o.i32(SPECIAL), o.eqz(toInfinity)))
          const raised = o.i32(Exception.overflow | Exception.precision)
          o.set(flags, o.or(raised, o.mul(toInfinity, o.i32(Exception.roundedUp))))
        },
        () => {
          o.set(e, o.sub(o.get(e), o.i32(WRAP)))
          o.set(flags, o.or(o.get(flags), o.i32(Exception.overflow)))
          o.if(o.geS(o.get(e), o.i32(SPECIAL)), () => {
            o.set(rounded, o.i64(TOP))
            o.set(e, o.i32(SPECIAL))
            o.set(flags, o.i32(Exception.overflow | Exception.precision | Exception.roundedUp))
          })
        },
      )
    })
    return [o.get(rounded), o.or(o.get(e), o.shl(sign, o.i32(15))), o.get(flags)]
  },
}

/**
 * Round to nearest and 64 bits well inside the range at once, anything else by the routine. `sign` is in bit 15.
 * Adds to the flags of `out`. The operands are used more than once.
 */
export function finish<V>(
  o: Ops<V>,
  out: ExtendedOutcome<V>,
  sign: V,
  exponent: V,
  significand: V,
  below: V,
  fcw: V,
): void {
  const inside = o.ltU(o.sub(exponent, o.i32(1)), o.i32(SPECIAL - 2))
  const usual = o.eq(o.and(fcw, o.i32(ControlWord.precision | ControlWord.rounding)), o.i32(0x300))
  o.if(
    o.and(inside, usual),
    () => {
      const one = o.i64(1n)
      const more = o.or(o.shl(below, one), o.and(significand, one))
      const up = o.let(o.and(o.ltS(below, o.i64(0n)), o.ne(more, o.i64(0n))))
      const sum = o.let(o.add(significand, o.extendU(up)))
      const carry = o.let(o.eqz(sum))
      put(o, out, o.or(sum, o.shl(o.extendU(carry), o.i64(63n))), o.or(sign, o.add(exponent, carry)))
      const raised = o.or(o.shl(o.ne(below, o.i64(0n)), o.i32(5)), o.shl(up, o.i32(9)))
      o.set(out.flags, o.or(o.get(out.flags), raised))
    },
    () => {
      const sign01 = o.shr(sign, o.i32(15))
      const [rounded, se, flags] = o.call(roundExtended, sign01, exponent, significand, below, fcw) as [V, V, V]
      put(o, out, rounded, se)
      o.set(out.flags, o.or(o.get(out.flags), flags))
    },
  )
}
