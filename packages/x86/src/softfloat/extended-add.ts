/** Sum and difference in the extended format (SDM vol. 2, FADD and FSUB, tables 3-18 and 3-27). */
import type { Ops, Routine } from '../ops/ops.ts'
import { shortened } from '../ops/shortcut.ts'
import {
  answer,
  decide,
  exponentOf,
  invalid,
  isInfinite,
  isNormal,
  isZero,
  outcome,
  put,
  signBits,
  unpackFinite,
} from './extended.ts'
import { ControlWord, finish } from './extended-round.ts'
import { sum, sumWithZero } from './extended-short.ts'
import { sticky } from './wide.ts'

/** (a, b, fcw) → (decided: i32, significand, se, flags): NaNs, unsupported operands, infinities, two zeros. */
function special(subtract: boolean): Routine {
  return {
    name: subtract ? 'f80SubSpecial' : 'f80AddSpecial',
    params: ['i64', 'i32', 'i64', 'i32', 'i32'],
    results: ['i32', 'i64', 'i32', 'i32'],
    body<V>(o: Ops<V>, aSignificand: V, aSe: V, bSignificand: V, bSe: V, fcw: V): readonly V[] {
      const a = { significand: aSignificand, se: aSe }
      const b = { significand: bSignificand, se: bSe }
      const out = outcome(o)
      const decided = o.variable(decide(o, out, a, b))
      o.if(o.eqz(o.get(decided)), () => {
        const bSign = subtract ? o.xor(bSe, o.i32(0x8000)) : bSe
        const opposite = o.let(signBits(o, o.xor(aSe, bSign)))
        const aInfinite = o.let(isInfinite(o, a))
        const bInfinite = o.let(isInfinite(o, b))
        o.if(
          o.or(aInfinite, bInfinite),
          () => {
            o.set(decided, o.i32(1))
            o.if(
              o.and(o.and(aInfinite, bInfinite), o.ne(opposite, o.i32(0))),
              () => invalid(o, out),
              () => put(o, out, o.i64(1n << 63n), o.select(aInfinite, aSe, bSign)),
            )
          },
          () => {
            o.if(o.and(isZero(o, a), isZero(o, b)), () => {
              o.set(decided, o.i32(1))
              put(o, out, o.i64(0n), o.select(opposite, negativeZero(o, fcw), signBits(o, aSe)))
            })
          },
        )
      })
      return [o.get(decided), ...answer(o, out)]
    },
  }
}

/** The sign, in bit 15, of an exact zero difference: negative only when rounding down. */
function negativeZero<V>(o: Ops<V>, fcw: V): V {
  return o.shl(o.eq(o.and(fcw, o.i32(ControlWord.rounding)), o.i32(0x400)), o.i32(15))
}

