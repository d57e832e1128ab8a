/** A ring of bytes that grows as it is used: what waits to be sent, and what waits to be read. */
import type { Account } from '../account.ts'

const smallest = 4096
/** An empty ring keeps no more: many connections are idle. */
const keptWhenEmpty = 65536

/** Bytes in order, with room behind them for bytes that come early. */
export class ByteRing {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0)
  #head = 0
  #length = 0
  readonly #account: Account | undefined

  /** `account` pays for its memory. */
  constructor(account?: Account) {
    this.#account = account
  }

  /** Bytes that are in order. */
  get length(): number {
    return this.#length
  }

  /** Bytes it takes without more memory; where it has none yet, what it would ask for first. */
  get room(): number {
    return this.#bytes.length === 0 ? smallest : this.#bytes.length - this.#length
  }

  /** Bytes of memory it takes. */
  get capacity(): number {
    return this.#bytes.length
  }

  /**
   * Puts `source[start…end)` so many bytes behind the first one; it may be behind what is in order. False where nobody
   * pays for the memory.
   */
  put(offset: number, source: Uint8Array, start: number, end: number): boolean {
    const size = end - start
    if (offset + size > this.#bytes.length && !this.#grow(offset + size)) return false
    const at = (this.#head + offset) & (this.#bytes.length - 1)
    const first = Math.min(size, this.#bytes.length - at)
    copy(source, start, this.#bytes, at, first)
    if (first < size) copy(source, start + first, this.#bytes, 0, size - first)
    return true
  }

  /** So many more bytes are in order; they have been put. */
  extend(size: number): void {
    this.#length += size
  }

  /** Copies `size` bytes from so many bytes behind the first one. */
  peek(offset: number, into: Uint8Array, at: number, size: number): void {
    const from = (this.#head + offset) & (this.#bytes.length - 1)
    const first = Math.min(size, this.#bytes.length - from)
    copy(this.#bytes, from, into, at, first)
    if (first < size) copy(this.#bytes, 0, into, at + first, size - first)
  }

  /** Drops the first bytes. */
  drop(size: number): void {
    this.#head = (this.#head + size) & (this.#bytes.length - 1)
    this.#length -= size
  }

  /** Gives back the memory of a ring that has grown large and is empty. */
  shrink(): void {
    if (this.#bytes.length > keptWhenEmpty) this.clear()
  }

  /** Drops everything, and the memory. */
  clear(): void {
    this.#account?.release(this.#bytes.length)
    this.#bytes = new Uint8Array(0)
    this.#head = 0
    this.#length = 0
  }

  #grow(needed: number): boolean {
    let size = Math.max(smallest, this.#bytes.length)
    while (size < needed) size *= 2
    if (this.#account?.charge(size - this.#bytes.length) === false) return false
    const bytes = new Uint8Array(size)
    const first = Math.min(this.#bytes.length, this.#bytes.length - this.#head)
    bytes.set(this.#bytes.subarray(this.#head, this.#head + first))
    bytes.set(this.#bytes.subarray(0, this.#head), first)
    this.#bytes = bytes
    this.#head = 0
    return true
  }
}

function copy(from: Uint8Array, start: number, into: Uint8Array, at: number, size: number): void {
  if (size > 32) into.set(from.subarray(start, start + size), at)
  else for (let index = 0; index < size; index++) into[at + index] = from[start + index]
}
