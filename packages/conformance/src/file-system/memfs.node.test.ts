/** The recorded calls of pjdfstest on a volume of memfs. */
import { memfsFileSystem } from '@vmexit/vfs/memfs'
import { Volume } from 'memfs'
import { describe, test } from 'vitest'
import { pjdfstestTrace } from '../../test/pjdfstest-trace.ts'
import { pjdfstestConformance } from './replay.ts'

const calls = pjdfstestTrace()

describe.skipIf(calls.length === 0)(
  'a volume of memfs does what Linux’s tmpfs did (skipped without its vectors)',
  () => {
    const tests = pjdfstestConformance(calls, (time) => {
      const volume = new Volume()
      volume.chmodSync('/', 0o755)
      volume.chownSync('/', 0, 0)
      return memfsFileSystem(volume, { time })
    })
    for (const { name, run } of tests) test(name, run)
  },
)
