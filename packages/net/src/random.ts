/**
 * Numbers that look random and follow from a seed: initial sequence numbers, ephemeral ports, identifications, what an
 * impaired link does. Nothing here is fit for keys: who knows the seed knows every number.
 */

/** Spreads the bits of a word over all of it. */
function spread(word: number): number {
  word = Math.imul(word ^ (word >>> 16), 0x7feb352d)
  word = Math.imul(word ^ (word >>> 15), 0x846ca68b)
  return (word ^ (word >>> 16)) >>> 0
}

/** A word that follows from some words; a small change in one of them changes half of its bits. */
export function mix(...words: readonly number[]): number {
  let sum = 0x9e3779b9
  for (const word of words) sum = spread(sum ^ (word >>> 0)) + 0x9e3779b9
  return spread(sum)
}

/** A sequence of words from a seed (Marsaglia's xorshift with four words of state). */
export class Random {
  #a: number
  #b: number
  #c: number
  #d: number

  constructor(seed: number) {
    this.#a = mix(seed, 1)
    this.#b = mix(seed, 2)
    this.#c = mix(seed, 3)
    this.#d = mix(seed, 4) | 1
  }

  /** The next word, from 0 to 2^32 − 1. */
  next(): number {
    let word = this.#d
    word ^= word << 11
    word ^= word >>> 8
    const a = this.#a
    this.#d = this.#c
    this.#c = this.#b
    this.#b = a
    this.#a = (word ^ a ^ (a >>> 19)) >>> 0
    return this.#a
  }

  /** A whole number from 0 to `limit` − 1. */
  below(limit: number): number {
    return Math.floor((this.next() / 0x1_0000_0000) * limit)
  }

  /** True in this part of all cases. */
  chance(probability: number): boolean {
    return probability > 0 && this.next() < probability * 0x1_0000_0000
  }
}
