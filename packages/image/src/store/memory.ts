/** Images in memory: for tests, for browsers, and for what is gone afterwards anyway. */
import { joined } from '../bytes.ts'
import type { Digest } from '../digest.ts'
import { missing } from './missing.ts'
import type { ContentStore, ContentWriter, ExclusiveOptions, RandomAccess } from './store.ts'

/** A store that lives as long as the object. */
export function memoryStore(): ContentStore {
  return new MemoryStore()
}

class MemoryStore implements ContentStore {
  readonly #contents = new Map<Digest, Uint8Array>()
  readonly #notes = new Map<Digest, Uint8Array>()
  #index: Uint8Array | undefined
  #last: Promise<unknown> = Promise.resolve()
  #busy = 0

  async exclusive<Result>(work: () => Promise<Result>, { signal, waiting }: ExclusiveOptions = {}): Promise<Result> {
    if (this.#busy > 0) waiting?.('this program')
    const before = this.#last
    this.#busy++
    const run = before.then(() => {
      signal?.throwIfAborted()
      return work()
    })
    this.#last = run.catch(() => {})
    try {
      return await run
    } finally {
      this.#busy--
    }
  }

  async readIndex(): Promise<Uint8Array | undefined> {
    return this.#index
  }

  async writeIndex(bytes: Uint8Array): Promise<void> {
    this.#index = bytes.slice()
  }

  async size(digest: Digest): Promise<number | undefined> {
    return this.#contents.get(digest)?.length
  }

  async list(): Promise<readonly { readonly digest: Digest; readonly size: number }[]> {
    return [...this.#contents].map(([digest, { length }]) => ({ digest, size: length }))
  }

  async create(): Promise<ContentWriter> {
    let pieces: Uint8Array[] = []
    return {
      write: async (bytes) => {
        pieces.push(bytes.slice())
      },
      keep: async (digest) => {
        if (!this.#contents.has(digest)) this.#contents.set(digest, joined(pieces))
        pieces = []
      },
      discard: async () => {
        pieces = []
      },
    }
  }

  async *read(digest: Digest): AsyncGenerator<Uint8Array> {
    const bytes = this.#contents.get(digest)
    if (bytes === undefined) throw missing(digest)
    for (let at = 0; at < bytes.length; at += 1 << 16) yield bytes.subarray(at, at + (1 << 16))
  }

  async open(digest: Digest): Promise<RandomAccess> {
    const bytes = this.#contents.get(digest)
    if (bytes === undefined) throw missing(digest)
    return {
      size: bytes.length,
      read(into, start, length, position) {
        const part = bytes.subarray(position, position + length)
        into.set(part, start)
        return part.length
      },
      close() {},
    }
  }

  async remove(digest: Digest): Promise<void> {
    this.#contents.delete(digest)
    this.#notes.delete(digest)
  }

  async readNotes(digest: Digest): Promise<Uint8Array | undefined> {
    return this.#notes.get(digest)
  }

  async writeNotes(digest: Digest, bytes: Uint8Array): Promise<void> {
    this.#notes.set(digest, bytes.slice())
  }
}
