/** Numbers for hostile guests: the same ones for the same seed, everywhere. */

/** A generator of pseudo-random whole numbers (xorshift32). */
export class Random {
  #state: number

  /** `seed` is a whole number other than 0. */
  constructor(seed: number) {
    this.#state = seed >>> 0 || 1
  }

  /** 0 to `limit − 1`. */
  below(limit: number): number {
    let x = this.#state
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    this.#state = x >>> 0
    return this.#state % limit
  }

  /** One of several. */
  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!
  }

  /** What guests write: all ones, nothing, one bit, or anything. */
  value(bytes: number): number {
    const limit = 2 ** (8 * bytes)
    switch (this.below(4)) {
      case 0:
        return this.pick([0, limit - 1])
      case 1:
        return 2 ** this.below(8 * bytes)
      default:
        return (this.below(0x1_0000) * 0x1_0000 + this.below(0x1_0000)) % limit
    }
  }
}
