/** Product, quotient and square root in the extended format (SDM vol. 2, FMUL, FDIV, FSQRT). */
import type { Ops, Routine } from '../ops/ops.ts'
import { shortened } from '../ops/shortcut.ts'
import { Exception } from './arithmetic.ts'
import {
  answer,
  BIAS,
  decide,
  type ExtendedOutcome,
  exponentOf,
  invalid,
  isInfinite,
  isNormal,
  isZero,
  outcome,
  put,
  SPECIAL,
  signBits,
  unpackFinite,
} from './extended.ts'
import { finish } from './extended-round.ts'
import { multiply, multiplyWithZero } from './extended-short.ts'
import { TOP } from './format.ts'
import { divideWide, multiplyWide, squareRootWide, sticky } from './wide.ts'

/** An operand, or the result before rounding. */
interface Parts<V> {
  readonly exponent: V
  readonly significand: V
}
interface Unrounded<V> extends Parts<V> {
  readonly below: V
}
interface Limits<V> {
  readonly sign: V
  readonly aInfinite: V
  readonly bInfinite: V
  readonly aZero: V
  readonly bZero: V
}

function exactly<V>(o: Ops<V>, out: ExtendedOutcome<V>, sign: V, value: 'zero' | 'infinity'): void {
  if (value === 'zero') put(o, out, o.i64(0n), sign)
  else put(o, out, o.i64(TOP), o.or(sign, o.i32(SPECIAL)))
}

/** (a, b) → (decided: i32, significand, se, flags). */
function special(name: string, limits: <V>(o: Ops<V>, out: ExtendedOutcome<V>, operands: Limits<V>) => void): Routine {
  return {
    name: `f80${name}Special`,
    params: ['i64', 'i32', 'i64', 'i32'],
    results: ['i32', 'i64', 'i32', 'i32'],
    body<V>(o: Ops<V>, aSignificand: V, aSe: V, bSignificand: V, bSe: V): readonly V[] {
      const a = { significand: aSignificand, se: aSe }
      const b = { significand: bSignificand, se: bSe }
      const out = outcome(o)
      const decided = o.variable(decide(o, out, a, b))
      o.if(o.eqz(o.get(decided)), () => {
        const aInfinite = o.let(isInfinite(o, a))
        const bInfinite = o.let(isInfinite(o, b))
        const aZero = o.let(isZero(o, a))
        const bZero = o.let(isZero(o, b))
        o.if(o.or(o.or(aInfinite, bInfinite), o.or(aZero, bZero)), () => {
          o.set(decided, o.i32(1))
          const sign = o.let(signBits(o, o.xor(aSe, bSe)))
          limits(o, out, { sign, aInfinite, bInfinite, aZero, bZero })
        })
      })
      return [o.get(decided), ...answer(o, out)]
    },
  }
}

function binaryRoutine(
  name: string,
  combine: <V>(o: Ops<V>, a: Parts<V>, b: Parts<V>) => Unrounded<V>,
  specialCases: Routine,
): Routine {
  return {
    name: `f80${name}`,
    params: ['i64', 'i32', 'i64', 'i32', 'i32'],
    results: ['i64', 'i32', 'i32'],
    body<V>(o: Ops<V>, aSignificand: V, aSe: V, bSignificand: V, bSe: V, fcw: V): readonly V[] {
      const a = { significand: aSignificand, se: aSe }
      const b = { significand: bSignificand, se: bSe }
      const out = outcome(o)
      const aExponent = o.variable(exponentOf(o, aSe))
      const bExponent = o.variable(exponentOf(o, bSe))
      const aNormalised = o.variable(aSignificand)
      const bNormalised = o.variable(bSignificand)
      const decided = o.variable(o.i32(0))
      o.if(o.eqz(o.and(isNormal(o, a), isNormal(o, b))), () => {
        const [yes, significand, se, flags] = o.call(specialCases, aSignificand, aSe, bSignificand, bSe) as [V, V, V, V]
        o.set(decided, yes)
        put(o, out, significand, se)
        o.set(out.flags, flags)
        const x = unpackFinite(o, a)
        o.set(aExponent, x.exponent)
        o.set(aNormalised, x.significand)
        const y = unpackFinite(o, b)
        o.set(bExponent, y.exponent)
        o.set(bNormalised, y.significand)
      })
      o.if(o.eqz(o.get(decided)), () => {
        const first = { exponent: o.get(aExponent), significand: o.get(aNormalised) }
        const second = { exponent: o.get(bExponent), significand: o.get(bNormalised) }
        const { exponent, significand, below } = combine(o, first, second)
        finish(o, out, o.let(signBits(o, o.xor(aSe, bSe))), exponent, significand, below, fcw)
      })
      return answer(o, out)
    },
  }
}

