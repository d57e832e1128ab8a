/**
 * RCPPS, RCPSS, RSQRTPS, RSQRTSS (SDM vol. 1, 10.4.1.1; vol. 2). The manual asks for a relative error of at most
 * 1.5 × 2^−12 and leaves the value to the processor: here it is the exact result rounded to 12 significant bits.
 * Rounding control does not matter, denormal operands count as zeros, tiny results are zeros, and no flag is set.
 */
import type { Ops, Routine } from '../../ops/ops.ts'
import type { Semantics, SemanticsTable } from '../processor.ts'
import { enter, readLow, readVector, setXmm, setXmmLow } from './registers.ts'

const splat = (bits: number) => BigInt(bits) | (BigInt(bits) << 32n)
const constant = <V>(o: Ops<V>, bits: number): V => o.v128(splat(bits), splat(bits))

const SIGN = 0x8000_0000
const MAGNITUDE = 0x7fff_ffff
const INFINITY = 0x7f80_0000
const ONE = 0x3f80_0000
const QUIET = 0x0040_0000
const DEFAULT_NAN = 0xffc0_0000
const SMALLEST_NORMAL = 0x0080_0000
/** Half of the last of the 11 fraction bits that are kept, and those bits with all above them. */
const ROUNDING = 0x800
const KEPT = 0xffff_f000

/** Lanes of v128 `mask` from `a`, the others from `b`. */
const choose = <V>(o: Ops<V>, mask: V, a: V, b: V): V => o.simd('v128.bitselect', a, b, mask)

interface Operand<V> {
  readonly value: V
  readonly sign: V
  readonly magnitude: V
  /** Lanes of zeros and denormals. */
  readonly zero: V
}

function operand<V>(o: Ops<V>, value: V): Operand<V> {
  const magnitude = o.let(o.simd('v128.and', value, constant(o, MAGNITUDE)))
  return {
    value,
    sign: o.let(o.simd('v128.and', value, constant(o, SIGN))),
    magnitude,
    zero: o.let(o.simd('i32x4.lt_s', magnitude, constant(o, SMALLEST_NORMAL))),
  }
}

/** What both functions do with NaNs and zeros, and the rounding of the others. `exact` is positive where it counts. */
function finish<V>(o: Ops<V>, { value, sign, magnitude, zero }: Operand<V>, exact: V): V {
  const rounded = o.let(o.simd('v128.and', o.simd('i32x4.add', exact, constant(o, ROUNDING)), constant(o, KEPT)))
  const tiny = o.simd('i32x4.lt_s', rounded, constant(o, SMALLEST_NORMAL))
  const flushed = o.simd('v128.andnot', rounded, tiny)
  const number = o.simd('v128.or', choose(o, zero, constant(o, INFINITY), flushed), sign)
  const nan = o.simd('i32x4.gt_s', magnitude, constant(o, INFINITY))
  return choose(o, nan, o.simd('v128.or', value, constant(o, QUIET)), number)
}

/** (v128) → v128. */
const reciprocals: Routine = {
  name: 'reciprocals',
  params: ['v128'],
  results: ['v128'],
  body: (o, value) => {
    const x = operand(o, value)
    return [finish(o, x, o.simd('f32x4.div', constant(o, ONE), x.magnitude))]
  },
}

/** (v128) → v128. */
const reciprocalRoots: Routine = {
  name: 'reciprocalRoots',
  params: ['v128'],
  results: ['v128'],
  body: (o, value) => {
    const x = operand(o, value)
    const result = o.let(finish(o, x, o.simd('f32x4.div', constant(o, ONE), o.simd('f32x4.sqrt', x.magnitude))))
    // Below zero there is no root; what is a NaN already stays.
    const negative = o.simd('i32x4.lt_s', x.value, o.v128(0n, 0n))
    const number = o.simd('i32x4.le_s', x.magnitude, constant(o, INFINITY))
    const undefined_ = o.simd('v128.and', o.simd('v128.andnot', negative, x.zero), number)
    return [choose(o, undefined_, constant(o, DEFAULT_NAN), result)]
  },
}

function packed(routine: Routine): Semantics {
  return (c, insn) => {
    enter(c, insn)
    const [result] = c.call(routine, readVector(c, insn, 1))
    setXmm(c, insn.operands[0].reg, result)
  }
}

function scalar(routine: Routine): Semantics {
  return (c, insn) => {
    enter(c, insn)
    const [result] = c.call(routine, c.splat('i32x4', readLow(c, insn, 1, 32)))
    setXmmLow(c, insn.operands[0].reg, 32, c.extractLane('i32x4', result, 0))
  }
}

/** Approximations. */
export const approximations: SemanticsTable = {
  rcpps: packed(reciprocals),
  rcpss: scalar(reciprocals),
  rsqrtps: packed(reciprocalRoots),
  rsqrtss: scalar(reciprocalRoots),
}
