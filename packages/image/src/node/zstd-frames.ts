/// <reference types="node" />
/**
 * Node's zstd ends with a frame, wherever in its input that is, where a file may have several (RFC 8878, 3): what is left over goes to a
 * decompressor of its own.
 */
import * as zlib from 'node:zlib'
import type { Bytes } from '../codecs.ts'
import { through } from './through.ts'

/** Decompresses all frames. */
export async function* unzstd(source: Bytes): AsyncGenerator<Uint8Array> {
  const input = new Input(source)
  try {
    while (await input.hasMore()) {
      const transform = zlib.createZstdDecompress()
      yield* through(transform, input.pieces())
      await input.keepUnused(transform.bytesWritten)
    }
  } finally {
    await input.close()
  }
}

/** Pieces that can be taken back: a stream reads ahead of what it uses. */
class Input {
  readonly #source: AsyncIterator<Uint8Array> | Iterator<Uint8Array>
  /** Pieces that are to be given (again). */
  #waiting: Uint8Array[] = []
  /** Pieces that have been given to the stream that reads now. */
  #given: Uint8Array[] = []
  #reading: Promise<void> | undefined
  #isOver = false

  constructor(source: Bytes) {
    this.#source = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]()
  }

  async hasMore(): Promise<boolean> {
    while (this.#waiting.length === 0 && !this.#isOver) await this.#read()
    return this.#waiting.length > 0
  }

  async *pieces(): AsyncGenerator<Uint8Array> {
    while (await this.hasMore()) {
      const piece = this.#waiting.shift()!
      this.#given.push(piece)
      yield piece
    }
  }

  /** The stream has ended, and has used so many bytes of what it was given. */
  async keepUnused(used: number): Promise<void> {
    await this.#reading
    let left = used
    const unused: Uint8Array[] = []
    for (const piece of this.#given) {
      const taken = Math.min(left, piece.length)
      left -= taken
      if (taken < piece.length) unused.push(piece.subarray(taken))
    }
    this.#given = []
    this.#waiting.unshift(...unused)
  }

  async close(): Promise<void> {
    await this.#source.return?.()
  }

  async #read(): Promise<void> {
    this.#reading ??= this.#next()
    await this.#reading
    this.#reading = undefined
  }

  async #next(): Promise<void> {
    const next = await this.#source.next()
    if (next.done === true) this.#isOver = true
    else if (next.value.length > 0) this.#waiting.push(next.value)
  }
}
