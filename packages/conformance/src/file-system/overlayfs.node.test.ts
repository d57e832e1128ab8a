/** The recorded calls of pjdfstest on our overlayfs, over tmpfs and memfs in several shapes. */
import { describe, test } from 'vitest'
import { ourMemfsOverlays, ourOverlays } from '../../test/our-overlays.ts'
import { pjdfstestTrace } from '../../test/pjdfstest-trace.ts'
import { pjdfstestConformance } from './replay.ts'

const calls = pjdfstestTrace()

describe.skipIf(calls.length === 0).each(Object.entries({ ...ourOverlays, ...ourMemfsOverlays }))(
  '%s does what Linux’s tmpfs did (skipped without its vectors)',
  (_, make) => {
    for (const { name, run } of pjdfstestConformance(calls, (time) => make(time, {}))) test(name, run)
  },
)
