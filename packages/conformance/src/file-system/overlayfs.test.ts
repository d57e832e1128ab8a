/** Our overlayfs conforms, over tmpfs and memfs in several shapes. */
import { describe, test } from 'vitest'
import { ourMemfsOverlays, ourOverlays } from '../../test/our-overlays.ts'
import { fileSystemConformance } from './suite.ts'

const [first] = Object.keys(ourOverlays)

describe.each(Object.entries(ourOverlays))('%s', (shape, make) => {
  // Where a lower layer is hidden, what is removed leaves a whiteout, and frees no inode.
  const limits = !/hides|five/.test(shape)
  const random = { sequences: 20, operations: 500 }
  const manyEntries = shape === first ? 100_000 : 1000
  for (const { name, run } of fileSystemConformance(make, { manyEntries, random, limits })) test(name, run)
})

describe.each(Object.entries(ourMemfsOverlays))('%s', (_, make) => {
  const options = { manyEntries: 1000, random: { sequences: 20, operations: 500 }, limits: false }
  for (const { name, run } of fileSystemConformance(make, options)) test(name, run)
})
