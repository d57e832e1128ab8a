/** Archives that somebody has made to do harm: each is refused with a reason, and leaves nothing. */
import { OverlayFs } from '@vmexit/overlayfs'
import { Errno, Mode, Stat } from '@vmexit/vfs'
import { gzipSync } from 'fflate'
import { beforeEach, describe, expect, test } from 'vitest'
import {
  archiveOf,
  blobPath,
  bytesOfText,
  CONFIG,
  descriptorOf,
  digestOf,
  dockerArchiveOf,
  INDEX,
  imageOf,
  json,
  LAYER,
  type Layout,
  layoutOf,
  MANIFEST,
  type Made,
  Random,
  readFile,
  seen,
  tarOf,
  textOf,
  zstdOf,
} from '../../test/fixtures.ts'
import { ImageError } from '../errors.ts'
import { Images } from '../images/images.ts'
import { memoryStore } from '../store/memory.ts'

const base = tarOf({ name: 'etc/motd', data: 'hello' }, { name: 'bin/sh', data: 'x'.repeat(3000), mode: 0o755 })
const image = imageOf([base])
const MiB = 1 << 20

let store: ReturnType<typeof memoryStore>
let images: Images
beforeEach(() => {
  store = memoryStore()
  images = new Images({ store, limits: { bytes: 8 * MiB, entries: 5000, metadataBytes: MiB } })
})

async function refusal(archive: Uint8Array): Promise<ImageError> {
  const reason = await images.load([archive]).then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(reason).toBeInstanceOf(ImageError)
  expect(await store.list()).toEqual([])
  expect(await store.readIndex()).toBeUndefined()
  return reason as ImageError
}

/** An image whose one layer is this, however it is compressed, and whatever it is said to be. */
function withLayer(layer: Uint8Array<ArrayBuffer>, diffId: string, descriptor: object = {}): Layout {
  const config = json({ os: 'linux', architecture: '386', rootfs: { type: 'layers', diff_ids: [diffId] } })
  const manifest = json({
    schemaVersion: 2,
    config: descriptorOf(CONFIG, config),
    layers: [{ ...descriptorOf(LAYER, layer), ...descriptor }],
  })
  return layoutOf({ config, manifest, layers: [layer], diffs: [] })
}

/** An image with another configuration or manifest. */
function changed(part: 'config' | 'manifest', change: (document: Record<string, unknown>) => void): Layout {
  const config = JSON.parse(textOf(image.config))
  if (part === 'config') change(config)
  const configBytes = json(config)
  const manifest = { ...JSON.parse(textOf(image.manifest)), config: descriptorOf(CONFIG, configBytes) }
  if (part === 'manifest') change(manifest)
  return layoutOf({ ...image, config: configBytes, manifest: json(manifest) })
}

describe('content that is not what it is said to be', () => {
  test('files whose names are not their digests', async () => {
    for (const part of [image.config, image.manifest, image.layers[0]!]) {
      const layout = layoutOf(image)
      layout.set(blobPath(part), bytesOfText('something else'))
      expect(await refusal(archiveOf(layout))).toMatchObject({ code: 'image-digest' })
      layout.delete(blobPath(part))
      expect(await refusal(archiveOf(layout))).toMatchObject({ code: 'image-digest' })
    }
  })

  test('sizes, diff ids, numbers of layers and platforms', async () => {
    const plain = base as Uint8Array<ArrayBuffer>
    expect((await refusal(archiveOf(withLayer(plain, digestOf(base), { size: 12 })))).message).toContain('12 bytes')
    const wrong = digestOf(bytesOfText('no'))
    expect((await refusal(archiveOf(withLayer(gzipSync(base) as Uint8Array<ArrayBuffer>, wrong)))).message).toContain(
      wrong,
    )
    expect(await refusal(archiveOf(withLayer(plain, wrong)))).toMatchObject({ code: 'image-digest' })
    const twice = changed('config', (config) => (config['rootfs'] = { type: 'layers', diff_ids: [wrong, wrong] }))
    expect((await refusal(archiveOf(twice))).message).toContain('2 layers')
    for (const size of [-1, 0.5, 2 ** 60, '1', null])
      await refusal(
        archiveOf(changed('manifest', (each) => (each['layers'] = [{ ...descriptorOf(LAYER, base), size }]))),
      )
    await refusal(archiveOf(changed('config', (config) => (config['architecture'] = 'amd64'))))
    await refusal(dockerArchiveOf(imageOf([base], { diffIds: [wrong] }), 'app:1'))
  })

  test('a layer that claims to be one that is there already', async () => {
    await images.load([archiveOf(layoutOf(image, 'app:1'))])
    const before = await store.list()
    const evil = tarOf({ name: 'bin/sh', data: 'evil' })
    const layout = withLayer(gzipSync(evil) as Uint8Array<ArrayBuffer>, digestOf(base))
    await expect(images.load([archiveOf(layout)])).rejects.toMatchObject({ code: 'image-digest' })
    // Nor one that is there, and is said to have another size.
    const size = changed('manifest', (manifest) => {
      manifest['layers'] = [{ ...descriptorOf(`${LAYER}+gzip`, image.layers[0]!), size: 1 }]
    })
    await expect(images.load([archiveOf(size)])).rejects.toMatchObject({ code: 'image-digest' })
    expect(await store.list()).toEqual(before)
  })
})

