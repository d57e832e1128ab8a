/// <reference types="node" />
/** Node's own hashes and decompressors. */
import { createHash } from 'node:crypto'
import * as zlib from 'node:zlib'
import { type Codecs, portableCodecs } from '../codecs.ts'
import { through } from './through.ts'
import { unzstd } from './zstd-frames.ts'

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
    return 'createZstdDecompress' in zlib ? unzstd(source) : portableCodecs.decompress(format, source)
  },
}
