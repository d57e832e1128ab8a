/**
 * Hashes and decompression: what a host does fast is handed in. Here is what every host can do, in JavaScript; Node's own are behind
 * `@vmexit/image/node`. Compressed layers are gzip (RFC 1952, with several members, too) or zstd (RFC 8878, with several frames).
 */
import { sha256, sha512 } from '@noble/hashes/sha2.js'
import { Gunzip } from 'fflate'
import { Decompress } from 'fzstd'
import { joined } from './bytes.ts'
import type { DigestAlgorithm } from './digest.ts'

/** A hash that is fed in pieces. */
export interface Hash {
  update(bytes: Uint8Array): void
  /** In hexadecimal; then the hash is used up. */
  hex(): string
}

/** How something may be compressed. */
export type Compression = 'gzip' | 'zstd'

/** Bytes as they come. Whoever takes a piece may keep it until the next one is asked for. */
export type Bytes = AsyncIterable<Uint8Array> | Iterable<Uint8Array>

/** What a host does with bytes. */
export interface Codecs {
  hash(algorithm: DigestAlgorithm): Hash
  /** Decompresses as it comes, whatever the pieces are. Throws any error at damaged input, and at input that ends early. */
  decompress(format: Compression, source: Bytes): AsyncIterable<Uint8Array>
}

/** Without anything of the host's: for browsers, where they take 9 ns a byte to hash and 45 to unpack zstd. */
export const portableCodecs: Codecs = {
  hash(algorithm) {
    const hash = algorithm === 'sha256' ? sha256.create() : sha512.create()
    return {
      update: (bytes) => {
        hash.update(bytes)
      },
      hex: () => Array.from(hash.digest(), (byte) => byte.toString(16).padStart(2, '0')).join(''),
    }
  },
  decompress: (format, source) => (format === 'gzip' ? gunzip(source) : unzstd(source)),
}

/** What is given to a decoder at a time, so that what comes out at a time is bounded: a byte may become 1,032, or 32,768. */
const GZIP_PIECE = 1 << 14
const ZSTD_PIECE = 1 << 10

async function* gunzip(source: Bytes): AsyncGenerator<Uint8Array> {
  const out: Uint8Array[] = []
  const gunzip = new Gunzip((bytes) => out.push(bytes))
  let isEmpty = true
  for await (const bytes of source)
    for (let at = 0; at < bytes.length; at += GZIP_PIECE) {
      isEmpty = false
      // fflate keeps what it has not used.
      gunzip.push(bytes.slice(at, at + GZIP_PIECE))
      yield* out.splice(0)
    }
  if (isEmpty) throw new Error('it is empty')
  gunzip.push(new Uint8Array(), true)
  yield* out.splice(0)
}

async function* unzstd(source: Bytes): AsyncGenerator<Uint8Array> {
  const out: Uint8Array[] = []
  const decompress = new Decompress((bytes) => out.push(bytes))
  for await (const bytes of source)
    for (let at = 0; at < bytes.length; at += ZSTD_PIECE) {
      decompress.push(bytes.slice(at, at + ZSTD_PIECE))
      yield* out.splice(0)
    }
  decompress.push(new Uint8Array(), true)
  yield* out.splice(0)
}

const MAGICS: readonly (readonly [Compression, readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
]
/** A zstd stream may begin with a frame to be skipped, whose last half byte is free. */
const SKIPPED = [0x50, 0x2a, 0x4d, 0x18]

/** How something is compressed that begins with these bytes; undefined where it is not. */
export function compressionOf(first: Uint8Array): Compression | undefined {
  const known = MAGICS.find(([, magic]) => magic.every((byte, at) => first[at] === byte))?.[0]
  if (known !== undefined || first.length < 4) return known
  const isSkipped = (first[0]! & 0xf0) === SKIPPED[0] && SKIPPED.slice(1).every((byte, at) => first[at + 1] === byte)
  return isSkipped ? 'zstd' : undefined
}

/** The bytes uncompressed, whatever they are compressed by. */
export async function* uncompressed(codecs: Codecs, source: Bytes): AsyncGenerator<Uint8Array> {
  const pieces = iteratorOf(source)
  try {
    let first: Uint8Array = new Uint8Array()
    while (first.length < 4) {
      const next = await pieces.next()
      if (next.done === true) break
      first = first.length === 0 ? next.value : joined([first, next.value])
    }
    if (first.length === 0) return
    const format = compressionOf(first)
    const all = rest(first, pieces)
    yield* format === undefined ? all : codecs.decompress(format, all)
  } finally {
    await pieces.return?.()
  }
}

async function* rest(first: Uint8Array, pieces: Pieces): AsyncGenerator<Uint8Array> {
  yield first
  for (let next = await pieces.next(); next.done !== true; next = await pieces.next()) yield next.value
}

type Pieces = AsyncIterator<Uint8Array> | Iterator<Uint8Array>

function iteratorOf(source: Bytes): Pieces {
  return Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]()
}
