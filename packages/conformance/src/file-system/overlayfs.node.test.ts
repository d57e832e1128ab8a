/** The recorded calls of pjdfstest on our overlayfs, over tmpfs in several shapes. */
import { describe, test } from 'vitest'
import { ourOverlays } from '../../test/our-overlays.ts'
import { pjdfstestTrace } from '../../test/pjdfstest-trace.ts'
import { pjdfstestConformance } from './replay.ts'

const calls = pjdfstestTrace()

describe.skipIf(calls.length === 0).each(Object.entries(ourOverlays))(
  '%s does what Linux’s tmpfs did (skipped without its vectors)',
  (_, make) => {
    for (const { name, run } of pjdfstestConformance(calls, (time) => make(time, {}))) test(name, run)
  },
)
