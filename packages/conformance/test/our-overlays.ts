/** Overlays over tmpfs in several shapes, and over volumes of memfs, empty as suites want them. */
import { OverlayFs, type OverlayOptions } from '@vmexit/overlayfs'
import { type Inode, Mode, type TimeSource, TmpFs } from '@vmexit/vfs'
import { memfsFileSystem } from '@vmexit/vfs/memfs'
import { Volume } from 'memfs'
import type { LimitedFileSystemFactory } from '../src/index.ts'

/** Names that tests like. */
const names = [...'abcdefghijklmnopqrstuvwxyz', 'file', 'dir', 'directory', 'target', 'link', 'old', 'new']

function tmpfs(time: TimeSource): Inode {
  return new TmpFs({ time, mode: 0o755 }).root
}

/** A volume of memfs with such a root. */
function memfs(time: TimeSource): Inode {
  const volume = new Volume()
  volume.chmodSync('/', 0o755)
  volume.chownSync('/', 0, 0)
  return memfsFileSystem(volume, { time }).root
}

/** A layer that has files, and directories with files, under the names that tests like. */
function full(time: TimeSource, make = tmpfs): Inode {
  const root = make(time)
  names.forEach((name, index) => {
    if (index % 2) root.fs.create(root, name, Mode.IFREG | 0o600, 0, 0, 0)
    const dir = index % 2 ? 0 : root.fs.mkdir(root, name, 0o755, 0, 0)
    if (typeof dir !== 'number') for (const inner of names) root.fs.create(dir, inner, Mode.IFREG | 0o600, 0, 0, 0)
  })
  return root
}

/** Overlays: what is given takes the limits. */
function overlay(lower: (time: TimeSource) => Inode[], options: Partial<OverlayOptions>): LimitedFileSystemFactory {
  return (time, { bytes, inodes }) => {
    const size = bytes === undefined ? {} : { sizeBytes: bytes }
    const upper = new TmpFs({ time, mode: 0o755, ...size, ...(inodes === undefined ? {} : { inodes }) })
    return new OverlayFs({ lower: lower(time), upper: upper.root, ...options })
  }
}

/** A layer that hides all that `full` has. */
function hiding(time: TimeSource, make = tmpfs): Inode {
  const root = make(time)
  for (const name of names) root.fs.create(root, name, Mode.IFCHR, 0, 0, 0)
  return root
}

/** Shapes of overlays by name. */
export const ourOverlays: Readonly<Record<string, LimitedFileSystemFactory>> = {
  'an overlay on an empty layer': overlay((time) => [tmpfs(time)], {}),
  'an overlay without lower layers': overlay(() => [], {}),
  'an overlay on a layer that hides another': overlay((time) => [hiding(time), full(time)], { redirectDir: 'on' }),
  'an overlay on five layers': overlay((time) => [tmpfs(time), hiding(time), full(time), hiding(time), full(time)], {
    redirectDir: 'on',
    index: true,
    metacopy: true,
  }),
  'an overlay on an overlay': overlay(
    (time) => [new OverlayFs({ lower: [hiding(time), full(time)], upper: tmpfs(time) }).root],
    {},
  ),
}

/** The same over memfs, which has no limits. */
export const ourMemfsOverlays: Readonly<Record<string, LimitedFileSystemFactory>> = {
  'an overlay on volumes of memfs': (time) => new OverlayFs({ lower: [memfs(time)], upper: memfs(time) }),
  'an overlay on volumes of memfs that hide each other': (time) =>
    new OverlayFs({ lower: [hiding(time, memfs), full(time, memfs)], upper: memfs(time), redirectDir: 'on' }),
}