describe('names that lead elsewhere', () => {
  test('in the archive itself', async () => {
    for (const name of ['../evil', 'a/../../evil', 'blobs/../../../etc/passwd'])
      expect((await refusal(tarOf({ name, data: 'x' }))).message).toContain('leads out')
    for (const target of ['../../etc/passwd', '/../x'])
      await refusal(tarOf({ name: 'index.json', type: 'symlink', target }, { name: 'oci-layout', data: '{}' }))
    const circle = [
      { name: 'manifest.json', type: 'symlink' as const, target: 'b' },
      { name: 'b', type: 'symlink' as const, target: 'manifest.json' },
    ]
    expect((await refusal(tarOf(...circle))).message).toContain('circle')
    // An absolute name is one within it, as everywhere.
    await refusal(tarOf({ name: '/etc/passwd', data: 'root' }))
  })

  test('in docker’s manifest', async () => {
    const manifest = (Config: string, ...Layers: string[]) =>
      tarOf({ name: 'manifest.json', data: json([{ Config, Layers, RepoTags: ['a:1'] }]) })
    expect((await refusal(manifest('../../etc/passwd'))).message).toContain('leads out')
    expect((await refusal(manifest('none.json'))).message).toContain("no 'none.json'")
    await refusal(manifest('manifest.json', 'manifest.json'))
    const tag = json([{ Config: 'c', Layers: [], RepoTags: ['../../x'] }])
    expect(await refusal(tarOf({ name: 'manifest.json', data: tag }))).toMatchObject({ code: 'image-reference' })
  })

  test('in layers', async () => {
    const up = tarOf({ name: '../../etc/passwd', data: 'x' })
    expect(await refusal(archiveOf(withLayer(up, digestOf(up))))).toMatchObject({ code: 'image-layer' })
    // A link out is a link within: what goes through it stays in the layer.
    const out = tarOf(
      { name: 'l', type: 'symlink', target: '../../../../etc' },
      { name: 'etc', type: 'directory' },
      { name: 'l/passwd', data: 'mine' },
    )
    const [loaded] = await images.load([archiveOf(withLayer(out, digestOf(out)))])
    using root = await loaded!.root()
    expect(readFile(root.layers[0]!, '/etc/passwd')).toBe('mine')
  })

  test('hard links to nothing, loops of links, and names longer than any', async () => {
    for (const layer of [
      tarOf({ name: 'a', type: 'hardlink', target: '/etc/shadow' }),
      tarOf({ name: 'a', type: 'symlink', target: 'b' }, { name: 'b', type: 'symlink', target: 'a' }, { name: 'a/x' }),
      tarOf({ name: 'n'.repeat(300) }),
      tarOf({ name: `${'d/'.repeat(3000)}x` }),
      tarOf({ name: '.wh.' }),
      tarOf({ name: 'd/.wh...' }),
    ])
      expect(await refusal(archiveOf(withLayer(layer, digestOf(layer))))).toMatchObject({ code: 'image-layer' })
  })
})

test('device nodes are there, and nobody’s but the guest’s; attributes of overlays are not taken for its own', async () => {
  const notes = new Map([
    ['trusted.overlay.redirect', bytesOfText('/etc/shadow')],
    ['trusted.overlay.opaque', bytesOfText('y')],
    ['user.mine', bytesOfText('1')],
  ])
  const layer = tarOf(
    { name: 'sda', type: 'block', major: 8, minor: 0, mode: 0o666 },
    { name: 'd', type: 'directory', attributes: notes },
  )
  const [loaded] = await images.load([archiveOf(withLayer(layer, digestOf(layer)))])
  using root = await loaded!.root()
  const { vfs, task } = seen(new OverlayFs({ lower: [root.layers[0]!.root] }))
  const stat = new Stat()
  vfs.stat(task, null, '/sda', stat)
  expect([stat.mode, stat.rdev]).toEqual([Mode.IFBLK | 0o666, 0x800000])
  const file = vfs.open(task, null, '/sda', 0)
  expect(file).toBe(-Errno.ENXIO)
  const place = vfs.lookup(task, null, '/d')
  expect(typeof place === 'object' && vfs.listxattr(task, place)).toEqual(['user.mine'])
})

