/** A copy-on-write view of somebody's memfs volume: what is changed in the view is kept in a second volume. */
import { OverlayFs } from '@vmexit/overlayfs'
import { SettableTime } from '@vmexit/vfs'
import { memfsFileSystem, volumeOf } from '@vmexit/vfs/memfs'
import { createFsFromVolume, Volume } from 'memfs'

/** What the example finds. */
export interface Found {
  /** The view after it was changed, the volume that it shows, and the volume that holds the changes. */
  readonly view: Record<string, string | null>
  readonly below: Record<string, string | null>
  readonly changes: readonly string[]
}

/** Changes a view of a project, and looks at all three. */
export async function unionOfVolumes(): Promise<Found> {
  const below = Volume.fromJSON({ '/src/index.ts': 'export {}', '/src/old.ts': 'old', '/README.md': '# Mine' })
  const changes = new Volume()
  const time = new SettableTime(1_700_000_000)
  const union = new OverlayFs({
    lower: [memfsFileSystem(below, { time }).root],
    upper: memfsFileSystem(changes, { time }).root,
  })

  const volume = volumeOf(union, { time })
  const { promises } = createFsFromVolume(volume)
  await promises.appendFile('/src/index.ts', ' // changed')
  await promises.rm('/src/old.ts')
  await promises.mkdir('/dist')
  await promises.writeFile('/dist/index.js', 'built')

  const kinds = (changes.readdirSync('/', { recursive: true }) as string[]).map((name) => {
    // (memfs puts a slash before them.)
    const path = name.replace(/^\//, '')
    const stat = changes.lstatSync(`/${path}`)
    return `${stat.isCharacterDevice() ? 'whiteout' : stat.isDirectory() ? 'directory' : 'file'} ${path}`
  })
  return { view: volume.toJSON(), below: below.toJSON(), changes: kinds.sort() }
}