function product<V>(o: Ops<V>, a: Parts<V>, b: Parts<V>): Unrounded<V> {
  const { high, low } = multiplyWide(o, a.significand, b.significand)
  // The leading one is in bit 63 or 62.
  const shift = o.let(o.shr(o.xor(high, o.i64(TOP)), o.i64(63n)))
  const carried = o.and(o.shr(low, o.i64(63n)), shift)
  return {
    exponent: o.let(o.sub(o.add(o.add(a.exponent, b.exponent), o.i32(1 - BIAS)), o.wrap(shift))),
    significand: o.let(o.or(o.shl(high, shift), carried)),
    below: o.let(o.shl(low, shift)),
  }
}

function quotient<V>(o: Ops<V>, a: Parts<V>, b: Parts<V>): Unrounded<V> {
  const divisor = o.let(b.significand)
  const whole = o.let(o.geU(a.significand, divisor))
  const numerator = o.let(o.sub(a.significand, o.select(whole, divisor, o.i64(0n))))
  const { quotient: digits, remainder } = divideWide(o, numerator, o.i64(0n), divisor)
  // Without an integer part the 64 digits are the significand and the remainder says on which side of half it lies.
  const complement = o.let(o.sub(divisor, remainder))
  const half = o.shl(o.extendU(o.geU(remainder, complement)), o.i64(63n))
  const off = o.and(o.ne(remainder, complement), o.ne(remainder, o.i64(0n)))
  const shifted = o.or(o.shl(digits, o.i64(63n)), sticky(o, remainder))
  return {
    exponent: o.let(o.add(o.sub(a.exponent, b.exponent), o.sub(o.i32(BIAS), o.eqz(whole)))),
    significand: o.let(o.select(whole, o.or(o.shr(digits, o.i64(1n)), o.i64(TOP)), digits)),
    below: o.let(o.select(whole, shifted, o.or(half, o.extendU(off)))),
  }
}

const longMul = binaryRoutine(
  'Mul',
  product,
  special('Mul', (o, out, { sign, aInfinite, bInfinite, aZero, bZero }) => {
    o.if(
      o.or(o.and(aInfinite, bZero), o.and(aZero, bInfinite)),
      () => invalid(o, out),
      () => {
        o.if(
          o.or(aInfinite, bInfinite),
          () => exactly(o, out, sign, 'infinity'),
          () => exactly(o, out, sign, 'zero'),
        )
      },
    )
  }),
)

/** (a, b, fcw) → (a × b, flags); a, b and the result are (significand: i64, se: i32). */
export const f80Mul: Routine = shortened(shortened(longMul, multiplyWithZero), multiply)

/** (a, b, fcw) → (a ÷ b, flags). A denormal divided by zero is a divide-by-zero alone (SDM vol. 1, 4.9.2). */
export const f80Div: Routine = binaryRoutine(
  'Div',
  quotient,
  special('Div', (o, out, { sign, aInfinite, bInfinite, aZero, bZero }) => {
    o.if(
      o.or(o.and(aInfinite, bInfinite), o.and(aZero, bZero)),
      () => invalid(o, out),
      () => {
        o.if(
          o.or(aInfinite, bZero),
          () => {
            exactly(o, out, sign, 'infinity')
            o.set(out.flags, o.select(aInfinite, o.get(out.flags), o.i32(Exception.zeroDivide)))
          },
          () => exactly(o, out, sign, 'zero'),
        )
      },
    )
  }),
)

/** (a, fcw) → (√a, flags). */
export const f80Sqrt: Routine = {
  name: 'f80Sqrt',
  params: ['i64', 'i32', 'i32'],
  results: ['i64', 'i32', 'i32'],
  body<V>(o: Ops<V>, significand: V, se: V, fcw: V): readonly V[] {
    const a = { significand, se }
    const out = outcome(o)
    const decided = o.variable(decide(o, out, a, a))
    o.if(o.eqz(o.get(decided)), () => {
      o.if(
        isZero(o, a),
        () => put(o, out, significand, se),
        () => {
          o.if(
            signBits(o, se),
            () => invalid(o, out),
            () => {
              o.if(
                isInfinite(o, a),
                () => put(o, out, significand, se),
                () => {
                  const x = unpackFinite(o, a)
                  const power = o.let(o.sub(x.exponent, o.i32(BIAS)))
                  // Half the exponent; an odd one leaves its factor of two in the radicand.
                  const even = o.let(o.extendU(o.eqz(o.and(power, o.i32(1)))))
                  const high = o.let(o.shr(x.significand, even))
                  const low = o.let(o.shl(o.and(x.significand, even), o.i64(63n)))
                  const { root, below } = squareRootWide(o, high, low)
                  const exponent = o.let(o.add(o.sar(power, o.i32(1)), o.i32(BIAS)))
                  finish(o, out, o.i32(0), exponent, root, below, fcw)
                },
              )
            },
          )
        },
      )
    })
    return answer(o, out)
  },
}
