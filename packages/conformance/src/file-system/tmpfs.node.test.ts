/** The recorded calls of pjdfstest on our tmpfs. */
import { TmpFs } from '@vmexit/vfs'
import { describe, test } from 'vitest'
import { pjdfstestTrace } from '../../test/pjdfstest-trace.ts'
import { pjdfstestConformance } from './replay.ts'

const calls = pjdfstestTrace()

describe.skipIf(calls.length === 0)('tmpfs does what Linux’s did (skipped without its vectors)', () => {
  for (const { name, run } of pjdfstestConformance(calls, (time) => new TmpFs({ time, mode: 0o755 }))) test(name, run)
})
