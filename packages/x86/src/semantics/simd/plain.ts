/**
 * When WebAssembly's own floating-point arithmetic does what SSE's would, so that no softfloat routine is called.
 *
 * It does when rounding is to nearest and no flag can come up but precision, which nearly every operation sets, and that is
 * masked and set already: operands and results are normal numbers, neither denormal nor tiny nor infinite nor NaNs (then
 * DAZ, FTZ and the other masks do not matter either). Comparisons, minima and maxima depend on MXCSR only where an operand
 * is a NaN or denormal.
 *
 * Everything here may say no where the answer is yes, never the other way. Measured in a loop of one generated instruction
 * that waits for itself: ADDSD 3.5 ns and not 12.7, ADDPS 3.3 and not 37.
 */
import type { Ops } from '../../ops/ops.ts'
import type { Processor } from '../processor.ts'
import type { Lanes } from './lanes.ts'
import { report } from './mxcsr.ts'

/** Rounding control, the mask of precision and its flag; and what they must be. */
const MODE = 0x7020
const ROUNDING = 0x6000
const PLAIN = 0x1020

/** A result, and i32: it is what the instruction's would be, and there are no flags to set. */
export interface Attempt<V> {
  readonly value: V
  readonly trusted: V
}

/** The attempted result if it is to be trusted, else what the routine says, whose flags are delivered. */
export function orElse<V>(c: Processor<V>, control: V, attempt: Attempt<V>, exactly: () => readonly V[]): V {
  const result = c.variable(attempt.value)
  const slowly = (): void => {
    const [value, flags] = exactly()
    report(c, control, flags)
    c.set(result, value)
  }
  c.if(c.eqz(attempt.trusted), slowly, undefined, false)
  return c.get(result)
}

interface Constants {
  readonly magnitude: bigint
  readonly infinity: bigint
  readonly smallestNormal: bigint
}
const pair = (bits: bigint): bigint => bits | (bits << 32n)
const constants: Readonly<Record<Lanes['float'], Constants>> = {
  f32x4: { magnitude: pair(0x7fff_ffffn), infinity: pair(0x7f80_0000n), smallestNormal: pair(0x0080_0000n) },
  f64x2: {
    magnitude: 0x7fff_ffff_ffff_ffffn,
    infinity: 0x7ff0_0000_0000_0000n,
    smallestNormal: 0x0010_0000_0000_0000n,
  },
}

/** A vector of which every quadword is `bits`. */
const twice = <V>(o: Ops<V>, bits: bigint): V => o.v128(bits, bits)

/** Absolute values. */
function magnitude<V>(o: Ops<V>, { float }: Lanes, x: V): V {
  return o.simd('v128.and', x, twice(o, constants[float].magnitude))
}

/** i32: MXCSR lets results be computed plainly. */
export function isPlainMode<V>(o: Ops<V>, control: V): V {
  return o.eq(o.and(control, o.i32(MODE)), o.i32(PLAIN))
}

/**
 * v128, a mask of lanes: `operands` (values that are used once) and the `result` that came of them are all normal, so that
 * no flag but precision has come up. Operands that are infinite or NaN show in the result.
 */
export function isNormal<V>(o: Ops<V>, lanes: Lanes, operands: readonly V[], result: V): V {
  const { float } = lanes
  const size = o.let(magnitude(o, lanes, result))
  const smallest = operands.reduce((least, x) => o.simd(`${float}.pmin`, magnitude(o, lanes, x), least), size)
  const notTiny = o.simd(`${float}.gt`, smallest, twice(o, constants[float].smallestNormal))
  return o.simd('v128.and', notTiny, o.simd(`${float}.lt`, size, twice(o, constants[float].infinity)))
}

/** Width of a lane's fraction. */
const fractionBits = ({ bits }: Lanes): number => (bits === 64 ? 52 : 23)
/** A constant of a lane's type. */
const laneConst = <V>(o: Ops<V>, { bits }: Lanes, value: bigint): V =>
  bits === 64 ? o.i64(value) : o.i32(Number(BigInt.asIntN(32, value)))

