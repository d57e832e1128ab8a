/** Our tmpfs conforms; and the layer conforms above file systems whose entries it may remember, or must ask for again. */
import { type EntryCaching, TmpFs } from '@vmexit/vfs'
import { describe, test } from 'vitest'
import type { LimitedFileSystemFactory } from './subject.ts'
import { type FileSystemConformanceOptions, fileSystemConformance } from './suite.ts'

/** A tmpfs that the layer takes for a slow one. `valid` is what it says of remembered entries. */
class SlowTmpFs extends TmpFs {
  override readonly caching: EntryCaching
  readonly valid: number

  constructor(options: ConstructorParameters<typeof TmpFs>[0], caching: EntryCaching, valid: number) {
    super(options)
    this.caching = caching
    this.valid = valid
  }

  revalidate(): number {
    return this.valid
  }
}

const make =
  (caching: EntryCaching, valid: number): LimitedFileSystemFactory =>
  (time, { bytes, inodes }) => {
    const size = bytes === undefined ? {} : { sizeBytes: bytes }
    const options = { time, mode: 0o755, ...size, ...(inodes === undefined ? {} : { inodes }) }
    return caching === 'none' ? new TmpFs(options) : new SlowTmpFs(options, caching, valid)
  }

const short: FileSystemConformanceOptions = { manyEntries: 1000, random: { sequences: 20, operations: 500 } }

describe.each([
  ['tmpfs', make('none', 1), {}],
  ['entries that are remembered', make('entries', 1), short],
  ['entries that are still valid', make('revalidate', 1), short],
  ['entries that are never valid', make('revalidate', 0), short],
] as const)('%s', (_, factory, options) => {
  for (const { name, run } of fileSystemConformance(factory, options)) test(name, run)
})