describe('more than there may be', () => {
  test('bombs of gzip and zstd, as layers and as whole archives', async () => {
    const zeros = new Uint8Array(20 * MiB)
    const gzip = gzipSync(zeros, { level: 9 }) as Uint8Array<ArrayBuffer>
    expect(gzip.length).toBeLessThan(MiB)
    const zstd = zstdOf(new Uint8Array(), 160)
    const diffId = digestOf(zeros)
    for (const bomb of [gzip, zstd]) {
      // As it is no archive, its zeros end it; and as one with a file that never ends.
      await refusal(archiveOf(withLayer(bomb, diffId)))
      await refusal(bomb)
    }
    const header = tarOf({ name: 'zeros', data: new Uint8Array() }).subarray(0, 512)
    const big = tarOf({ name: 'zeros', size: 10 ** 9, data: new Uint8Array() }).subarray(0, 512)
    const endless = zstdOf(big, 1000)
    expect(header.length + endless.length).toBeLessThan(8192)
    expect(await refusal(archiveOf(withLayer(endless, diffId)))).toMatchObject({ code: 'image-quota' })
    expect(await refusal(endless)).toMatchObject({ code: 'image-quota' })
    await expect(images.import([endless])).rejects.toMatchObject({ code: 'image-quota' })
    expect(await store.list()).toEqual([])
  })

  test('files, names and attributes', async () => {
    const many = tarOf(...Array.from({ length: 6000 }, (_, n) => ({ name: `f${n}` })))
    expect((await refusal(archiveOf(withLayer(many, digestOf(many))))).message).toContain('more than 5000 entries')
    const attributes = new Map([['user.big', new Uint8Array(60_000)]])
    const large = tarOf(...Array.from({ length: 30 }, (_, n) => ({ name: `f${n}`, attributes })))
    expect(await refusal(archiveOf(withLayer(large, digestOf(large))))).toMatchObject({ code: 'image-quota' })
    // A file of 8 EiB that is nothing but a hole takes no space.
    const hole = tarOf({ name: 'hole', extents: [], size: 2 ** 52, data: new Uint8Array() })
    expect((await images.load([archiveOf(withLayer(hole, digestOf(hole)))])).length).toBe(1)
  })

  test('documents that are huge, deep, or without end', async () => {
    const layout = layoutOf(image)
    layout.set('index.json', bytesOfText(`{"schemaVersion":2,"manifests":[],"x":"${'x'.repeat(5 * MiB)}"}`))
    expect(await refusal(archiveOf(layout))).toMatchObject({ code: 'image-document' })
    for (const deep of ['['.repeat(MiB), `{"a":`.repeat(200_000), `"${'\\"['.repeat(1000)}`]) {
      layout.set('index.json', bytesOfText(deep))
      expect(await refusal(archiveOf(layout))).toMatchObject({ code: 'image-document' })
    }
    const nested = `{"a":`.repeat(100) + '1' + '}'.repeat(100)
    await refusal(archiveOf(changed('config', (config) => (config['x'] = JSON.parse(nested)))))
    layout.set(
      'index.json',
      json({ schemaVersion: 2, manifests: Array.from({ length: 10_001 }, () => descriptorOf(MANIFEST, base)) }),
    )
    await refusal(archiveOf(layout))
  })

  test('indexes within indexes', async () => {
    const layout = layoutOf(image)
    let inner: Uint8Array<ArrayBuffer> = image.manifest
    for (let n = 0; n < 10; n++) {
      inner = json({ schemaVersion: 2, manifests: [descriptorOf(n === 0 ? MANIFEST : INDEX, inner)], n })
      layout.set(blobPath(inner), inner)
    }
    layout.set('index.json', json({ schemaVersion: 2, manifests: [descriptorOf(INDEX, inner)] }))
    expect((await refusal(archiveOf(layout))).message).toContain('deep in each other')
  })
})

