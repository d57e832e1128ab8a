/**
 * The double extended-precision format: 1 sign bit, 15 exponent bits, 64 significand bits with an explicit integer bit
 * (SDM vol. 1, 4.2.2, 8.2.2 and table 8-3). A value is two words: significand i64; sign and exponent i32, sign in bit 15.
 * Every routine takes and returns `se` with bits 16–31 clear.
 *
 * Inside the routines a finite number other than zero has its leading one in bit 63 and an exponent free to leave its range; a
 * zero has significand 0 and an exponent below that of every other number.
 */
import type { Ops, Routine, Variable } from '../ops/ops.ts'
import { Exception } from './arithmetic.ts'
import { TOP } from './format.ts'

export const BIAS = 16383
export const SPECIAL = 0x7fff
/** Sign and exponent, and significand, of the real indefinite. */
export const INDEFINITE = { se: 0xffff, significand: 0xc000_0000_0000_0000n } as const
export const QUIET: bigint = 1n << 62n

export interface Extended<V> {
  readonly significand: V
  readonly se: V
}

/** Where an operation leaves its answer. */
export interface ExtendedOutcome<V> {
  readonly significand: Variable<V>
  readonly se: Variable<V>
  readonly flags: Variable<V>
}

export function outcome<V>(o: Ops<V>): ExtendedOutcome<V> {
  return { significand: o.variable(o.i64(0n)), se: o.variable(o.i32(0)), flags: o.variable(o.i32(0)) }
}
export function answer<V>(o: Ops<V>, out: ExtendedOutcome<V>): readonly V[] {
  return [o.get(out.significand), o.get(out.se), o.get(out.flags)]
}
export function put<V>(o: Ops<V>, out: ExtendedOutcome<V>, significand: V, se: V): void {
  o.set(out.significand, significand)
  o.set(out.se, se)
}

export function exponentOf<V>(o: Ops<V>, se: V): V {
  return o.and(se, o.i32(SPECIAL))
}
/** The sign in its place, bit 15. */
export function signBits<V>(o: Ops<V>, se: V): V {
  return o.and(se, o.i32(0x8000))
}
/** The sign as i32 0 or 1. */
export function signOf<V>(o: Ops<V>, se: V): V {
  return o.shr(se, o.i32(15))
}

/** The tests below give i32 0 or 1 and use their operands more than once. */
export function isNormal<V>(o: Ops<V>, x: Extended<V>): V {
  const inside = o.ltU(o.sub(exponentOf(o, x.se), o.i32(1)), o.i32(SPECIAL - 1))
  return o.and(inside, o.ltS(x.significand, o.i64(0n)))
}
export function isZero<V>(o: Ops<V>, x: Extended<V>): V {
  return o.and(o.eqz(exponentOf(o, x.se)), o.eqz(x.significand))
}
export function isInfinite<V>(o: Ops<V>, x: Extended<V>): V {
  return o.and(o.eq(exponentOf(o, x.se), o.i32(SPECIAL)), o.eq(x.significand, o.i64(TOP)))
}
/** A NaN in a supported encoding. */
export function isNan<V>(o: Ops<V>, x: Extended<V>): V {
  return o.and(o.eq(exponentOf(o, x.se), o.i32(SPECIAL)), o.gtU(x.significand, o.i64(TOP)))
}
export function isSignalling<V>(o: Ops<V>, x: Extended<V>): V {
  return o.and(isNan(o, x), o.eqz(o.and(x.significand, o.i64(QUIET))))
}
/** Pseudo-NaN, pseudo-infinity, unnormal: the integer bit is clear and the exponent is not zero. */
export function isUnsupported<V>(o: Ops<V>, x: Extended<V>): V {
  return o.and(o.ne(exponentOf(o, x.se), o.i32(0)), o.geS(x.significand, o.i64(0n)))
}
/** Denormal or pseudo-denormal. */
export function isDenormal<V>(o: Ops<V>, x: Extended<V>): V {
  return o.and(o.eqz(exponentOf(o, x.se)), o.ne(x.significand, o.i64(0n)))
}

