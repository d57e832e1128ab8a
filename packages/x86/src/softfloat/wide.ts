/** Integer arithmetic beyond 64 bits: product, quotient, square root, shifts that remember what they lose. */
import type { Ops } from '../ops/ops.ts'

const LOW = 0xffff_ffffn

/** i64 1 or 0 for `value` ≠ 0. */
export function sticky<V>(o: Ops<V>, value: V): V {
  return o.extendU(o.ne(value, o.i64(0n)))
}

/** Logical right shift of an i64 by an i64 count below 64; bit 0 becomes 1 when a one is lost. */
export function shiftRightSticky<V>(o: Ops<V>, value: V, count: V): V {
  const shifted = o.let(o.shr(value, count))
  return o.or(shifted, o.extendU(o.ne(o.shl(shifted, count), value)))
}

/** 64 × 64 → 128 bits, unsigned. */
export function multiplyWide<V>(o: Ops<V>, a: V, b: V): { high: V; low: V } {
  const half = o.i64(32n)
  const mask = o.i64(LOW)
  const a0 = o.let(o.and(a, mask))
  const a1 = o.let(o.shr(a, half))
  const b0 = o.let(o.and(b, mask))
  const b1 = o.let(o.shr(b, half))
  const p00 = o.let(o.mul(a0, b0))
  const p10 = o.let(o.add(o.mul(a1, b0), o.shr(p00, half)))
  const p01 = o.let(o.add(o.mul(a0, b1), o.and(p10, mask)))
  const high = o.let(o.add(o.add(o.mul(a1, b1), o.shr(p10, half)), o.shr(p01, half)))
  const low = o.let(o.or(o.shl(p01, half), o.and(p00, mask)))
  return { high, low }
}

/**
 * (high·2^64 + low) ÷ divisor, unsigned; bit 63 of `divisor` is set and `high` < `divisor`.
 * Schoolbook division by digits of 32 bits: an estimated digit is at most two too large.
 */
export function divideWide<V>(o: Ops<V>, high: V, low: V, divisor: V): { quotient: V; remainder: V } {
  const half = o.i64(32n)
  const mask = o.i64(LOW)
  const d1 = o.let(o.shr(divisor, half))
  const d0 = o.let(o.and(divisor, mask))
  const digit = (rest: V, next: V): { q: V; rest: V } => {
    const estimate = o.let(o.divU(rest, d1))
    const q = o.variable(estimate)
    const part = o.let(o.or(o.shl(o.sub(rest, o.mul(estimate, d1)), half), next))
    const excess = o.let(o.mul(estimate, d0))
    const left = o.variable(o.sub(part, excess))
    o.if(o.gtU(excess, part), () => {
      const over = o.gtU(o.sub(excess, part), divisor)
      const times = o.let(o.add(o.extendU(over), o.i64(1n)))
      o.set(q, o.sub(o.get(q), times))
      o.set(left, o.add(o.get(left), o.mul(divisor, times)))
    })
    return { q: o.let(o.get(q)), rest: o.let(o.get(left)) }
  }
  const first = digit(high, o.shr(low, half))
  const second = digit(first.rest, o.and(low, mask))
  return { quotient: o.let(o.or(o.shl(first.q, half), second.q)), remainder: second.rest }
}

/** Root (32 bits) and remainder (33 bits) of a `radicand` that has bit 63 or 62 set. */
function squareRoot64<V>(o: Ops<V>, radicand: V): { root: V; remainder: V } {
  const one = o.i64(1n)
  // A 16-bit root of the upper half: a line through the range, off by 4 % at most, then two Newton steps.
  const upper = o.let(o.shr(radicand, o.i64(32n)))
  const guess = o.let(o.add(o.divU(upper, o.i64(0x18000n)), o.i64(0x5aaan)))
  const better = o.let(o.shr(o.add(guess, o.divU(upper, guess)), one))
  const r1 = o.variable(o.shr(o.add(better, o.divU(upper, better)), one))
  o.if(o.gtU(o.mul(o.get(r1), o.get(r1)), upper), () => o.set(r1, o.sub(o.get(r1), one)))
  const high = o.let(o.get(r1))
  // One more digit of 16 bits by division: (r·2^16 + q)² = radicand − remainder.
  const top = o.let(
    o.or(o.shl(o.sub(upper, o.mul(high, high)), o.i64(16n)), o.and(o.shr(radicand, o.i64(16n)), o.i64(0xffffn))),
  )
  const twice = o.let(o.shl(high, one))
  const digit = o.let(o.divU(top, twice))
  const rest = o.or(o.shl(o.sub(top, o.mul(digit, twice)), o.i64(16n)), o.and(radicand, o.i64(0xffffn)))
  const root = o.variable(o.add(o.shl(high, o.i64(16n)), digit))
  const remainder = o.variable(o.sub(rest, o.mul(digit, digit)))
  o.if(o.ltS(o.get(remainder), o.i64(0n)), () => {
    o.set(remainder, o.add(o.get(remainder), o.sub(o.shl(o.get(root), one), one)))
    o.set(root, o.sub(o.get(root), one))
  })
  return { root: o.let(o.get(root)), remainder: o.let(o.get(remainder)) }
}

/**
 * Square root of high·2^64 + low, where `high` has bit 63 or 62 set: the integer root (bit 63 is set), and what lies below it
 * as 64 bits of which the first says half or more and any of the others says more (the root is never exactly halfway).
 */
export function squareRootWide<V>(o: Ops<V>, high: V, low: V): { root: V; below: V } {
  const half = o.i64(32n)
  const one = o.i64(1n)
  const first = squareRoot64(o, high)
  // The numerator (first.remainder·2^32 + upper half of low) can take 65 bits: both it and the divisor are halved.
  const numerator = o.let(o.or(o.shl(first.remainder, o.i64(31n)), o.shr(low, o.i64(33n))))
  const digit = o.let(o.divU(numerator, first.root))
  const odd = o.and(o.shr(low, half), one)
  const rest = o.let(o.or(o.shl(o.sub(numerator, o.mul(digit, first.root)), one), odd))
  // rest·2^32 + lower half of low − digit², in two words; digit² is 2^64 when digit is 2^32.
  const restLow = o.let(o.or(o.shl(rest, half), o.and(low, o.i64(LOW))))
  const square = o.let(o.mul(digit, digit))
  const over = o.add(o.shr(digit, half), o.extendU(o.ltU(restLow, square)))
  const remainderHigh = o.variable(o.sub(o.shr(rest, half), over))
  const remainder = o.variable(o.sub(restLow, square))
  const root = o.variable(o.add(o.shl(first.root, half), digit))
  o.if(o.ltS(o.get(remainderHigh), o.i64(0n)), () => {
    // Back by one: the remainder grows by 2·root − 1, which makes it non-negative and so clears the upper word, or leaves 1.
    const less = o.let(o.sub(o.get(root), one))
    o.set(root, less)
    const gain = o.let(o.or(o.shl(less, one), one))
    const sum = o.let(o.add(o.get(remainder), gain))
    o.set(remainderHigh, o.add(o.add(o.get(remainderHigh), o.shr(less, o.i64(63n))), o.extendU(o.ltU(sum, gain))))
    o.set(remainder, sum)
  })
  const more = o.or(o.ne(o.get(remainderHigh), o.i64(0n)), o.gtU(o.get(remainder), o.get(root)))
  const exact = o.and(o.eqz(o.get(remainderHigh)), o.eqz(o.get(remainder)))
  const below = o.let(o.or(o.shl(o.extendU(more), o.i64(63n)), o.extendU(o.eqz(exact))))
  return { root: o.let(o.get(root)), below }
}
