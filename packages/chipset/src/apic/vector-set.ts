/** A set of the vectors 0–255, as the 256-bit registers of a local APIC are. */
export class VectorSet {
  readonly #words = new Uint32Array(8)

  /** The greatest vector in it, or −1. */
  get highest(): number {
    for (let i = 7; i >= 0; i--) if (this.#words[i] !== 0) return 32 * i + 31 - Math.clz32(this.#words[i]!)
    return -1
  }

  has(vector: number): boolean {
    return (this.#words[vector >> 5]! & (1 << (vector & 31))) !== 0
  }

  put(vector: number, present: boolean): void {
    if (present) this.#words[vector >> 5]! |= 1 << (vector & 31)
    else this.#words[vector >> 5]! &= ~(1 << (vector & 31))
  }

  /** 32 vectors as a register shows them. */
  word(index: number): number {
    return this.#words[index]!
  }

  clear(): void {
    this.#words.fill(0)
  }

  save(): readonly number[] {
    return [...this.#words]
  }

  restore(words: readonly number[]): void {
    this.#words.set(words)
  }
}
