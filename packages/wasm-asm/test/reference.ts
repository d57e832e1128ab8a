/** Arithmetic that JavaScript lacks, for what instructions are to give. */

export function roundHalfEven(x: number): number {
  if (!Number.isFinite(x) || Math.abs(x) >= 2 ** 52) return x
  const magnitude = Math.abs(x)
  const below = Math.floor(magnitude)
  const rest = magnitude - below
  const rounded = rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below
  return x < 0 || Object.is(x, -0) ? -rounded : rounded
}

export function clamp(x: number, least: number, greatest: number): number {
  return Math.min(Math.max(x, least), greatest)
}

/** Truncation that saturates; NaN gives 0. */
export function truncSat(x: number, least: bigint, greatest: bigint): bigint {
  if (Number.isNaN(x)) return 0n
  if (x === Number.POSITIVE_INFINITY) return greatest
  if (x === Number.NEGATIVE_INFINITY) return least
  const whole = BigInt(Math.trunc(x))
  return whole < least ? least : whole > greatest ? greatest : whole
}

/** To single precision in one rounding: by way of a double, an integer of 64 bits would be rounded twice. */
export function bigintToF32(x: bigint): number {
  const magnitude = x < 0n ? -x : x
  const excess = BigInt(Math.max(magnitude.toString(2).length - 24, 0))
  const unit = 1n << excess
  const below = magnitude / unit
  const twice = (magnitude % unit) * 2n
  const rounded = twice > unit || (twice === unit && below % 2n === 1n) ? below + 1n : below
  return Number(x < 0n ? -rounded * unit : rounded * unit)
}

export function popcount(x: bigint): number {
  return x.toString(2).replaceAll('0', '').length
}

/** Equal operands every run: a linear congruential generator's upper byte. */
export function pseudoRandomBytes(count: number): Uint8Array {
  let state = 12345
  return Uint8Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state >>> 24
  })
}
