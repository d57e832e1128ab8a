import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { zstdCompressSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  archiveOf,
  blobPath,
  digestOf,
  dockerArchiveOf,
  imageOf,
  inPieces,
  layoutOf,
  readFile,
  tarOf,
} from '../../test/fixtures.ts'
import { ImageError } from '../errors.ts'
import { Images } from '../images/images.ts'
import { directoryStore, layoutFolder, nodeCodecs, writeLayout } from './index.ts'

const base = tarOf({ name: 'etc/motd', data: 'hello' }, { name: 'big', data: new Uint8Array(3 << 20) })
const image = imageOf([base, tarOf({ name: 'etc/more', data: 'more' })])
const archive = archiveOf(layoutOf(image, 'app:1'))

let folder: string
let store: string
let images: Images
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vmexit-image-'))
  store = join(folder, 'store')
  images = open()
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function open(): Images {
  return new Images({ store: directoryStore(store), codecs: nodeCodecs })
}

/** All files of the store but those that every store has. */
function kept(): string[] {
  return readdirSync(store, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !['oci-layout', 'index.json'].includes(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(store.length + 1))
}

/** Another program that changes the store; `body` sees `images` and `load`. */
function program(body: string): ChildProcess {
  const source = `
    const { Images } = await import('@vmexit/image')
    const { directoryStore, nodeCodecs } = await import('@vmexit/image/node')
    const { readFileSync } = await import('node:fs')
    const images = new Images({ store: directoryStore(${JSON.stringify(store)}), codecs: nodeCodecs })
    const bytes = readFileSync(${JSON.stringify(join(folder, 'archive.tar'))})
    const pause = (time) => new Promise((resolve) => setTimeout(resolve, time))
    ${body}`
  const args = ['--conditions=@vmexit/source', '--input-type=module', '-e', source]
  return spawn(process.execPath, args, {
    cwd: join(import.meta.dirname, '../..'),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

test('another program finds the images, and reads their files from the disk', async () => {
  await images.load(inPieces(archive))
  const [found] = await open().list()
  expect(found!.names).toEqual(['docker.io/library/app:1'])
  expect(found!.size).toBe(base.length + 1024 + 1024)
  using root = await found!.root()
  expect(readFile(root.layers[1]!, '/etc/motd')).toBe('hello')
  // Each layer as it came and uncompressed, with its catalog; the configuration and the manifest.
  expect(kept().length).toBe(2 * 3 + 2)
})

test('the folder is a layout: images are loaded from one store into another', async () => {
  await images.load([archive])
  const other = new Images({ store: directoryStore(join(folder, 'other')), codecs: nodeCodecs })
  expect((await other.loadLayout(layoutFolder(store)))[0]!.names).toEqual(['docker.io/library/app:1'])
})

test('layouts are written to folders and loaded from them', async () => {
  await images.load([archive])
  const path = join(folder, 'layout')
  await writeLayout(path, images.layout(['app:1']))
  await images.remove('app:1')
  expect((await images.loadLayout(layoutFolder(path)))[0]!.id).toBe(digestOf(image.config))
  await expect(writeLayout(path, images.layout(['app:1']))).rejects.toThrow('is there already')
  await expect(writeLayout(join(folder, 'none'), images.layout(['none:1']))).rejects.toThrow('there is no image')
  const gone = AbortSignal.abort()
  await expect(writeLayout(join(folder, 'gone'), images.layout(['app:1']), gone)).rejects.toThrow('abort')
  expect(readdirSync(folder).sort()).toEqual(['layout', 'store'])
})

test('links in a layout are not followed, and what waits for a writer is not waited for', async () => {
  const path = join(folder, 'layout')
  for (const [name, bytes] of layoutOf(image)) {
    mkdirSync(dirname(join(path, name)), { recursive: true })
    writeFileSync(join(path, name), bytes)
  }
  unlinkSync(join(path, 'index.json'))
  symlinkSync('/etc/passwd', join(path, 'index.json'))
  await expect(images.loadLayout(layoutFolder(path))).rejects.toThrow('is no file')
  unlinkSync(join(path, 'index.json'))
  await expect(images.loadLayout(layoutFolder(path))).rejects.toThrow('it has no index.json')
  mkdirSync(join(path, 'index.json'))
  await expect(images.loadLayout(layoutFolder(path))).rejects.toThrow('is no file')
})

test('layers by zstd', async () => {
  const layer = zstdCompressSync(base) as Uint8Array<ArrayBuffer>
  const made = imageOf([base], { plain: true })
  const [loaded] = await images.load([dockerArchiveOf({ ...made, diffs: [layer] }, 'zstd:1')])
  expect(loaded!.manifest.layers[0]!.mediaType).toBe('application/vnd.oci.image.layer.v1.tar+zstd')
  using root = await loaded!.root()
  expect(readFile(root.layers[0]!, '/etc/motd')).toBe('hello')
})

test('a catalog that is gone is made again, and content that is gone is missed by name', async () => {
  await images.load([archive])
  for (const name of readdirSync(join(store, 'notes'))) unlinkSync(join(store, 'notes', name))
  {
    using root = await (await open().find('app:1')).root()
    expect(readFile(root.layers[1]!, '/etc/motd')).toBe('hello')
  }
  expect(readdirSync(join(store, 'notes')).length).toBe(2)
  unlinkSync(join(store, blobPath(base)))
  await expect((await open().find('app:1')).root()).rejects.toThrow(digestOf(base))
  // A manifest that is damaged is no image, and can be removed by its digest.
  truncateSync(join(store, blobPath(image.manifest)), 10)
  expect(await open().list()).toEqual([])
  await images.remove(digestOf(image.manifest))
  expect(kept()).toEqual([])
})

test('files stay readable for who has them, after the image is gone', async () => {
  const [loaded] = await images.load([archive])
  using root = await loaded!.root()
  await open().remove('app:1')
  expect(kept()).toEqual([])
  expect(readFile(root.layers[1]!, '/etc/motd')).toBe('hello')
})

test('what a program that was killed has begun is gone after the next change', async () => {
  writeFileSync(join(folder, 'archive.tar'), dockerArchiveOf(image, 'app:1'))
  const child = program(`
    async function* slowly() {
      for (let at = 0; ; at += 4096) {
        yield bytes.subarray(at, at + 4096)
        if (at === 8192) console.log('begun')
        if (at >= 8192) await pause(100)
      }
    }
    await images.load(slowly())`)
  await once(child.stdout!, 'data')
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(kept()).toContain('lock')
  expect(kept().some((name) => name.startsWith('incoming/'))).toBe(true)
  expect(await open().list()).toEqual([])
  await images.load([archive])
  await images.remove('app:1')
  expect(kept()).toEqual([])
})

test('several programs change the store at once, one after the other', async () => {
  writeFileSync(join(folder, 'archive.tar'), archive)
  const children = Array.from({ length: 3 }, (_, n) =>
    program(`for (let n = 0; n < 5; n++) await images.load([bytes], { name: 'app:${n}-' + n })`),
  )
  const codes = await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0]))
  expect(codes).toEqual([0, 0, 0])
  expect((await images.find('app:2-4')).names.length).toBe(15)
  expect(existsSync(join(store, 'lock'))).toBe(false)
  // In one program, too; who waits can give up.
  const controller = new AbortController()
  const waited: string[] = []
  writeFileSync(join(store, 'lock'), JSON.stringify({ pid: process.ppid, started: '' }))
  const waiting = open().tag('app:1-1', 'app:x', {
    signal: controller.signal,
    progress: ({ step, what }) => step === 'wait' && waited.push(what) && controller.abort(),
  })
  await expect(waiting).rejects.toThrow('abort')
  expect(waited).toEqual([`process ${process.ppid}`])
})

test('a lock of a process whose number another has now, or of none, is taken over', async () => {
  for (const lock of [{ pid: process.pid, started: '1' }, { pid: 2 ** 22 + 1, started: '' }, {}]) {
    mkdirSync(store, { recursive: true })
    writeFileSync(join(store, 'lock'), JSON.stringify(lock))
    await images.load([archive])
  }
})

test('a folder that cannot be used says why', async () => {
  writeFileSync(store, 'a file')
  const error = await images.load([archive]).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(ImageError)
  expect((error as ImageError).code).toBe('image-store')
  expect(readFileSync(store, 'utf8')).toBe('a file')
})

test('a layer of 300 MB is loaded in a few MB of memory', async () => {
  const size = 300e6
  const piece = new Uint8Array(1 << 16).map((_, n) => n % 251)
  const header = tarOf({ name: 'big', size, data: new Uint8Array() }).subarray(0, 512)
  function* layer(): Generator<Uint8Array> {
    yield header
    for (let left = size; left > 0; left -= piece.length) yield piece.subarray(0, Math.min(left, piece.length))
    yield new Uint8Array(512 - (size % 512) + 1024)
  }
  let most = 0
  const begin = process.memoryUsage.rss()
  await images.import(layer(), {
    name: 'big:1',
    progress: () => {
      most = Math.max(most, process.memoryUsage.rss() - begin)
    },
  })
  expect(most).toBeLessThan(150e6)
  using root = await (await images.find('big:1')).root()
  const fs = root.layers[0]!
  const into = new Uint8Array(3)
  const inode = fs.lookup(fs.root, 'big')
  expect(typeof inode === 'object' && fs.read(inode, into, 0, 3, 299e6)).toBe(3)
})
