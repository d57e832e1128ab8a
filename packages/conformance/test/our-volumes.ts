/** The file systems that are seen as volumes of memfs in the tests, by kind: an empty one each time, its root of mode 0755. */
import { OverlayFs } from '@vmexit/overlayfs'
import { type FileSystem, type TimeSource, TmpFs } from '@vmexit/vfs'
import { memfsFileSystem } from '@vmexit/vfs/memfs'
import { Volume } from 'memfs'

/** Makes an empty file system. */
export type Make = (time: TimeSource) => FileSystem

const tmpfs: Make = (time) => new TmpFs({ time, mode: 0o755 })
const memfs: Make = (time) => {
  const volume = new Volume()
  volume.chmodSync('/', 0o755)
  return memfsFileSystem(volume, { time })
}

const uppers = new WeakMap<FileSystem, FileSystem>()

/** The upper layer of an overlay made here. */
export function upperOf(overlay: FileSystem): FileSystem | undefined {
  return uppers.get(overlay)
}

const overlayOn =
  (make: Make): Make =>
  (time) => {
    const upper = make(time)
    const overlay = new OverlayFs({ lower: [make(time).root], upper: upper.root, redirectDir: 'on' })
    uppers.set(overlay, upper)
    return overlay
  }

export const ourVolumes: readonly (readonly [kind: string, make: Make])[] = [
  ['a tmpfs', tmpfs],
  ['a volume of memfs', memfs],
  ['an overlay on tmpfs', overlayOn(tmpfs)],
  ['an overlay on memfs', overlayOn(memfs)],
]
