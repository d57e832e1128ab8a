/** The kernel's random numbers: from a seed, so that a run can be repeated. Not for secrets of the host (sfc32, PractRand's). */

/** A generator of 32-bit numbers. */
export class Random {
  #a: number
  #b: number
  #c = 0x9e37_79b9
  #counter = 1

  constructor(seed: number) {
    this.#a = seed | 0
    this.#b = Math.floor(seed / 2 ** 32) | 0
    for (let n = 0; n < 12; n++) this.next()
  }

  /** Unsigned. */
  next(): number {
    const sum = (this.#a + this.#b + this.#counter++) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return sum >>> 0
  }

  fill(into: Uint8Array, start = 0, length: number = into.length - start): void {
    let word = 0
    for (let n = 0; n < length; n++) {
      if (n % 4 === 0) word = this.next()
      into[start + n] = word
      word >>>= 8
    }
  }
}
