/**
 * Short ways of the extended format's arithmetic: operands that are normal, far from both ends of the range, 64 bits and
 * rounding to nearest. With what serves integers a step of a product of matrices of these took 15.7 ns, and 23 without.
 */
import type { Ops, Shortcut, Variable } from '../ops/ops.ts'
import { BIAS, exponentOf, SPECIAL, signBits } from './extended.ts'
import { ControlWord } from './extended-round.ts'
import { type BinaryFormat, exponentOf as binaryExponentOf, isNormal, signOf, spare, TOP, widen } from './format.ts'
import { multiplyWide } from './wide.ts'

/** The exponents in question are those from here on that differ from it in the low 13 bits. */
const FIRST = 0x3000
const OUTSIDE = 0x6000

/** i32, 0 if operands are such numbers: one word, for one condition costs less than several. */
function areUnusual<V>(o: Ops<V>, [a, aSe]: readonly V[], [b, bSe]: readonly V[]): V {
  const outside = o.or(o.sub(aSe!, o.i32(FIRST)), o.sub(bSe!, o.i32(FIRST)))
  const integers = o.wrap(o.shr(o.and(a!, b!), o.i64(63n)))
  return o.or(o.and(outside, o.i32(OUTSIDE)), o.xor(integers, o.i32(1)))
}
/** i32: 64 bits, to nearest. A constant where the control word is one. */
function isUsual<V>(o: Ops<V>, fcw: V): V {
  return o.eq(o.and(fcw, o.i32(ControlWord.precision | ControlWord.rounding)), o.i32(0x300))
}

/** Where significand, sign and exponent, and flags go. */
interface Out<V> {
  readonly significand: Variable<V>
  readonly se: Variable<V>
  readonly flags: Variable<V>
}
const outOf = <V>(o: Ops<V>): Out<V> => ({
  significand: o.variable(o.i64(0n)),
  se: o.variable(o.i32(0)),
  flags: o.variable(o.i32(0)),
})
const valuesOf = <V>(o: Ops<V>, { significand, se, flags }: Out<V>): readonly V[] =>
  [significand, se, flags].map((variable) => o.get(variable))

/** Round to nearest. The operands are used more than once. */
function roundInto<V>(o: Ops<V>, out: Out<V>, sign: V, exponent: V, significand: V, below: V): void {
  const more = o.or(o.shl(below, o.i64(1n)), o.and(significand, o.i64(1n)))
  const up = o.let(o.and(o.ltS(below, o.i64(0n)), o.ne(more, o.i64(0n))))
  const sum = o.let(o.add(significand, o.extendU(up)))
  const carry = o.let(o.eqz(sum))
  o.set(out.significand, o.or(sum, o.shl(o.extendU(carry), o.i64(63n))))
  o.set(out.se, o.or(sign, o.add(exponent, carry)))
  o.set(out.flags, o.or(o.shl(o.ne(below, o.i64(0n)), o.i32(5)), o.shl(up, o.i32(9))))
}

/** (a, b, fcw) → (a × b, flags). */
export const multiply: Shortcut = <V>(o: Ops<V>, ...[a, aSe, b, bSe, fcw]: V[]) => ({
  serves: o.and(o.eqz(areUnusual(o, [a!, aSe!], [b!, bSe!])), isUsual(o, fcw!)),
  results: () => {
    const out = outOf(o)
    const half = o.i64(32n)
    const sign = o.let(signBits(o, o.xor(aSe!, bSe!)))
    const exponent = o.let(o.add(o.add(exponentOf(o, aSe!), exponentOf(o, bSe!)), o.i32(1 - BIAS)))
    // The leading one is in bit 63 or 62.
    const normalising = (high: V): V => o.let(o.shr(o.xor(high, o.i64(TOP)), o.i64(63n)))
    o.if(
      o.eqz(o.wrap(o.or(a!, b!))),
      () => {
        // Numbers of 32 bits, such as integers.
        const product = o.let(o.mul(o.shr(a!, half), o.shr(b!, half)))
        const shift = normalising(product)
        o.set(out.significand, o.shl(product, shift))
        o.set(out.se, o.or(sign, o.sub(exponent, o.wrap(shift))))
      },
      () => {
        const { high, low } = multiplyWide(o, a!, b!)
        const shift = normalising(high)
        const significand = o.let(o.or(o.shl(high, shift), o.and(o.shr(low, o.i64(63n)), shift)))
        roundInto(o, out, sign, o.let(o.sub(exponent, o.wrap(shift))), significand, o.let(o.shl(low, shift)))
      },
    )
    return valuesOf(o, out)
  },
})

