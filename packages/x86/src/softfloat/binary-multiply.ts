/** Product, quotient and square root of a binary format. */
import type { Ops, Routine } from '../ops/ops.ts'
import { exactly, finish, invalid, type Outcome, propagate } from './binary-round.ts'
import {
  type BinaryFormat,
  countsAsZero,
  denormalFlag,
  exponentOf,
  floatConst,
  infinity,
  isNan,
  isNormal,
  magnitude,
  significandOf,
  signOf,
  spare,
  unpackFinite,
} from './format.ts'
import { divideWide, multiplyWide, squareRootWide, sticky } from './wide.ts'

/** Exponent and normalised significand of a result before rounding. */
interface Unrounded<V> {
  readonly exponent: V
  readonly significand: V
}

type Combine = <V>(o: Ops<V>, f: BinaryFormat, a: Unrounded<V>, b: Unrounded<V>) => Unrounded<V>
/** The result for operands of which at least one is zero or infinite; none is a NaN. */
type Limits = <V>(o: Ops<V>, f: BinaryFormat, out: Outcome<V>, operands: Operands<V>) => void
interface Operands<V> {
  readonly sign: V
  readonly aInfinite: V
  readonly bInfinite: V
  readonly aZero: V
  readonly bZero: V
  readonly denormal: V
}

/** (a, b, mxcsr) → (decided: i32, float, flags): NaNs, infinities and zeros; else only the flags of the operands. */
function special(f: BinaryFormat, name: string, limits: Limits): Routine {
  return {
    name: `${f.name}${name}Special`,
    params: [f.float, f.float, 'i32'],
    results: ['i32', f.float, 'i32'],
    body<V>(o: Ops<V>, a: V, b: V, mxcsr: V): readonly V[] {
      const decided = o.variable(o.i32(1))
      const out = { result: o.variable(a), flags: o.variable(o.i32(0)) }
      const infinite = floatConst(o, f, infinity(f) << 1n)
      o.if(
        o.or(isNan(o, f, a), isNan(o, f, b)),
        () => propagate(o, f, out, a, b),
        () => {
          const aInfinite = o.let(o.eq(magnitude(o, f, a), infinite))
          const bInfinite = o.let(o.eq(magnitude(o, f, b), infinite))
          const aZero = o.let(countsAsZero(o, f, mxcsr, a))
          const bZero = o.let(countsAsZero(o, f, mxcsr, b))
          const denormal = o.let(denormalFlag(o, f, mxcsr, a, b))
          const sign = o.let(o.xor(signOf(o, f, a), signOf(o, f, b)))
          o.if(
            o.or(o.or(aInfinite, bInfinite), o.or(aZero, bZero)),
            () => limits(o, f, out, { sign, aInfinite, bInfinite, aZero, bZero, denormal }),
            () => {
              o.set(decided, o.i32(0))
              o.set(out.flags, denormal)
            },
          )
        },
      )
      return [o.get(decided), o.get(out.result), o.get(out.flags)]
    },
  }
}

function binaryRoutine(f: BinaryFormat, name: string, combine: Combine, limits: Limits): Routine {
  const specialCases = special(f, name, limits)
  return {
    name: `${f.name}${name}`,
    params: [f.float, f.float, 'i32'],
    results: [f.float, 'i32'],
    body<V>(o: Ops<V>, a: V, b: V, mxcsr: V): readonly V[] {
      const out = { result: o.variable(a), flags: o.variable(o.i32(0)) }
      const aExponent = o.variable(exponentOf(o, f, a))
      const bExponent = o.variable(exponentOf(o, f, b))
      const aSignificand = o.variable(significandOf(o, f, a))
      const bSignificand = o.variable(significandOf(o, f, b))
      const decided = o.variable(o.i32(0))
      o.if(o.eqz(o.and(isNormal(o, f, o.get(aExponent)), isNormal(o, f, o.get(bExponent)))), () => {
        const [yes, result, flags] = o.call(specialCases, a, b, mxcsr) as [V, V, V]
        o.set(decided, yes)
        o.set(out.result, result)
        o.set(out.flags, flags)
        const x = unpackFinite(o, f, a, mxcsr)
        o.set(aExponent, x.exponent)
        o.set(aSignificand, x.significand)
        const y = unpackFinite(o, f, b, mxcsr)
        o.set(bExponent, y.exponent)
        o.set(bSignificand, y.significand)
      })
      o.if(o.eqz(o.get(decided)), () => {
        const sign = o.let(o.xor(signOf(o, f, a), signOf(o, f, b)))
        const first = { exponent: o.get(aExponent), significand: o.get(aSignificand) }
        const second = { exponent: o.get(bExponent), significand: o.get(bSignificand) }
        const { exponent, significand } = combine(o, f, first, second)
        finish(o, f, out, sign, exponent, significand, mxcsr)
      })
      return [o.get(out.result), o.get(out.flags)]
    },
  }
}

/** Shift the leading one of `value` up to bit 63; `exponent` is right for a value that has it there. */
function normalised<V>(o: Ops<V>, value: V, exponent: V): Unrounded<V> {
  const v = o.let(value)
  const shift = o.let(o.clz(v))
  return { exponent: o.let(o.sub(exponent, o.wrap(shift))), significand: o.let(o.shl(v, shift)) }
}

