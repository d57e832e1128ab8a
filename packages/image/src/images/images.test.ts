import { OverlayFs } from '@vmexit/overlayfs'
import { Errno, type File, Open, SettableTime, TmpFs, Vfs } from '@vmexit/vfs'
import { gzipSync } from 'fflate'
import { expect, test } from 'vitest'
import {
  archiveOf,
  blobPath,
  bytesOfText,
  collected,
  descriptorOf,
  digestOf,
  dockerArchiveOf,
  INDEX,
  imageOf,
  inPieces,
  json,
  layoutOf,
  MANIFEST,
  readFile,
  tarOf,
  textOf,
} from '../../test/fixtures.ts'
import type { ImageError } from '../errors.ts'
import { memoryStore } from '../store/memory.ts'
import type { Image } from './image.ts'
import { Images } from './images.ts'
import { mergedRoot } from './root.ts'

const base = tarOf({ name: 'etc/motd', data: 'old' }, { name: 'etc/keep', data: 'kept' })
const patch = tarOf({ name: 'etc/.wh.keep' }, { name: 'etc/motd', data: 'new' })
const image = imageOf([base, patch], { config: { Cmd: ['/bin/sh'], Env: ['PATH=/bin'] } })

function newImages(limits = {}) {
  const store = memoryStore()
  return { store, images: new Images({ store, limits }) }
}

const tree = (root: Awaited<ReturnType<Image['root']>>) =>
  mergedRoot(root, () => new TmpFs({ time: new SettableTime() }))

async function motd(of: Image): Promise<unknown[]> {
  using root = await of.root()
  const fs = tree(root)
  return [readFile(fs, '/etc/motd'), readFile(fs, '/etc/keep')]
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  return await work.then(
    () => 'done',
    (error: ImageError) => error.code,
  )
}

test('an OCI layout in an archive, plain and compressed, is loaded, by pieces of any size', async () => {
  const archive = archiveOf(layoutOf(image, 'example.com/app:1'))
  for (const source of [inPieces(archive), inPieces(archive, 999), inPieces(gzipSync(archive))]) {
    const { images } = newImages()
    const [loaded, ...more] = await images.load(source)
    expect(more).toEqual([])
    expect(loaded!.names).toEqual(['example.com/app:1'])
    expect(loaded!.config.config?.Cmd).toEqual(['/bin/sh'])
    expect(await motd(loaded!)).toEqual(['new', -Errno.ENOENT])
  }
})

test('an archive of docker save gives the same layers and the same ID', async () => {
  const { images } = newImages()
  const [oci] = await images.load([archiveOf(layoutOf(image, 'oci:1'))])
  const [docker] = await images.load([dockerArchiveOf(image, 'docker:1', 'docker:2')])
  expect(docker!.id).toBe(oci!.id)
  expect(docker!.names).toEqual(['docker.io/library/docker:1', 'docker.io/library/docker:2'])
  // Layers of one content are one file system, whichever image they are of.
  using first = await oci!.root()
  using second = await docker!.root()
  expect(second.layers.map((fs, n) => fs === first.layers[n])).toEqual([true, true])
})

test('a layer that somebody still has is the same file system when it is opened again, and cannot be read meanwhile', async () => {
  const { images } = newImages()
  const [loaded] = await images.load([archiveOf(layoutOf(image, 'app:1'))])
  const root = await loaded!.root()
  const layers = root.layers
  const layer = layers[1]!
  const etc = layer.lookup(layer.root, 'etc')
  const file = typeof etc === 'number' ? etc : layer.lookup(etc, 'motd')
  if (typeof file === 'number') throw new Error(`errno ${-file}`)
  const read = (): number => layer.read(file, new Uint8Array(3), 0, 3, 0)
  expect(read()).toBe(3)
  root[Symbol.dispose]()
  // Before the first one is closed, and after.
  for (let n = 0; n < 2; n++) {
    using again = await loaded!.root()
    expect(again.layers).toEqual(layers)
    expect(again.layers[1]).toBe(layer)
    expect(read()).toBe(3)
  }
  await Promise.resolve()
  expect(read()).toBe(-Errno.EIO)
})

