/** An overlay as a volume: what programs do with Node's `fs`, and a clone by isomorphic-git that is in its upper layer alone. */
import { OverlayFs } from '@vmexit/overlayfs'
import { type FileSystem, type TimeSource, TmpFs } from '@vmexit/vfs'
import { memfsFileSystem } from '@vmexit/vfs/memfs'
import { Volume } from 'memfs'
import { expect } from 'vitest'
import { gitSuite } from '../../../packages/vfs/test/git.suite.ts'
import { filesOf } from '../../../packages/vfs/test/trees.ts'
import { volumeSuite } from '../../../packages/vfs/test/volume.suite.ts'

const kinds: readonly [kind: string, make: (time: TimeSource) => FileSystem][] = [
  ['an overlay on tmpfs', (time) => new TmpFs({ time, mode: 0o755 })],
  [
    'an overlay on memfs',
    (time) => {
      const volume = new Volume()
      volume.chmodSync('/', 0o755)
      return memfsFileSystem(volume, { time })
    },
  ],
]

for (const [kind, make] of kinds) {
  const upper = new WeakMap<FileSystem, FileSystem>()
  const overlay = (time: TimeSource): FileSystem => {
    const top = make(time)
    const fs = new OverlayFs({ lower: [make(time).root], upper: top.root, redirectDir: 'on' })
    upper.set(fs, top)
    return fs
  }
  volumeSuite(kind, overlay)
  gitSuite(kind, overlay, (fs) => {
    const top = upper.get(fs)!
    expect(filesOf(top, top.root)).toEqual(filesOf(fs, fs.root))
  })
}
