/// <reference types="node" />
/** Bytes through a transformation of Node's. */
import { Readable, type Transform } from 'node:stream'
import type { Bytes } from '../codecs.ts'

/** Errors of the source end the result, and who leaves the result early ends the source. */
export async function* through(transform: Transform, source: Bytes): AsyncGenerator<Uint8Array> {
  const readable = Readable.from(source, { objectMode: false })
  readable.once('error', (error) => transform.destroy(error))
  try {
    yield* readable.pipe(transform)
  } finally {
    readable.destroy()
    transform.destroy()
  }
}