/** (a, b, fcw) → (a ± b, flags), of exponents that are less than 32 apart. */
export function sum(subtract: boolean): Shortcut {
  return <V>(o: Ops<V>, ...[a, aSe, b, bSe, fcw]: V[]) => {
    const aExponent = o.let(exponentOf(o, aSe!))
    const apart = o.let(o.sub(aExponent, exponentOf(o, bSe!)))
    const far = o.and(o.add(apart, o.i32(32)), o.i32(~63))
    return {
      serves: o.and(o.eqz(o.or(areUnusual(o, [a!, aSe!], [b!, bSe!]), far)), isUsual(o, fcw!)),
      results: () => {
        const out = outOf(o)
        const [zero, one] = [o.i64(0n), o.i64(1n)]
        const bSign = subtract ? o.let(o.xor(bSe!, o.i32(0x8000))) : bSe!
        // Masks in place of conditions: whose exponent is larger, and whether the signs differ, no processor predicts.
        const swap = o.let(o.sar(apart, o.i32(31)))
        const signs = o.let(o.xor(aSe!, bSign))
        const either = o.let(o.and(o.xor(a!, b!), o.extendS(swap)))
        const large = o.let(o.xor(a!, either))
        const small = o.let(o.xor(b!, either))
        const sign = o.variable(signBits(o, o.xor(aSe!, o.and(signs, swap))))
        const exponent = o.variable(o.add(o.sub(aExponent, o.and(apart, swap)), o.i32(1)))
        const distance = o.let(o.extendU(o.sub(o.xor(apart, swap), swap)))
        // With one bit of room. The smaller one is taken away where the signs differ.
        const upper = o.shr(large, one)
        const addend = o.shr(o.shr(small, one), distance)
        const mask = o.let(o.extendS(o.sar(o.shl(signs, o.i32(16)), o.i32(31))))
        const isNegative = (value: V): V => o.ltS(o.and(value, mask), zero)
        const flip = (): void => o.set(sign, o.xor(o.get(sign), o.i32(0x8000)))
        o.if(
          o.eqz(o.shl(o.or(a!, b!), o.i64(31n))),
          () => {
            // Of 31 bits, as integers often are: exact.
            const total = o.variable(o.add(upper, o.sub(o.xor(addend, mask), mask)))
            o.if(isNegative(o.get(total)), () => {
              o.set(total, o.sub(zero, o.get(total)))
              flip()
            })
            o.if(o.ne(o.get(total), zero), () => {
              const shift = o.let(o.clz(o.get(total)))
              o.set(out.significand, o.shl(o.get(total), shift))
              o.set(out.se, o.or(o.get(sign), o.sub(o.get(exponent), o.wrap(shift))))
            })
          },
          () => {
            // In 128 bits nothing is lost.
            const tail = o.let(o.shl(large, o.i64(63n)))
            const rest = o.let(o.shl(small, o.sub(o.i64(63n), distance)))
            const differ = o.let(o.and(mask, one))
            const borrow = o.and(differ, o.extendU(o.eqz(rest)))
            const low = o.variable(o.add(tail, o.add(o.xor(rest, mask), differ)))
            const carry = o.extendU(o.ltU(o.get(low), tail))
            const high = o.variable(o.add(o.add(upper, o.add(o.xor(addend, mask), borrow)), carry))
            o.if(isNegative(o.get(high)), () => {
              o.set(high, o.sub(o.extendU(o.eqz(o.get(low))), o.add(o.get(high), one)))
              o.set(low, o.sub(zero, o.get(low)))
              flip()
            })
            o.if(o.eqz(o.get(high)), () => {
              o.set(high, o.get(low))
              o.set(low, zero)
              o.set(exponent, o.sub(o.get(exponent), o.i32(64)))
            })
            o.if(o.ne(o.get(high), zero), () => {
              const shift = o.let(o.clz(o.get(high)))
              const entering = o.shr(o.shr(o.get(low), one), o.sub(o.i64(63n), shift))
              const significand = o.let(o.or(o.shl(o.get(high), shift), entering))
              const e = o.let(o.sub(o.get(exponent), o.wrap(shift)))
              roundInto(o, out, o.let(o.get(sign)), e, significand, o.let(o.shl(o.get(low), shift)))
            })
          },
        )
        return valuesOf(o, out)
      },
    }
  }
}

/** (a) → (significand, se, flags) of a normal number of a smaller format. */
export function widened(f: BinaryFormat): Shortcut {
  return <V>(o: Ops<V>, a: V) => {
    const exponent = o.let(binaryExponentOf(o, f, a))
    return {
      serves: isNormal(o, f, exponent),
      results: () => {
        const significand = o.or(o.shl(widen(o, f, a), o.i64(BigInt(spare(f)))), o.i64(TOP))
        const sign = o.shl(signOf(o, f, a), o.i32(15))
        return [significand, o.or(o.add(exponent, o.i32(BIAS - f.bias)), sign), o.i32(0)]
      },
    }
  }
}

/**
 * Zeros: (a, b, fcw) → (a ± b, flags) where one of them is a zero and the other one normal. Programs have many, and there are
 * many special cases behind it.
 */
export function sumWithZero(subtract: boolean): Shortcut {
  return <V>(o: Ops<V>, ...[a, aSe, b, bSe, fcw]: V[]) => {
    const aZero = o.let(isZero(o, a!, aSe!))
    const other = o.let(o.select(aZero, b!, a!))
    const bSign = subtract ? o.xor(bSe!, o.i32(0x8000)) : bSe!
    const se = o.let(o.select(aZero, bSign, aSe!))
    const oneZero = o.or(aZero, isZero(o, b!, bSe!))
    return {
      serves: o.and(o.and(oneZero, isNormalNumber(o, other, se)), isUsual(o, fcw!)),
      results: () => [other, se, o.i32(0)],
    }
  }
}
/** The same of a × b. */
export const multiplyWithZero: Shortcut = <V>(o: Ops<V>, ...[a, aSe, b, bSe]: V[]) => {
  const aZero = o.let(isZero(o, a!, aSe!))
  const other = o.let(o.select(aZero, b!, a!))
  const se = o.let(o.select(aZero, bSe!, aSe!))
  const oneZero = o.or(aZero, isZero(o, b!, bSe!))
  return {
    serves: o.and(oneZero, isNormalNumber(o, other, se)),
    results: () => [o.i64(0n), signBits(o, o.xor(aSe!, bSe!)), o.i32(0)],
  }
}

function isZero<V>(o: Ops<V>, significand: V, se: V): V {
  return o.and(o.eqz(significand), o.eqz(exponentOf(o, se)))
}
function isNormalNumber<V>(o: Ops<V>, significand: V, se: V): V {
  return o.and(o.ltU(o.sub(exponentOf(o, se), o.i32(1)), o.i32(SPECIAL - 1)), o.ltS(significand, o.i64(0n)))
}
