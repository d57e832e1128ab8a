/** Comparison in the extended format (SDM vol. 2, FCOM, FUCOM, FCOMI). */
import type { Ops, Routine } from '../ops/ops.ts'
import { Exception } from './arithmetic.ts'
import { Relation } from './binary-compare.ts'
import {
  type Extended,
  exponentOf,
  isDenormal,
  isNan,
  isSignalling,
  isUnsupported,
  isZero,
  signOf,
} from './extended.ts'

/** i32 0 or 1: |a| < |b|. A pseudo-denormal has the value of the exponent 1. */
function smaller<V>(o: Ops<V>, a: Extended<V>, b: Extended<V>): V {
  const rank = (x: Extended<V>): V =>
    o.let(o.add(exponentOf(o, x.se), o.and(o.eqz(exponentOf(o, x.se)), o.ltS(x.significand, o.i64(0n)))))
  const aRank = rank(a)
  const bRank = rank(b)
  return o.select(o.eq(aRank, bRank), o.ltU(a.significand, b.significand), o.ltU(aRank, bRank))
}

function compareRoutine(signalling: boolean): Routine {
  return {
    name: signalling ? 'f80Compare' : 'f80CompareQuiet',
    params: ['i64', 'i32', 'i64', 'i32'],
    results: ['i32', 'i32'],
    body<V>(o: Ops<V>, aSignificand: V, aSe: V, bSignificand: V, bSe: V): readonly V[] {
      const a = { significand: aSignificand, se: aSe }
      const b = { significand: bSignificand, se: bSe }
      const relation = o.variable(o.i32(Relation.unordered))
      const flags = o.variable(o.i32(Exception.invalid))
      const unsupported = o.let(o.or(isUnsupported(o, a), isUnsupported(o, b)))
      o.if(
        o.or(unsupported, o.or(isNan(o, a), isNan(o, b))),
        () => {
          if (!signalling) o.set(flags, o.or(unsupported, o.or(isSignalling(o, a), isSignalling(o, b))))
        },
        () => {
          const less = o.let(smaller(o, a, b))
          const more = o.let(smaller(o, b, a))
          const same = o.eqz(o.or(less, more))
          const aSign = o.let(signOf(o, aSe))
          const opposite = o.ne(aSign, signOf(o, bSe))
          const equal = o.or(o.and(same, o.eqz(opposite)), o.and(isZero(o, a), isZero(o, b)))
          const below = o.select(opposite, aSign, o.select(aSign, more, less))
          o.set(relation, o.select(equal, o.i32(Relation.equal), below))
          o.set(flags, o.shl(o.or(isDenormal(o, a), isDenormal(o, b)), o.i32(1)))
        },
      )
      return [o.get(relation), o.get(flags)]
    },
  }
}

/**
 * (a, b) → (relation: i32, flags). `relation` is the EFLAGS image of FCOMI: a > b 0, a < b CF (1), equal ZF (0x40),
 * unordered ZF|PF|CF (0x45); shifted left by 8 it is C3, C2 and C0 of FCOM. Any NaN is invalid.
 */
export const f80Compare: Routine = compareRoutine(true)
/** The same for FUCOM and FUCOMI: of NaNs, only a signalling one is invalid. */
export const f80CompareQuiet: Routine = compareRoutine(false)