describe('documents of another form', () => {
  test.each([
    ['no object', '[]'],
    ['no JSON', '{'],
    ['no UTF-8', '\xff'],
    ['a prototype', '{"__proto__":{"manifests":[]},"schemaVersion":2}'],
    ['another version', '{"schemaVersion":1,"manifests":[]}'],
    ['another digest', '{"schemaVersion":2,"manifests":[{"mediaType":"a/b","size":1,"digest":"md5:00"}]}'],
    [
      'a digest that is a path',
      '{"schemaVersion":2,"manifests":[{"mediaType":"a/b","size":1,"digest":"sha256:../../../etc/passwd"}]}',
    ],
    ['no image', '{"schemaVersion":2,"manifests":[]}'],
  ])('%s', async (_, text) => {
    const layout = layoutOf(image)
    layout.set(
      'index.json',
      Uint8Array.from(text, (each) => each.charCodeAt(0)),
    )
    await refusal(archiveOf(layout))
  })

  test('what is no archive, or the archive of a tree', async () => {
    await refusal(new Uint8Array())
    await refusal(bytesOfText('hello'))
    await refusal(bytesOfText('x'.repeat(2000)))
    expect((await refusal(base)).message).toContain('import it')
    expect((await refusal(tarOf({ name: 'repositories', data: '{}' }))).message).toContain('before 1.10')
  })

  test('entries that come twice: the last one counts', async () => {
    const layout = layoutOf(image, 'app:1')
    const twice = tarOf(
      { name: 'index.json', data: 'nonsense' },
      ...[...layout, ...layout].map(([name, data]) => ({ name, data })),
    )
    expect((await images.load([twice]))[0]!.names).toEqual(['docker.io/library/app:1'])
  })
})

test('trees that are changed anywhere are refused, or are trees', async () => {
  const rich = tarOf(
    { name: 'usr/bin/sh', data: 'x'.repeat(700), attributes: new Map([['user.a', bytesOfText('1')]]) },
    { name: 'bin', type: 'symlink', target: 'usr/bin' },
    { name: 'bin/ash', type: 'hardlink', target: 'usr/bin/sh' },
    { name: 'dev/null', type: 'character', major: 1, minor: 3 },
    { name: 'etc/.wh.gone' },
    { name: 'var/.wh..wh..opq' },
    { name: 'n'.repeat(150), data: 'long', modified: { seconds: -1, nanoseconds: 5 } },
    { name: 's', extents: [{ position: 5000, length: 0 }], size: 5000, data: new Uint8Array() },
  )
  let refused = 0
  for (let seed = 0; seed < 1500; seed++) {
    const random = new Random(seed)
    const bytes = rich.slice()
    for (let n = 1 + random.below(4); n > 0; n--) {
      const at = random.below(bytes.length)
      // Within a header also such that its checksum holds: a digit more here is one less there.
      if (random.below(2) === 0) bytes[at] = random.below(256)
      else {
        const other = Math.min(bytes.length - 1, at - (at % 512) + random.below(512))
        bytes[at]!++
        bytes[other]!--
      }
    }
    store = memoryStore()
    images = new Images({ store, limits: { bytes: 8 * MiB, entries: 100, metadataBytes: MiB } })
    try {
      await images.import([bytes], { name: 'x' })
    } catch (error) {
      expect(error, `seed ${seed}`).toBeInstanceOf(ImageError)
      expect(await store.list(), `seed ${seed}`).toEqual([])
      refused++
      continue
    }
    let size = 0
    for await (const piece of images.export('x')) {
      size += piece.length
      if (size > 32 * MiB) break
    }
    expect(size % 512 === 0 || size > 32 * MiB, `seed ${seed}`).toBe(true)
  }
  expect(refused).toBeGreaterThan(500)
  expect(refused).toBeLessThan(1400)
})

test('archives that are changed anywhere are refused or say the same, and leave nothing or all', async () => {
  const archives: (readonly [Uint8Array, Made])[] = [
    [archiveOf(layoutOf(image, 'app:1')), image],
    [dockerArchiveOf(image, 'app:1'), image],
    [gzipSync(archiveOf(layoutOf(image, 'app:1'))), image],
  ]
  let refused = 0
  for (let seed = 0; seed < 600; seed++) {
    const random = new Random(seed)
    const [archive, made] = random.of(archives)
    let bytes = archive.slice()
    for (let n = 1 + random.below(3); n > 0; n--) {
      const at = random.below(bytes.length)
      const end = at + random.below(1024)
      switch (random.below(4)) {
        case 0:
          bytes[at] = random.below(256)
          break
        case 1:
          bytes = bytes.slice(0, at)
          break
        case 2:
          bytes.fill(random.of([0, 0x30, 0xff]), at, end)
          break
        default:
          bytes.copyWithin(random.below(bytes.length), at, end)
      }
      if (bytes.length === 0) break
    }
    store = memoryStore()
    images = new Images({ store, limits: { bytes: 8 * MiB } })
    try {
      const [loaded] = await images.load([bytes])
      expect(loaded!.id, `seed ${seed}`).toBe(digestOf(made.config))
      using root = await loaded!.root()
      expect(readFile(root.layers[0]!, '/etc/motd'), `seed ${seed}`).toBe('hello')
    } catch (error) {
      if (!(error instanceof ImageError)) throw error
      refused++
      expect(await store.list(), `seed ${seed}`).toEqual([])
    }
  }
  expect(refused).toBeGreaterThan(200)
})
