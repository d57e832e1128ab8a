/** Bytes that come in pieces, one behind the other, and are taken from the front. */
import type { Account } from '../account.ts'

const first = 4096

/** A buffer that doubles. What it takes is charged, if somebody pays. */
export class GrowingBytes implements Disposable {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0)
  #from = 0
  #to = 0
  readonly #account: Account | undefined

  constructor(account?: Account) {
    this.#account = account
  }

  get length(): number {
    return this.#to - this.#from
  }

  /** What is there; it stands until something is added. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(this.#from, this.#to)
  }

  /** Adds at the end. False where nobody pays for it. */
  add(bytes: Uint8Array): boolean {
    if (this.#to + bytes.length > this.#bytes.length && !this.#makeRoom(bytes.length)) return false
    this.#bytes.set(bytes, this.#to)
    this.#to += bytes.length
    return true
  }

  /** Drops from the front. */
  drop(size: number): void {
    this.#from += size
    if (this.#from === this.#to) this.#from = this.#to = 0
  }

  [Symbol.dispose](): void {
    this.#account?.release(this.#bytes.length)
    this.#bytes = new Uint8Array(0)
    this.#from = this.#to = 0
  }

  #makeRoom(size: number): boolean {
    const wanted = this.length + size
    let capacity = Math.max(first, this.#bytes.length)
    while (capacity < wanted) capacity *= 2
    const kept = this.bytes
    if (capacity > this.#bytes.length) {
      if (this.#account?.charge(capacity - this.#bytes.length) === false) return false
      this.#bytes = new Uint8Array(capacity)
      this.#bytes.set(kept)
    } else this.#bytes.copyWithin(0, this.#from, this.#to)
    this.#to = kept.length
    this.#from = 0
    return true
  }
}