/** Exponent and normalised significand of any supported finite number. */
export function unpackFinite<V>(o: Ops<V>, x: Extended<V>): { exponent: V; significand: V } {
  const exponent = o.variable(exponentOf(o, x.se))
  const significand = o.variable(x.significand)
  o.if(o.eqz(o.get(exponent)), () => {
    const shift = o.let(o.clz(x.significand))
    o.set(significand, o.shl(x.significand, shift))
    o.set(exponent, o.sub(o.i32(1), o.wrap(shift)))
  })
  return { exponent: o.let(o.get(exponent)), significand: o.let(o.get(significand)) }
}

/** i32 0 or 1: `a` is the larger significand of two NaNs; of equal ones, the positive. */
function outranks<V>(o: Ops<V>, a: Extended<V>, b: Extended<V>): V {
  const same = o.eq(a.significand, b.significand)
  return o.select(same, o.leU(a.se, b.se), o.gtU(a.significand, b.significand))
}

/**
 * (a, b) → (decided: i32, significand, se, flags). The part that all operations share: an unsupported operand is invalid; of
 * NaNs, a quiet one before a signalling one, then the larger significand, made quiet (SDM vol. 1, table 4-7).
 * Else nothing is decided and `flags` says whether an operand is denormal. Give a unary operation's operand twice.
 */
export const operands: Routine = {
  name: 'f80Operands',
  params: ['i64', 'i32', 'i64', 'i32'],
  results: ['i32', 'i64', 'i32', 'i32'],
  body<V>(o: Ops<V>, aSignificand: V, aSe: V, bSignificand: V, bSe: V): readonly V[] {
    const a = { significand: aSignificand, se: aSe }
    const b = { significand: bSignificand, se: bSe }
    const decided = o.variable(o.i32(1))
    const out = outcome(o)
    o.if(
      o.or(isUnsupported(o, a), isUnsupported(o, b)),
      () => invalid(o, out),
      () => {
        const aNan = o.let(isNan(o, a))
        const bNan = o.let(isNan(o, b))
        o.if(
          o.or(aNan, bNan),
          () => {
            const aSignals = o.let(isSignalling(o, a))
            const bSignals = o.let(isSignalling(o, b))
            // Two of a kind: by rank. Else the quiet NaN, or the only NaN there is.
            const alike = o.and(o.and(aNan, bNan), o.eq(aSignals, bSignals))
            const onlyA = o.or(o.eqz(bNan), o.and(aNan, bSignals))
            const first = o.let(o.select(alike, outranks(o, a, b), onlyA))
            const significand = o.select(first, a.significand, b.significand)
            put(o, out, o.or(significand, o.i64(QUIET)), o.select(first, a.se, b.se))
            o.set(out.flags, o.or(aSignals, bSignals))
          },
          () => {
            o.set(decided, o.i32(0))
            o.set(out.flags, o.shl(o.or(isDenormal(o, a), isDenormal(o, b)), o.i32(1)))
          },
        )
      },
    )
    return [o.get(decided), ...answer(o, out)]
  },
}

/** Call {@link operands}: sets `out`, gives `decided`. */
export function decide<V>(o: Ops<V>, out: ExtendedOutcome<V>, a: Extended<V>, b: Extended<V>): V {
  const [decided, significand, se, flags] = o.call(operands, a.significand, a.se, b.significand, b.se) as [V, V, V, V]
  put(o, out, significand, se)
  o.set(out.flags, flags)
  return decided
}

export function invalid<V>(o: Ops<V>, out: ExtendedOutcome<V>): void {
  put(o, out, o.i64(INDEFINITE.significand), o.i32(INDEFINITE.se))
  o.set(out.flags, o.i32(Exception.invalid))
}