/** i32, negative unless the scalar `x` is a normal number, of the exponent `least` (odd) at the least. */
function notNormal<V>(o: Ops<V>, lanes: Lanes, x: V, least: number): V {
  const shifted = o.shr(x, laneConst(o, lanes, BigInt(fractionBits(lanes))))
  const exponent = lanes.bits === 64 ? o.wrap(shifted) : shifted
  // Exponents of all zeros and of all ones become 0.
  return o.sub(o.and(o.add(exponent, o.i32(1)), o.i32(lanes.bits === 64 ? 0x7fe : 0xfe)), o.i32(least))
}
/**
 * i32: two operands are normal numbers, and the result, in which infinities and NaNs show; it is none that rounding may have
 * brought up to the smallest either.
 */
export function areNormal<V>(o: Ops<V>, lanes: Lanes, operands: readonly V[], result: V): V {
  const all = operands.map((x) => notNormal(o, lanes, x, 1))
  const any = all.reduce((a, b) => o.or(a, b), notNormal(o, lanes, result, 3))
  return o.geS(any, o.i32(0))
}

/**
 * i32: a sum, difference or product of two scalars is exact because their significands are short, as those of integers are,
 * and rounding is to nearest. What {@link isExact} says in more cases: a step of a product of matrices took 13.4 ns with that
 * alone, and 11 with this.
 */
export function areShort<V>(o: Ops<V>, lanes: Lanes, operation: 'add' | 'sub' | 'mul', control: V, a: V, b: V): V {
  const wide = lanes.bits === 64
  // Bits of a significand of which two fit in one, the leading one aside; the quarter of the exponents in the middle.
  const bits = wide ? 26 : 12
  const [first, outside, exponentBits] = wide ? [0x300, 0x600, 11] : [0x60, 0xc0, 8]
  const exponent = (x: V): V => {
    const shifted = o.shr(sizeOf(o, lanes, x), laneConst(o, lanes, BigInt(lanes.bits - exponentBits)))
    return o.let(wide ? o.wrap(shifted) : shifted)
  }
  const [p, q] = [exponent(a), exponent(b)]
  const away = o.or(o.sub(p, o.i32(first)), o.sub(q, o.i32(first)))
  const low = (1n << BigInt(fractionBits(lanes) - bits + 1)) - 1n
  const lowBits = o.and(o.or(a, b), laneConst(o, lanes, low))
  const no = o.or(o.and(away, o.i32(outside)), o.and(control, o.i32(ROUNDING)))
  const short = o.and(o.eqz(lowBits), o.eqz(no))
  if (operation === 'mul') return short
  // One more bit for the carry.
  const apart = fractionBits(lanes) - bits
  return o.and(short, o.leU(o.add(o.sub(p, q), o.i32(apart)), o.i32(2 * apart)))
}

/** Everything but the sign, shifted left by one. */
const sizeOf = <V>(o: Ops<V>, lanes: Lanes, x: V): V => o.shl(x, laneConst(o, lanes, 1n))
/** i32: the scalar `x` is no denormal number. */
function isNotDenormal<V>(o: Ops<V>, lanes: Lanes, x: V): V {
  const below = laneConst(o, lanes, (2n << BigInt(fractionBits(lanes))) - 1n)
  return o.geU(o.sub(sizeOf(o, lanes, x), laneConst(o, lanes, 1n)), below)
}

/** A scalar operation: vectors, and their low lanes. */
export interface Scalar<V> {
  readonly a: V
  readonly b: V
  readonly value: V
  readonly low: { readonly a: V; readonly b: V; readonly value: V }
}

/**
 * i32: the rounded `value` of a sum, difference or product is exact, rounding is to nearest, and all of operands and result are
 * zeros or normal, so that no flag comes up at all. That serves programs that have not rounded anything yet, and zeros.
 */
