import { beforeEach, describe, expect, test } from 'vitest'
import { archiveOf, blobPath, digestOf, imageOf, inPieces, layoutOf, readFile, tarOf } from '../../test/fixtures.ts'
import { Images } from '../images/images.ts'
import { opfsImageStore } from './index.ts'

const isBrowser = 'navigator' in globalThis && typeof navigator.storage?.getDirectory === 'function'
const layer = tarOf({ name: 'etc/motd', data: 'hello' }, { name: 'big', data: new Uint8Array(1 << 20) })
const image = imageOf([layer])
const archive = archiveOf(layoutOf(image, 'app:1'))

describe.skipIf(!isBrowser)(`images of a site${isBrowser ? '' : ' (skipped: this is no browser)'}`, () => {
  let root: FileSystemDirectoryHandle
  const open = async (): Promise<Images> => new Images({ store: await opfsImageStore(root, 'store') })
  beforeEach(async () => {
    root = await navigator.storage.getDirectory()
    await root.removeEntry('store', { recursive: true }).catch(() => {})
  })

  /** Files that are kept, and what is on its way. */
  async function kept(): Promise<string[]> {
    const store = await root.getDirectoryHandle('store')
    const all: string[] = []
    for (const name of ['blobs', 'notes', 'incoming']) {
      const directory = await store.getDirectoryHandle(name, { create: true })
      for await (const each of directory.keys()) all.push(each)
    }
    return all
  }

  test('are kept, found again, and read, in a page and in a worker', async () => {
    await (await open()).load(inPieces(archive))
    const images = await open()
    expect((await images.list()).map(({ names }) => names)).toEqual([['docker.io/library/app:1']])
    using root = await (await images.find('app:1')).root()
    expect(readFile(root.layers[0]!, '/etc/motd')).toBe('hello')
    const worker = new Worker(new URL('../../test/opfs-worker.ts', import.meta.url), { type: 'module' })
    worker.postMessage({ store: 'store', image: 'app:1', path: '/etc/motd' })
    const said = await new Promise((resolve) => worker.addEventListener('message', ({ data }) => resolve(data)))
    worker.terminate()
    expect(said).toEqual(['hello', true])
  })

  test('leave nothing when they are removed, and where they are refused', async () => {
    const images = await open()
    await images.load([archive])
    // The layer twice, its catalog, the configuration, and the manifest.
    expect((await kept()).length).toBe(5)
    await images.remove('app:1')
    expect(await kept()).toEqual([])
    const layout = layoutOf(image)
    layout.set(blobPath(image.layers[0]!), layer)
    await expect(images.load([archiveOf(layout)])).rejects.toMatchObject({ code: 'image-digest' })
    expect(await kept()).toEqual([])
  })

  test('are changed by one at a time', async () => {
    const [first, second] = [await open(), await open()]
    const waited: string[] = []
    const progress = ({ step, what }: { step: string; what: string }) => step === 'wait' && waited.push(what)
    const works = [
      first.load(inPieces(archive, 4096), { progress }),
      second.load([archive], { name: 'app:2', progress }),
    ]
    for (const work of works) expect((await work)[0]!.id).toBe(digestOf(image.config))
    expect((await (await open()).find('app:2')).names.length).toBe(2)
    const controller = new AbortController()
    controller.abort()
    await expect(first.tag('app:1', 'app:3', { signal: controller.signal })).rejects.toThrow('abort')
  })
})
