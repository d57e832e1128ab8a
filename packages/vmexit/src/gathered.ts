/** Bytes that are gathered, of which the latest are kept. */

/** Keeps at least the last `limit` bytes, and at most twice as many. */
export class Gathered {
  readonly #limit: number
  #bytes: Uint8Array
  #length = 0

  constructor(limit: number) {
    this.#limit = limit
    this.#bytes = new Uint8Array(Math.min(4096, 2 * limit))
  }

  /** Adds bytes at the end. */
  add(bytes: Uint8Array): void {
    for (const byte of bytes) {
      if (this.#length === 2 * this.#limit) {
        this.#bytes.copyWithin(0, this.#limit)
        this.#length = this.#limit
      } else if (this.#length === this.#bytes.length) {
        const larger = new Uint8Array(Math.min(2 * this.#length, 2 * this.#limit))
        larger.set(this.#bytes)
        this.#bytes = larger
      }
      this.#bytes[this.#length++] = byte
    }
  }

  /** A copy of what is kept. */
  get bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  /** A copy of what is kept, which is then forgotten. */
  take(): Uint8Array {
    const { bytes } = this
    this.#length = 0
    return bytes
  }

  get length(): number {
    return this.#length
  }
}
