/** Archives on the host: read as they come, compressed or not, and written under the name's compression. */
import { createReadStream, createWriteStream, rmSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip, createZstdCompress } from 'node:zlib'
import { VmexitError } from '@vmexit/core'
import { uncompressed } from '@vmexit/image'
import { nodeCodecs } from '@vmexit/image/node'

/** The bytes of an archive, uncompressed, whatever its name is. @throws VmexitError `fs-archive`. */
export async function* readArchive(path: string): AsyncGenerator<Uint8Array> {
  const file = createReadStream(path, { highWaterMark: 1 << 20 })
  try {
    yield* uncompressed(nodeCodecs, file)
  } catch (cause) {
    throw unreadable(path, cause)
  } finally {
    file.destroy()
  }
}

const ENDING = ['SIGINT', 'SIGTERM'] as const

/** Writes an archive: to a file, compressed as its name says, which is there whole or not at all; or to standard output. */
export async function writeArchive(
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  path: string | undefined,
): Promise<void> {
  if (path === undefined) {
    for await (const piece of pieces)
      if (!process.stdout.write(piece)) await new Promise((resolve) => process.stdout.once('drain', resolve))
    return
  }
  const part = `${path}.part`
  const source = Readable.from(pieces)
  // A signal ends the program without further ado: what has been written so far would stay.
  const interrupted = (_signal: string, number: number): void => {
    rmSync(part, { force: true })
    process.exit(128 + number)
  }
  for (const signal of ENDING) process.once(signal, interrupted)
  const compress = /\.t?gz$/.test(path) ? createGzip() : path.endsWith('.zst') ? createZstdCompress() : undefined
  try {
    if (compress) await pipeline(source, compress, createWriteStream(part))
    else await pipeline(source, createWriteStream(part))
    await rename(part, path)
  } catch (error) {
    await rm(part, { force: true })
    throw error
  } finally {
    for (const signal of ENDING) process.off(signal, interrupted)
  }
}

function unreadable(path: string, cause: unknown): unknown {
  if (cause instanceof VmexitError) return cause
  return new VmexitError('fs-archive', {
    problem: `${path} cannot be read (${(cause as Error).message})`,
    remedy: 'give a tar archive, plain or compressed by gzip or zstd, or a directory',
    cause,
  })
}
