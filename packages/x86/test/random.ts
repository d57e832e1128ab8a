/** Random numbers of tests: Mulberry32. Recorded host vectors depend on every line here. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed | 0
  }
  /** 32 bits, unsigned. */
  next(): number {
    this.#state = (this.#state + 0x6d2b_79f5) | 0
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return (t ^ (t >>> 14)) >>> 0
  }
  /** 0 … limit − 1. */
  below(limit: number): number {
    return this.next() % limit
  }
  /** True once in `n` times. */
  one(n: number): boolean {
    return this.next() % n === 0
  }
  pick<T>(list: readonly T[]): T {
    return list[this.next() % list.length]!
  }
}
