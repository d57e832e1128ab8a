/** A volume of memfs, mounted as a file system, conforms. */
import { memfsFileSystem } from '@vmexit/vfs/memfs'
import { Volume } from 'memfs'
import { describe, test } from 'vitest'
import type { LimitedFileSystemFactory } from './subject.ts'
import { fileSystemConformance } from './suite.ts'

const make: LimitedFileSystemFactory = (time) => {
  const volume = new Volume()
  volume.chmodSync('/', 0o755)
  volume.chownSync('/', 0, 0)
  return memfsFileSystem(volume, { time })
}

describe('a volume of memfs', () => {
  for (const { name, run } of fileSystemConformance(make, { limits: false, manyEntries: 100_000 })) test(name, run)
})