test('of several platforms the one is taken that runs here, and what there is none for says what there is', async () => {
  const other = imageOf([base], { architecture: 'amd64' })
  const layout = layoutOf(image)
  for (const [path, bytes] of layoutOf(other)) if (path.startsWith('blobs')) layout.set(path, bytes)
  const platform = (architecture: string) => ({ platform: { os: 'linux', architecture } })
  const index = json({
    schemaVersion: 2,
    mediaType: INDEX,
    manifests: [
      { ...descriptorOf(MANIFEST, other.manifest), ...platform('amd64') },
      { ...descriptorOf(MANIFEST, image.manifest), ...platform('386') },
    ],
  })
  layout.set(blobPath(index), index)
  layout.set('index.json', json({ schemaVersion: 2, manifests: [descriptorOf(INDEX, index)] }))
  const { images, store } = newImages()
  const [loaded] = await images.load([archiveOf(layout)], { name: 'app' })
  expect(loaded!.config.architecture).toBe('386')
  // The other platform's contents are not kept.
  expect(await store.size(digestOf(other.config))).toBeUndefined()
  const amd64 = { os: 'linux', architecture: 'amd64' }
  expect((await images.load([archiveOf(layout)], { platform: amd64 }))[0]!.config.architecture).toBe('amd64')
  await expect(images.load([archiveOf(layoutOf(other))])).rejects.toThrow('nothing for linux/386, but linux/amd64')
})

test('names move, and images go with their last one', async () => {
  const { images, store } = newImages()
  await images.load([archiveOf(layoutOf(image, 'app:1'))])
  await images.tag('app:1', 'app:2')
  const id = (await images.find('app:2')).id
  expect((await images.find(id.slice(7, 19))).names).toEqual(['docker.io/library/app:1', 'docker.io/library/app:2'])
  expect((await images.find(id)).id).toBe(id)
  expect(await codeOf(images.remove(id))).toBe('image-in-use')
  expect(await images.remove('app:1')).toEqual({ untagged: ['docker.io/library/app:1'], deleted: undefined })
  expect(await codeOf(images.find('app:1'))).toBe('image-unknown')
  // The name that another image takes leaves this one without.
  const other = imageOf([patch])
  await images.load([archiveOf(layoutOf(other, 'app:2'))])
  expect((await images.find(id)).names).toEqual([])
  expect((await images.list()).length).toBe(2)
  expect(await images.remove(id)).toEqual({ untagged: [], deleted: id })
  // The layer that both had stays for the other.
  expect(await store.size(digestOf(patch))).toBe(patch.length)
  expect(await store.size(digestOf(base))).toBeUndefined()
  expect(await images.remove('app:2')).toMatchObject({ deleted: digestOf(other.config) })
  expect(await store.list()).toEqual([])
  expect(await codeOf(images.find('app:2'))).toBe('image-unknown')
})

test('a name that another tool has written into the store, and that is none here, hides nothing', async () => {
  const { images, store } = newImages()
  await images.load([archiveOf(layoutOf(image, 'app:1'))])
  const index = JSON.parse(textOf((await store.readIndex())!))
  const [entry] = index.manifests
  index.manifests.push({ ...entry, annotations: { 'org.opencontainers.image.ref.name': 'V1+x' } })
  await store.writeIndex(json(index))
  expect((await images.list()).map(({ names }) => names)).toEqual([['docker.io/library/app:1']])
})

test('what is saved is loaded again with the same digests, in both forms', async () => {
  const { images } = newImages()
  await images.load([archiveOf(layoutOf(image, 'app:1'))])
  await images.tag('app:1', 'example.com:5000/team/app:2')
  const saved = await collected(images.save(['app:1', 'example.com:5000/team/app:2']))
  expect(saved).toEqual(await collected(images.save(['app:1', 'example.com:5000/team/app:2'])))
  const again = newImages().images
  const [loaded] = await again.load([saved])
  expect(loaded!.descriptor.digest).toBe(digestOf(image.manifest))
  expect(loaded!.names).toEqual(['docker.io/library/app:1', 'example.com:5000/team/app:2'])
  expect(textOf(saved)).toContain('"RepoTags":["app:1"]')
})

