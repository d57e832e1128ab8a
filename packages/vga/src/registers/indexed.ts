/** Registers behind an index register and a data port, as most of a VGA's are. */

/** A file of registers. Bits that a register does not have read as zeros, as do registers that are not there. */
export class IndexedRegisters {
  /** The register that the data port reaches. */
  index = 0
  readonly values: Uint8Array<ArrayBuffer>
  readonly #bits: readonly number[]

  /** For each register the bits it has. */
  constructor(bits: readonly number[]) {
    this.#bits = bits
    this.values = new Uint8Array(bits.length)
  }

  /** The register that is selected. */
  read(): number {
    return this.values[this.index] ?? 0
  }

  /** Writes the register that is selected. */
  write(value: number): void {
    this.set(this.index, value)
  }

  set(index: number, value: number): void {
    if (index < this.values.length) this.values[index] = value & this.#bits[index]!
  }

  reset(): void {
    this.index = 0
    this.values.fill(0)
  }

  save(): IndexedState {
    return { index: this.index, values: this.values.slice() }
  }

  restore({ index, values }: IndexedState): void {
    this.index = index
    for (const i of this.values.keys()) this.set(i, values[i] ?? 0)
  }
}

/** A saved file of registers. */
export type IndexedState = { readonly index: number; readonly values: Uint8Array }
