/**
 * The growable block of bytes beneath everything: a `WebAssembly.Memory`, or an `ArrayBuffer` that behaves like one on
 * a host without WebAssembly.
 */

/** Bytes in one WebAssembly page, the step in which such a block grows. */
export const WASM_PAGE_BYTES = 65536

/**
 * The part of `WebAssembly.Memory` this package relies on. Growing detaches the old `buffer`: views on it have length 0.
 */
export interface LinearMemory {
  readonly buffer: ArrayBuffer
  /** Adds `pages` of 64 KiB and returns the former size in pages. Throws a `RangeError` where it cannot. */
  grow(pages: number): number
}

interface LinearMemoryConstructor {
  new (descriptor: { initial: number; maximum: number }): LinearMemory
}

/** `WebAssembly.Memory` of this host, or undefined where it has none. */
export function webAssemblyMemory(): LinearMemoryConstructor | undefined {
  return (globalThis as { WebAssembly?: { Memory?: LinearMemoryConstructor } }).WebAssembly?.Memory
}

/** A `LinearMemory` of plain JavaScript. Growing copies. */
export class ArrayBufferMemory implements LinearMemory {
  #buffer: ArrayBuffer
  readonly #maximumPages: number

  constructor(descriptor: { initial: number; maximum: number }) {
    this.#buffer = new ArrayBuffer(descriptor.initial * WASM_PAGE_BYTES)
    this.#maximumPages = descriptor.maximum
  }

  get buffer(): ArrayBuffer {
    return this.#buffer
  }

  grow(pages: number): number {
    const before = this.#buffer.byteLength / WASM_PAGE_BYTES
    if (before + pages > this.#maximumPages) throw new RangeError(`cannot grow beyond ${this.#maximumPages} pages`)
    const grown = new ArrayBuffer((before + pages) * WASM_PAGE_BYTES)
    new Uint8Array(grown).set(new Uint8Array(this.#buffer))
    this.#buffer = grown
    return before
  }
}
