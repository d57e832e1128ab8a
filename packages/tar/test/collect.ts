/** For tests: an archive's entries with their data, holes filled in. */
import type { TarEntry } from '../src/entry.ts'
import { TarReader } from '../src/reader.ts'

export interface Collected {
  readonly entry: TarEntry
  readonly position: number
  readonly data: Uint8Array
}

/** Of files above this size only the beginning is kept. */
const LARGEST = 1 << 24

/** Reads a whole archive, fed in pieces of `piece` bytes. @throws TarError. */
export function collect(archive: Uint8Array, piece: number = archive.length): Collected[] {
  const found: Collected[] = []
  const reader = new TarReader({
    entry: (entry, position) =>
      found.push({ entry, position, data: new Uint8Array(entry.size <= LARGEST ? entry.size : 1 << 17) }),
    data: (bytes, position) => {
      const { data } = found.at(-1)!
      if (position < data.length) data.set(bytes.subarray(0, data.length - position), position)
    },
  })
  for (let at = 0; at < archive.length; at += piece) reader.push(archive.subarray(at, at + piece))
  reader.finish()
  return found
}
