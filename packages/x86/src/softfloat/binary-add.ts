/** Sum and difference of a binary format. */
import type { Ops, Routine } from '../ops/ops.ts'
import { finish, invalid, propagate } from './binary-round.ts'
import {
  type BinaryFormat,
  countsAsZero,
  denormalFlag,
  exponentOf,
  floatConst,
  infinity,
  isNan,
  isNormal,
  Mxcsr,
  magnitude,
  signBit,
  significandOf,
  signOf,
  unpackFinite,
} from './format.ts'
import { shiftRightSticky } from './wide.ts'

/** (a, b, mxcsr) → (decided: i32, float, flags): a ± b when an operand is a NaN or infinite or both are zeros; else only the flags of the operands. */
function special(f: BinaryFormat, subtract: boolean): Routine {
  return {
    name: `${f.name}${subtract ? 'Sub' : 'Add'}Special`,
    params: [f.float, f.float, 'i32'],
    results: ['i32', f.float, 'i32'],
    body<V>(o: Ops<V>, a: V, b: V, mxcsr: V): readonly V[] {
      const decided = o.variable(o.i32(1))
      const out = { result: o.variable(a), flags: o.variable(o.i32(0)) }
      const second = o.let(subtract ? o.xor(b, floatConst(o, f, signBit(f))) : b)
      const infinite = floatConst(o, f, infinity(f) << 1n)
      const aInfinite = o.let(o.eq(magnitude(o, f, a), infinite))
      const bInfinite = o.let(o.eq(magnitude(o, f, b), infinite))
      const opposite = o.let(o.ne(signOf(o, f, a), signOf(o, f, second)))
      o.if(
        o.or(isNan(o, f, a), isNan(o, f, b)),
        () => propagate(o, f, out, a, b),
        () => {
          o.if(
            o.and(o.and(aInfinite, bInfinite), opposite),
            () => invalid(o, f, out),
            () => {
              o.set(out.flags, denormalFlag(o, f, mxcsr, a, b))
              o.if(
                o.or(aInfinite, bInfinite),
                () => o.set(out.result, o.select(aInfinite, a, second)),
                () => {
                  o.set(decided, o.and(countsAsZero(o, f, mxcsr, a), countsAsZero(o, f, mxcsr, b)))
                  // Zeros: of equal sign, that sign; else positive, negative when rounding down.
                  const down = o.eq(o.and(mxcsr, o.i32(Mxcsr.rounding)), o.i32(0x2000))
                  const sign = o.select(opposite, down, signOf(o, f, a))
                  o.set(out.result, o.select(sign, floatConst(o, f, signBit(f)), floatConst(o, f, 0n)))
                },
              )
            },
          )
        },
      )
      return [o.get(decided), o.get(out.result), o.get(out.flags)]
    },
  }
}

/** (a: float, b: float, mxcsr) → (float, flags). */
export function addRoutine(f: BinaryFormat, subtract: boolean): Routine {
  const specialCases = special(f, subtract)
  return {
    name: `${f.name}${subtract ? 'Sub' : 'Add'}`,
    params: [f.float, f.float, 'i32'],
    results: [f.float, 'i32'],
    body<V>(o: Ops<V>, a: V, b: V, mxcsr: V): readonly V[] {
      const out = { result: o.variable(a), flags: o.variable(o.i32(0)) }
      const second = o.let(subtract ? o.xor(b, floatConst(o, f, signBit(f))) : b)
      const swap = o.let(o.ltU(magnitude(o, f, a), magnitude(o, f, b)))
      const large = o.let(o.select(swap, second, a))
      const small = o.let(o.select(swap, a, second))
      const largeExponent = o.variable(exponentOf(o, f, large))
      const smallExponent = o.variable(exponentOf(o, f, small))
      const largeSignificand = o.variable(significandOf(o, f, large))
      const smallSignificand = o.variable(significandOf(o, f, small))
      const decided = o.variable(o.i32(0))
      o.if(o.eqz(o.and(isNormal(o, f, o.get(largeExponent)), isNormal(o, f, o.get(smallExponent)))), () => {
        const [yes, result, flags] = o.call(specialCases, a, b, mxcsr) as [V, V, V]
        o.set(decided, yes)
        o.set(out.result, result)
        o.set(out.flags, flags)
        const l = unpackFinite(o, f, large, mxcsr)
        o.set(largeExponent, l.exponent)
        o.set(largeSignificand, l.significand)
        const s = unpackFinite(o, f, small, mxcsr)
        o.set(smallExponent, s.exponent)
        o.set(smallSignificand, s.significand)
      })
      o.if(o.eqz(o.get(decided)), () => {
        const one = o.i64(1n)
        // One bit of room above for the carry of a sum; at least ten remain below, so a sticky bit is exact enough.
        const distance = o.let(o.sub(o.get(largeExponent), o.get(smallExponent)))
        const count = o.let(o.extendU(o.select(o.ltU(distance, o.i32(63)), distance, o.i32(63))))
        const augend = o.shr(o.get(largeSignificand), one)
        const addend = o.let(shiftRightSticky(o, o.let(o.shr(o.get(smallSignificand), one)), count))
        const opposite = o.ne(signOf(o, f, large), signOf(o, f, small))
        const sum = o.let(o.add(augend, o.select(opposite, o.sub(o.i64(0n), addend), addend)))
        o.if(
          o.eqz(sum),
          () => {
            const down = o.eq(o.and(mxcsr, o.i32(Mxcsr.rounding)), o.i32(0x2000))
            o.set(out.result, o.select(down, floatConst(o, f, signBit(f)), floatConst(o, f, 0n)))
          },
          () => {
            const shift = o.let(o.clz(sum))
            const exponent = o.let(o.sub(o.add(o.get(largeExponent), o.i32(1)), o.wrap(shift)))
            finish(o, f, out, o.let(signOf(o, f, large)), exponent, o.let(o.shl(sum, shift)), mxcsr)
          },
        )
      })
      return [o.get(out.result), o.get(out.flags)]
    },
  }
}