test('changes on top of an image become an image, which differs from it by one layer', async () => {
  const { images } = newImages()
  await images.load([archiveOf(layoutOf(image, 'app:1'))])
  const time = new SettableTime(1_700_000_000)
  const upper = new TmpFs({ time, mode: 0o755 })
  {
    using root = await (await images.find('app:1')).root()
    const fs = new OverlayFs({ lower: root.layers.map((layer) => layer.root), upper: upper.root })
    const vfs = new Vfs({ time })
    const task = vfs.newTask(vfs.newTree(fs))
    expect(vfs.unlink(task, null, '/etc/motd')).toBe(0)
    const file = vfs.open(task, null, '/etc/fresh', Open.O_CREAT | Open.O_WRONLY, 0o600) as File
    vfs.write(task, file, bytesOfText('fresh'))
    vfs.close(file)
  }
  const made = await images.commit(upper, {
    base: 'app:1',
    name: 'app:2',
    created: '2026-01-01T00:00:00Z',
    author: 'me',
    config: { Cmd: ['/bin/ash'] },
  })
  expect(made.config).toMatchObject({
    created: '2026-01-01T00:00:00Z',
    config: { Cmd: ['/bin/ash'], Env: ['PATH=/bin'] },
    history: [{ created_by: 'commit', author: 'me' }],
  })
  expect(made.manifest.layers.length).toBe(3)
  expect(made.manifest.layers.slice(0, 2).map(({ digest }) => digest)).toEqual(
    image.layers.map((each) => digestOf(each)),
  )
  const elsewhere = newImages().images
  const [loaded] = await elsewhere.load(images.save(['app:2']))
  expect(await motd(loaded!)).toEqual([-Errno.ENOENT, -Errno.ENOENT])
  using root = await loaded!.root()
  expect(readFile(tree(root), '/etc/fresh')).toBe('fresh')
})

test('changes that point into layers below are refused, by name', async () => {
  const { images } = newImages()
  const upper = new TmpFs({ time: new SettableTime() })
  const directory = upper.mkdir(upper.root, 'moved', 0o755, 0, 0)
  if (typeof directory === 'object') upper.setxattr(directory, 'trusted.overlay.redirect', bytesOfText('/d'), 0)
  await expect(images.commit(upper, { name: 'x' })).rejects.toThrow("'/moved' has trusted.overlay.redirect")
})

test('a tree of files becomes an image, and an image a tree of files', async () => {
  const { images } = newImages()
  const made = await images.import(inPieces(gzipSync(base)), { name: 'tree', config: { Cmd: ['/x'] } })
  expect(made.config).toMatchObject({ os: 'linux', architecture: '386', config: { Cmd: ['/x'] } })
  await images.load([archiveOf(layoutOf(image, 'app:1'))])
  const exported = await collected(images.export('app:1'))
  const again = await images.import([exported], { name: 'again' })
  expect(await motd(again)).toEqual(['new', -Errno.ENOENT])
})

test('an image without layers, and one with a layer twice, have roots', async () => {
  const { images } = newImages()
  const [none] = await images.load([archiveOf(layoutOf(imageOf([]), 'none:1'))])
  using empty = await none!.root()
  expect(empty.layers).toEqual([])
  expect((await collected(images.export('none:1'))).length).toBe(1024)
  const [twice] = await images.load([archiveOf(layoutOf(imageOf([base, patch, base]), 'twice:1'))])
  expect(await motd(twice!)).toEqual(['old', 'kept'])
})

test('operations that are given up leave nothing', async () => {
  const { images, store } = newImages()
  const controller = new AbortController()
  async function* slowly(): AsyncGenerator<Uint8Array> {
    for (const piece of inPieces(archiveOf(layoutOf(image, 'app')), 1024)) {
      yield piece
      if (piece.byteOffset >= 4096) controller.abort()
    }
  }
  await expect(images.load(slowly(), { signal: controller.signal })).rejects.toThrow('abort')
  expect(await store.list()).toEqual([])
  expect(await images.list()).toEqual([])
  // Also where the source says nothing any more.
  const second = new AbortController()
  async function* silent(): AsyncGenerator<Uint8Array> {
    yield archiveOf(layoutOf(image, 'app')).subarray(0, 2048)
    setTimeout(() => second.abort())
    await new Promise(() => {})
  }
  for (const work of [
    images.load(silent(), { signal: second.signal }),
    images.import(silent(), { signal: second.signal }),
  ])
    await expect(work).rejects.toThrow('abort')
  expect(await store.list()).toEqual([])
  // The next one has its turn.
  expect((await images.load([archiveOf(layoutOf(image, 'app'))])).length).toBe(1)
})
