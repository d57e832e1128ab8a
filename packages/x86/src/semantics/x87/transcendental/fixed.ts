/**
 * Fixed-point arithmetic for the transcendental functions: a bigint stands for itself × 2^−{@link BITS}.
 * The constants are computed here, from series of rational numbers; no host function takes part.
 */

/** 64 bits of significand, as many again to round them rightly, and room for the errors of some dozen operations. */
export const BITS = 160
const SHIFT = BigInt(BITS)
export const ONE: bigint = 1n << SHIFT

/** Product of two fixed-point numbers, rounded down. */
export const multiply = (a: bigint, b: bigint): bigint => (a * b) >> SHIFT
/** Quotient of two fixed-point numbers (or of two integers, as a fixed-point number). */
export const divide = (a: bigint, b: bigint): bigint => (a << SHIFT) / b

/** Evaluate c₀ + c₁x + c₂x² + …, all fixed-point. */
export function polynomial(coefficients: readonly bigint[], x: bigint): bigint {
  let sum = 0n
  for (let i = coefficients.length - 1; i >= 0; i--) sum = coefficients[i]! + multiply(sum, x)
  return sum
}

/** Coefficients of a power series until they no longer count for arguments below 2^−`bits`. */
function series(bits: number, coefficient: (n: number) => bigint): readonly bigint[] {
  const list: bigint[] = []
  for (let n = 0; n * bits <= BITS; n++) {
    const c = coefficient(n)
    if (c === 0n) break
    list.push(c)
  }
  return list
}

const factorial = (n: number): bigint => (n < 2 ? 1n : BigInt(n) * factorial(n - 1))
const alternating = (n: number, value: bigint): bigint => (n % 2 ? -value : value)

/** sin(r) ÷ r over r². */
export const SINE: readonly bigint[] = series(0, (n) => alternating(n, ONE / factorial(2 * n + 1)))
/** cos(r) over r². */
export const COSINE: readonly bigint[] = series(0, (n) => alternating(n, ONE / factorial(2 * n)))
const exponential = (n: number): bigint => ONE / factorial(n + 1)
/** (eʸ − 1) ÷ y over y, for |y| ≤ 2^−6. */
export const EXPONENTIAL: readonly bigint[] = series(6, exponential)
/** atan(u) ÷ u over u², for |u| ≤ 2^−5. */
export const ARCTANGENT: readonly bigint[] = series(10, (n) => alternating(n, ONE / BigInt(2 * n + 1)))
/** artanh(u) ÷ u over u², for |u| ≤ 2^−5. */
export const AREA_TANGENT: readonly bigint[] = series(10, (n) => ONE / BigInt(2 * n + 1))

/** Σ ±1 ÷ ((2n + 1)·d^(2n+1)): artanh(1 ÷ d), or atan(1 ÷ d) with alternating signs. */
function reciprocalSeries(d: bigint, alternates: boolean): bigint {
  let power = ONE / d
  let sum = 0n
  for (let n = 0; power !== 0n; n++) {
    sum += alternates ? alternating(n, power / BigInt(2 * n + 1)) : power / BigInt(2 * n + 1)
    power /= d * d
  }
  return sum
}

/** π = 16·atan(1 ÷ 5) − 4·atan(1 ÷ 239). */
export const PI: bigint = 16n * reciprocalSeries(5n, true) - 4n * reciprocalSeries(239n, true)
/** ln 2 = 2·artanh(1 ÷ 3). */
export const LN2: bigint = 2n * reciprocalSeries(3n, false)

/** Steps per unit of the tables below. */
export const STEPS = 32

/** A table over a range of integers, made at its first use. */
function table(from: number, to: number, fill: (entries: Map<number, bigint>) => void): (i: number) => bigint {
  const entries = new Map<number, bigint>()
  return (i) => {
    if (entries.size === 0) fill(entries)
    const entry = entries.get(i)
    if (entry === undefined) throw new RangeError(`${i} is outside the table of ${from} to ${to}`)
    return entry
  }
}
const oddSeries = (coefficients: readonly bigint[], u: bigint): bigint =>
  multiply(u, polynomial(coefficients, multiply(u, u)))

/** atan(i ÷ 32), 0 ≤ i ≤ 32. */
export const arctangent: (i: number) => bigint = table(0, STEPS, (entries) => {
  let sum = 0n
  entries.set(0, sum)
  for (let i = 1; i <= STEPS; i++) {
    // The addition theorem: one step further.
    sum += oddSeries(ARCTANGENT, divide(BigInt(STEPS), BigInt(STEPS * STEPS + i * (i - 1))))
    entries.set(i, sum)
  }
})
const LOWEST = 22
const HIGHEST = 46
/** ln(i ÷ 32), 22 ≤ i ≤ 46: √½ to √2 and a little more. */
export const logarithm: (i: number) => bigint = table(LOWEST, HIGHEST, (entries) => {
  entries.set(STEPS, 0n)
  for (let i = STEPS + 1; i <= HIGHEST; i++) {
    entries.set(i, entries.get(i - 1)! + 2n * oddSeries(AREA_TANGENT, ONE / BigInt(2 * i - 1)))
  }
  for (let i = STEPS - 1; i >= LOWEST; i--) {
    entries.set(i, entries.get(i + 1)! - 2n * oddSeries(AREA_TANGENT, ONE / BigInt(2 * i + 1)))
  }
})
/** 2^(i ÷ 32), −32 ≤ i ≤ 32. */
export const power: (i: number) => bigint = table(-STEPS, STEPS, (entries) => {
  const whole = series(0, exponential)
  for (let i = -STEPS; i <= STEPS; i++) {
    const y = (LN2 * BigInt(i)) / BigInt(STEPS)
    entries.set(i, ONE + multiply(y, polynomial(whole, y)))
  }
})
