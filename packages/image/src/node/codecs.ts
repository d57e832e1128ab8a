/// <reference types="node" />
/** Node's own hashes and decompressors: several members and frames they take by themselves. */
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import * as zlib from 'node:zlib'
import { type Bytes, type Codecs, portableCodecs } from '../codecs.ts'

/** For Node: zstd by Node where it has it (from 22.15 on), else in JavaScript. */
export const nodeCodecs: Codecs = {
  hash(algorithm) {
    const hash = createHash(algorithm)
    return {
      update: (bytes) => {
        hash.update(bytes)
      },
      hex: () => hash.digest('hex'),
    }
  },
  decompress(format, source) {
    if (format === 'gzip') return through(zlib.createGunzip(), source)
    return 'createZstdDecompress' in zlib
      ? through(zlib.createZstdDecompress(), source)
      : portableCodecs.decompress(format, source)
  },
}

/** Errors of the source end the result, and who leaves the result early ends the source. */
async function* through(transform: zlib.Gunzip | zlib.ZstdDecompress, source: Bytes): AsyncGenerator<Uint8Array> {
  const readable = Readable.from(source, { objectMode: false })
  readable.once('error', (error) => transform.destroy(error))
  try {
    yield* readable.pipe(transform)
  } finally {
    readable.destroy()
    transform.destroy()
  }
}