function addRoutine(subtract: boolean): Routine {
  const specialCases = special(subtract)
  return {
    name: subtract ? 'f80Sub' : 'f80Add',
    params: ['i64', 'i32', 'i64', 'i32', 'i32'],
    results: ['i64', 'i32', 'i32'],
    body<V>(o: Ops<V>, aSignificand: V, aSe: V, bSignificand: V, bSe: V, fcw: V): readonly V[] {
      const a = { significand: aSignificand, se: aSe }
      const b = { significand: bSignificand, se: bSe }
      const out = outcome(o)
      const one = o.i64(1n)
      const zero = o.i64(0n)
      // The operand of larger exponent comes first; a difference turns out negative only between equal exponents.
      const exponent = o.variable(exponentOf(o, aSe))
      const large = o.variable(aSignificand)
      const sign = o.variable(signBits(o, aSe))
      const smallExponent = o.variable(exponentOf(o, bSe))
      const small = o.variable(bSignificand)
      const decided = o.variable(o.i32(0))
      o.if(o.eqz(o.and(isNormal(o, a), isNormal(o, b))), () => {
        const [yes, significand, se, flags] = o.call(specialCases, aSignificand, aSe, bSignificand, bSe, fcw) as [
          V,
          V,
          V,
          V,
        ]
        o.set(decided, yes)
        put(o, out, significand, se)
        o.set(out.flags, flags)
        const x = unpackFinite(o, a)
        o.set(exponent, x.exponent)
        o.set(large, x.significand)
        const y = unpackFinite(o, b)
        o.set(smallExponent, y.exponent)
        o.set(small, y.significand)
      })
      o.if(o.eqz(o.get(decided)), () => {
        const difference = o.let(signBits(o, o.xor(o.xor(aSe, bSe), o.i32(subtract ? 0x8000 : 0))))
        const distance = o.variable(o.sub(o.get(exponent), o.get(smallExponent)))
        o.if(o.ltS(o.get(distance), o.i32(0)), () => {
          const swapped = o.let(o.get(large))
          o.set(large, o.get(small))
          o.set(small, swapped)
          o.set(exponent, o.get(smallExponent))
          o.set(distance, o.sub(o.i32(0), o.get(distance)))
          o.set(sign, o.xor(o.get(sign), difference))
        })
        const below = o.variable(zero)
        const upper = o.variable(o.get(large))
        // Align: `below` receives the 64 bits under the larger operand's last, the lowest of them sticky.
        o.if(o.get(distance), () => {
          const count = o.let(o.extendU(o.get(distance)))
          const left = o.let(o.shl(o.get(small), o.sub(zero, count)))
          o.if(
            o.ltU(o.get(distance), o.i32(64)),
            () => {
              o.set(below, left)
              o.set(small, o.shr(o.get(small), count))
            },
            () => {
              const near = o.or(
                o.shr(o.get(small), count),
                sticky(o, o.let(o.select(o.and(o.get(distance), o.i32(63)), left, zero))),
              )
              o.set(below, o.select(o.ltU(o.get(distance), o.i32(128)), near, sticky(o, o.get(small))))
              o.set(small, zero)
            },
          )
        })
        const e = o.variable(o.get(exponent))
        const exactZero = o.variable(o.i32(0))
        o.if(
          difference,
          () => {
            const borrow = o.let(sticky(o, o.get(below)))
            const rest = o.variable(o.sub(o.sub(o.get(large), o.get(small)), borrow))
            o.if(o.ltU(o.get(large), o.get(small)), () => {
              o.set(rest, o.sub(zero, o.get(rest)))
              o.set(sign, o.xor(o.get(sign), o.i32(0x8000)))
            })
            o.set(below, o.sub(zero, o.get(below)))
            o.if(o.eqz(o.get(rest)), () => {
              o.set(rest, o.get(below))
              o.set(below, zero)
              o.set(e, o.sub(o.get(e), o.i32(64)))
            })
            o.set(exactZero, o.eqz(o.get(rest)))
            o.set(upper, o.get(rest))
            const shift = o.let(o.clz(o.get(upper)))
            o.if(o.ne(shift, zero), () => {
              o.set(upper, o.or(o.shl(o.get(upper), shift), o.shr(o.get(below), o.sub(zero, shift))))
              o.set(below, o.shl(o.get(below), shift))
              o.set(e, o.sub(o.get(e), o.wrap(shift)))
            })
          },
          () => {
            const sum = o.let(o.add(o.get(large), o.get(small)))
            o.set(upper, sum)
            o.if(o.ltU(sum, o.get(large)), () => {
              const lower = o.or(o.shr(o.get(below), one), o.and(o.get(below), one))
              o.set(below, o.or(lower, o.shl(sum, o.i64(63n))))
              o.set(upper, o.or(o.shr(sum, one), o.i64(1n << 63n)))
              o.set(e, o.add(o.get(e), o.i32(1)))
            })
          },
        )
        o.if(
          o.get(exactZero),
          () => put(o, out, zero, negativeZero(o, fcw)),
          () => finish(o, out, o.get(sign), o.get(e), o.get(upper), o.get(below), fcw),
        )
      })
      return answer(o, out)
    },
  }
}

/** (a, b, fcw) → (a + b, flags); a, b and the result are (significand: i64, se: i32). */
export const f80Add: Routine = shortened(shortened(addRoutine(false), sumWithZero(false)), sum(false))
/** (a, b, fcw) → (a − b, flags). */
export const f80Sub: Routine = shortened(shortened(addRoutine(true), sumWithZero(true)), sum(true))
