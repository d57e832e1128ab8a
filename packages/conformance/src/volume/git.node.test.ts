/** isomorphic-git on each; what it makes on an overlay is in the upper layer, whole. */
import { expect } from 'vitest'
import { gitSuite } from '../../test/git.suite.ts'
import { ourVolumes, upperOf } from '../../test/our-volumes.ts'
import { filesOf } from '../../test/trees.ts'

for (const [kind, make] of ourVolumes)
  gitSuite(kind, make, (fs) => {
    const upper = upperOf(fs)
    if (upper) expect(filesOf(upper, upper.root)).toEqual(filesOf(fs, fs.root))
  })