export function isExact<V>(o: Ops<V>, lanes: Lanes, operation: 'add' | 'sub' | 'mul', control: V, x: Scalar<V>): V {
  const { float, shape, bits } = lanes
  const { a, b, value } = x.low
  const nearest = o.eqz(o.and(control, o.i32(ROUNDING)))
  const suitable = [a, b].map((operand) => isNotDenormal(o, lanes, operand)).reduce((p, q) => o.and(p, q), nearest)
  if (operation === 'mul') {
    // The significands' bits fit together: zeros below them are as many as there are bits.
    const zeros = o.add(o.ctz(a), o.ctz(b))
    const fits = o.geU(bits === 64 ? o.wrap(zeros) : zeros, o.i32(fractionBits(lanes) + 1))
    const isZero = (operand: V): V => o.eqz(sizeOf(o, lanes, operand))
    const vanishes = o.and(isZero(value), o.or(isZero(a), isZero(b)))
    const inRange = o.or(o.geS(notNormal(o, lanes, value, 3), o.i32(0)), vanishes)
    return o.and(o.and(suitable, fits), inRange)
  }
  // What rounding lost (D. Knuth, TAOCP vol. 2, 4.2.2, theorem B); NaN where the result is infinite or one.
  const second = o.let(
    operation === 'add' ? o.simd(`${float}.sub`, x.value, x.a) : o.simd(`${float}.sub`, x.a, x.value),
  )
  const first = o.simd(operation === 'add' ? `${float}.sub` : `${float}.add`, x.value, second)
  const lostOfA = o.simd(`${float}.sub`, x.a, first)
  const lostOfB = operation === 'add' ? o.simd(`${float}.sub`, x.b, second) : o.simd(`${float}.sub`, second, x.b)
  const lost = o.extractLane(shape, o.simd(`${float}.add`, lostOfA, lostOfB), 0)
  return o.and(o.and(suitable, isNotDenormal(o, lanes, value)), o.eqz(sizeOf(o, lanes, lost)))
}

/** v128, a mask of lanes: `x` (used more than once) is denormal or a NaN. */
export function isSpecial<V>(o: Ops<V>, lanes: Lanes, x: V): V {
  const { float } = lanes
  const zero = o.simd(`${float}.eq`, x, o.v128(0n, 0n))
  const small = o.simd(`${float}.lt`, magnitude(o, lanes, x), twice(o, constants[float].smallestNormal))
  return o.simd('v128.or', o.simd('v128.xor', small, zero), o.simd(`${float}.ne`, x, x))
}

/** v128, a mask of lanes: the magnitude is below `limit`, given as the bits of a quadword. */
export function isBelow<V>(o: Ops<V>, lanes: Lanes, x: V, limit: bigint): V {
  return o.simd(`${lanes.float}.lt`, magnitude(o, lanes, x), twice(o, limit))
}

/** How many of the low lanes count: all, the low quadword, or one. */
export type Extent = 'all' | 'half' | 'low'

/** i32: a mask is set in all lanes that count. */
export function holds<V>(o: Ops<V>, { shape, bits }: Lanes, mask: V, extent: Extent): V {
  if (extent === 'all') return o.simd(`${shape}.all_true`, mask)
  if (extent === 'half' || bits === 64) return o.eq(o.extractLane('i64x2', mask, 0), o.i64(-1n))
  return o.ne(o.extractLane('i32x4', mask, 0), o.i32(0))
}

/** i32: a mask is set in none of the lanes that count. */
export function holdsNowhere<V>(o: Ops<V>, { bits }: Lanes, mask: V, extent: Extent): V {
  if (extent === 'all') return o.eqz(o.simd('v128.any_true', mask))
  if (extent === 'half' || bits === 64) return o.eqz(o.extractLane('i64x2', mask, 0))
  return o.eqz(o.extractLane('i32x4', mask, 0))
}