function product<V>(o: Ops<V>, f: BinaryFormat, a: Unrounded<V>, b: Unrounded<V>): Unrounded<V> {
  const exponent = o.add(o.add(a.exponent, b.exponent), o.i32(1 - f.bias))
  if (f.float === 'i32') {
    const cut = o.i64(BigInt(spare(f)))
    const whole = o.mul(o.shr(a.significand, cut), o.shr(b.significand, cut))
    return normalised(o, o.shl(whole, o.i64(16n)), exponent)
  }
  const { high, low } = multiplyWide(o, a.significand, b.significand)
  return normalised(o, o.or(high, sticky(o, low)), exponent)
}

function quotient<V>(o: Ops<V>, f: BinaryFormat, a: Unrounded<V>, b: Unrounded<V>): Unrounded<V> {
  const exponent = o.sub(a.exponent, b.exponent)
  if (f.float === 'i32') {
    // 63 bits by 24: a quotient of 39 or 40 bits.
    const divisor = o.let(o.shr(b.significand, o.i64(40n)))
    const dividend = o.let(o.shr(a.significand, o.i64(1n)))
    const whole = o.let(o.divU(dividend, divisor))
    const rest = o.ne(o.mul(whole, divisor), dividend)
    return normalised(o, o.or(whole, o.extendU(rest)), o.add(exponent, o.i32(f.bias + 24)))
  }
  const numerator = o.let(o.shr(a.significand, o.i64(1n)))
  const { quotient: whole, remainder } = divideWide(o, numerator, o.i64(0n), o.let(b.significand))
  return normalised(o, o.or(whole, sticky(o, remainder)), o.add(exponent, o.i32(f.bias)))
}

/** (a: float, b: float, mxcsr) → (float, flags). */
export function mulRoutine(f: BinaryFormat): Routine {
  return binaryRoutine(f, 'Mul', product, (o, g, out, { sign, aInfinite, bInfinite, aZero, bZero, denormal }) => {
    o.if(
      o.or(o.and(aInfinite, bZero), o.and(aZero, bInfinite)),
      () => invalid(o, g, out),
      () => {
        o.if(
          o.or(aInfinite, bInfinite),
          () => exactly(o, g, out, sign, infinity(g), denormal),
          () => exactly(o, g, out, sign, 0n, denormal),
        )
      },
    )
  })
}

/** (a: float, b: float, mxcsr) → (float, flags). A denormal divided by zero is a divide-by-zero alone (SDM vol. 1, 4.9.2). */
export function divRoutine(f: BinaryFormat): Routine {
  return binaryRoutine(f, 'Div', quotient, (o, g, out, { sign, aInfinite, bInfinite, aZero, bZero, denormal }) => {
    o.if(
      o.or(o.and(aInfinite, bInfinite), o.and(aZero, bZero)),
      () => invalid(o, g, out),
      () => {
        o.if(
          o.or(aInfinite, bZero),
          () => {
            const byZero = o.shl(o.eqz(aInfinite), o.i32(2))
            exactly(o, g, out, sign, infinity(g), o.select(aInfinite, denormal, byZero))
          },
          () => exactly(o, g, out, sign, 0n, denormal),
        )
      },
    )
  })
}

/** (a: float, mxcsr) → (float, flags). */
export function sqrtRoutine(f: BinaryFormat): Routine {
  return {
    name: `${f.name}Sqrt`,
    params: [f.float, 'i32'],
    results: [f.float, 'i32'],
    body<V>(o: Ops<V>, a: V, mxcsr: V): readonly V[] {
      const out = { result: o.variable(a), flags: o.variable(o.i32(0)) }
      const negative = o.let(signOf(o, f, a))
      o.if(
        isNan(o, f, a),
        () => propagate(o, f, out, a, a),
        () => {
          o.if(
            countsAsZero(o, f, mxcsr, a),
            () => exactly(o, f, out, negative, 0n, o.i32(0)),
            () => {
              o.if(
                negative,
                () => invalid(o, f, out),
                () => {
                  o.if(o.ne(a, floatConst(o, f, infinity(f))), () => {
                    o.set(out.flags, denormalFlag(o, f, mxcsr, a))
                    const x = unpackFinite(o, f, a, mxcsr)
                    const power = o.let(o.sub(x.exponent, o.i32(f.bias)))
                    // Half the exponent; an odd one leaves its factor of two in the radicand.
                    const even = o.extendU(o.eqz(o.and(power, o.i32(1))))
                    const { root, below } = squareRootWide(o, o.let(o.shr(x.significand, even)), o.i64(0n))
                    const exponent = o.let(o.add(o.sar(power, o.i32(1)), o.i32(f.bias)))
                    finish(o, f, out, o.i32(0), exponent, o.let(o.or(root, sticky(o, below))), mxcsr)
                  })
                },
              )
            },
          )
        },
      )
      return [o.get(out.result), o.get(out.flags)]
    },
  }
}
