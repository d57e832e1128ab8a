/**
 * Images between this package and the tools that others use: skopeo and umoci write what is read here and accept what is written here, and
 * Debian's docker-registry is in between. Each is skipped where it is not installed.
 */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { OverlayFs } from '@vmexit/overlayfs'
import { Errno, type File, Open, SettableTime, TmpFs, Vfs } from '@vmexit/vfs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  blobPath,
  bytesOfText,
  descriptorOf,
  digestOf,
  INDEX,
  imageOf,
  json,
  layoutOf,
  MANIFEST,
  readFile,
  tarOf,
} from '../test/fixtures.ts'
import { canonicalName, type Image, Images, parseReference, Registry } from './index.ts'
import { directoryStore, layoutFolder, nodeCodecs, writeLayout } from './node/index.ts'

const has = (program: string, ...args: string[]): boolean => spawnSync(program, args).status === 0
const tools = has('skopeo', '--version') && has('umoci', '--version')
const registryProgram = has('docker-registry', '--version')
const named = tools ? '' : ' (skipped: skopeo or umoci is not installed)'

const folder = mkdtempSync(join(tmpdir(), 'vmexit-tools-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const at = (...names: string[]): string => join(folder, ...names)

async function run(program: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(program, args, { cwd: folder, timeout: 60_000 })
  return stdout
}
const skopeo = (...args: string[]): Promise<string> => run('skopeo', '--insecure-policy', ...args)

const images = new Images({ store: directoryStore(at('store')), codecs: nodeCodecs })

/** What a container would see of some files. */
async function filesOf(image: Image): Promise<unknown[]> {
  using root = await image.root()
  const fs = new OverlayFs({ lower: root.layers.map((layer) => layer.root) })
  return ['/etc/motd', '/etc/gone', '/bin/sh'].map((path) => readFile(fs, path))
}
const expected = ['hello', -Errno.ENOENT, 'shell']

describe.skipIf(!tools)(`what skopeo and umoci write is read${named}`, () => {
  beforeAll(async () => {
    mkdirSync(at('etc'))
    writeFileSync(at('etc', 'motd'), 'hello')
    writeFileSync(at('etc', 'gone'), 'gone')
    writeFileSync(at('sh'), 'shell', { mode: 0o755 })
    await run('umoci', 'init', '--layout', 'theirs')
    await run('umoci', 'new', '--image', 'theirs:v1')
    await run('umoci', 'insert', '--rootless', '--image', 'theirs:v1', 'etc', '/etc')
    await run('umoci', 'insert', '--rootless', '--image', 'theirs:v1', 'sh', '/bin/sh')
    await run('umoci', 'insert', '--rootless', '--image', 'theirs:v1', '--whiteout', '/etc/gone')
    await run(
      'umoci',
      'config',
      '--image',
      'theirs:v1',
      '--architecture',
      '386',
      '--os',
      'linux',
      '--config.cmd',
      '/bin/sh',
    )
  })

  test('a layout', async () => {
    const [loaded] = await images.loadLayout(layoutFolder(at('theirs')), { name: 'theirs:layout' })
    expect(loaded!.config.config?.Cmd).toEqual(['/bin/sh'])
    expect(await filesOf(loaded!)).toEqual(expected)
  })

  const docker = 'docker-archive:theirs.docker.tar:theirs:docker'
  const zstd = ['--dest-compress-format', 'zstd'] as const

  test.each([
    ['an archive of docker save', 'oci:theirs:v1', [docker], 'theirs:docker', /tar$/],
    ['an archive of a layout', 'oci:theirs:v1', ['oci-archive:oci.tar:x.org/theirs:oci'], 'x.org/theirs:oci', /gzip$/],
    // Only what is not compressed is compressed by zstd.
    ['one by zstd', docker, [...zstd, 'oci-archive:zstd.tar:theirs:zstd'], 'theirs:zstd', /zstd$/],
  ])('%s', async (_, source, target, name, type) => {
    await skopeo('copy', source, ...target)
    const file = target.at(-1)!.split(':')[1]!
    const [loaded] = await images.load([readFileSync(at(file))])
    expect(loaded!.names).toContain(canonicalName(parseReference(name)))
    for (const { mediaType } of loaded!.manifest.layers) expect(mediaType).toMatch(type)
    expect(await filesOf(loaded!)).toEqual(expected)
  })
})

async function ours(): Promise<Image> {
  const rootfs = tarOf(
    { name: 'etc/motd', data: 'old' },
    { name: 'etc/gone', data: 'gone' },
    { name: 'dir/below', data: 'x' },
    { name: 'bin/sh', data: 'shell', mode: 0o4755 },
    { name: 'bin/ash', type: 'hardlink', target: 'bin/sh' },
    { name: 'é \xff'.replace('é', '\xc3\xa9'), data: 'bytes' },
    { name: 'n'.repeat(200), type: 'symlink', target: 't'.repeat(300) },
  )
  await images.import([rootfs], { name: 'ours:1', created: '2026-01-01T00:00:00Z', config: { Cmd: ['/bin/sh'] } })
  const time = new SettableTime(1_700_000_000, 5)
  const upper = new TmpFs({ time, mode: 0o755 })
  using root = await (await images.find('ours:1')).root()
  const vfs = new Vfs({ time })
  const task = vfs.newTask(
    vfs.newTree(new OverlayFs({ lower: root.layers.map((layer) => layer.root), upper: upper.root })),
  )
  expect(vfs.unlink(task, null, '/etc/gone')).toBe(0)
  expect(vfs.unlink(task, null, '/dir/below')).toBe(0)
  expect(vfs.rmdir(task, null, '/dir')).toBe(0)
  expect(vfs.mkdir(task, null, '/dir', 0o700)).toBe(0)
  const file = vfs.open(task, null, '/etc/motd', Open.O_WRONLY | Open.O_TRUNC) as File
  vfs.write(task, file, bytesOfText('hello'))
  vfs.close(file)
  return await images.commit(upper, { base: 'ours:1', name: 'ours:2', created: '2026-01-02T00:00:00Z' })
}

async function saved(): Promise<string> {
  const file = at('ours.tar')
  const pieces: Uint8Array[] = []
  for await (const piece of images.save(['ours:2'])) pieces.push(piece)
  writeFileSync(file, Buffer.concat(pieces))
  return file
}

describe.skipIf(!tools)(`what is written here is accepted by skopeo and umoci${named}`, () => {
  test('as a layout and as an archive of both kinds, with equal digests', async () => {
    const image = await ours()
    await saved()
    await writeLayout(at('ours'), images.layout(['ours:2']))
    for (const source of ['oci-archive:ours.tar', 'oci:ours:2', 'docker-archive:ours.tar']) {
      const about = JSON.parse(await skopeo('inspect', source))
      expect(about, source).toMatchObject({ Os: 'linux', Architecture: '386', Created: '2026-01-02T00:00:00Z' })
      const config = JSON.parse(await skopeo('inspect', '--config', source))
      expect(config.rootfs.diff_ids, source).toEqual(image.config.rootfs.diff_ids)
    }
    expect(JSON.parse(await skopeo('inspect', 'oci:ours:2')).Digest).toBe(image.descriptor.digest)
    await skopeo('copy', 'oci-archive:ours.tar', 'oci:copy:2')
    await skopeo('copy', 'docker-archive:ours.tar:ours:2', 'oci:docker:2')
    for (const layout of ['ours', 'copy', 'docker']) {
      await run('umoci', 'unpack', '--rootless', '--image', `${layout}:2`, `bundle-${layout}`)
      const rootfs = (...names: string[]): string => at(`bundle-${layout}`, 'rootfs', ...names)
      expect(readFileSync(rootfs('etc', 'motd'), 'utf8')).toBe('hello')
      expect(readFileSync(rootfs('bin', 'ash'), 'utf8')).toBe('shell')
      expect([rootfs('etc', 'gone'), rootfs('dir', 'below')].map((path) => existsSync(path))).toEqual([false, false])
      expect(existsSync(Buffer.concat([Buffer.from(`${rootfs()}/`), Buffer.from('\xc3\xa9 \xff', 'latin1')]))).toBe(
        true,
      )
    }
  })

  test('the store itself', async () => {
    await ours()
    const about = JSON.parse(await skopeo('inspect', `oci:${at('store')}:docker.io/library/ours:2`))
    expect(about.Architecture).toBe('386')
  })

  test('the export of a tree, by tar', async () => {
    await ours()
    const pieces: Uint8Array[] = []
    for await (const piece of images.export('ours:2')) pieces.push(piece)
    mkdirSync(at('exported'), { recursive: true })
    const { status } = spawnSync('tar', ['-xf', '-', '-C', at('exported')], { input: Buffer.concat(pieces) })
    expect(status).toBe(0)
    expect(readFileSync(at('exported', 'etc', 'motd'), 'utf8')).toBe('hello')
  })
})

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' ? address!.port : 0
}

const isServed = tools && registryProgram
describe.skipIf(!isServed)(
  `a registry of Debian’s${isServed ? '' : ' (skipped: docker-registry, skopeo or umoci is not installed)'}`,
  () => {
    let child: ChildProcess
    let host: string
    const registry = new Registry({ fetch })
    beforeAll(async () => {
      host = `127.0.0.1:${await freePort()}`
      const config = {
        version: 0.1,
        log: { level: 'error' },
        storage: { filesystem: { rootdirectory: at('registry') } },
        http: { addr: host },
      }
      writeFileSync(at('registry.json'), JSON.stringify(config))
      child = spawn('docker-registry', ['serve', at('registry.json')], { stdio: 'ignore' })
      for (let tries = 0; ; tries++) {
        const answer = await fetch(`http://${host}/v2/`).catch(() => undefined)
        if (answer?.ok) break
        if (tries === 100) throw new Error('docker-registry does not answer')
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
    })
    afterAll(() => child.kill())

    test.each([
      ['of OCI', 'oci:theirs:v1', [], /oci.*gzip$/],
      ['of Docker', 'oci:theirs:v1', ['--format', 'v2s2'], /docker.*gzip$/],
    ])('images %s that skopeo has pushed are pulled', async (kind, source, flags, type) => {
      const name = `${host}/team/${kind.slice(3).toLowerCase()}:1`
      await skopeo('copy', '--dest-tls-verify=false', ...flags, source, `docker://${name}`)
      const image = await images.pull(name, { registry })
      expect(image.names).toContain(name)
      for (const { mediaType } of image.manifest.layers) expect(mediaType).toMatch(type)
      expect(await filesOf(image)).toEqual(expected)
    })

    test('of an index the image for linux/386 is pulled, and one without it says what it has', async () => {
      const [i386, amd64] = [
        imageOf([tarOf({ name: 'a' })]),
        imageOf([tarOf({ name: 'b' })], { architecture: 'amd64' }),
      ]
      const entry = (image: typeof i386, architecture: string) => ({
        ...descriptorOf(MANIFEST, image!.manifest),
        platform: { os: 'linux', architecture },
      })
      for (const [tag, images] of [
        ['both', [entry(amd64, 'amd64'), entry(i386, '386')]],
        ['other', [entry(amd64, 'amd64')]],
      ] as const) {
        const index = json({ schemaVersion: 2, mediaType: INDEX, manifests: images })
        const layout = new Map([...layoutOf(amd64), ...layoutOf(i386), [blobPath(index), index] as const])
        layout.set('index.json', json({ schemaVersion: 2, manifests: [descriptorOf(INDEX, index)] }))
        for (const [path, bytes] of layout) {
          mkdirSync(dirname(at(tag, path)), { recursive: true })
          writeFileSync(at(tag, path), bytes)
        }
        await skopeo('copy', '--all', '--dest-tls-verify=false', `oci:${tag}`, `docker://${host}/${tag}:1`)
      }
      expect((await images.pull(`${host}/both:1`, { registry })).id).toBe(digestOf(i386.config))
      await expect(images.pull(`${host}/other:1`, { registry })).rejects.toThrow(
        'nothing for linux/386, but linux/amd64',
      )
    })

    test('images that are pushed from here are taken by skopeo, and pulled again', async () => {
      const image = await ours()
      const name = `${host}/ours:pushed`
      const digest = await images.push('ours:2', { registry, as: name })
      const about = JSON.parse(await skopeo('inspect', '--tls-verify=false', `docker://${name}`))
      expect([about.Digest, about.Architecture]).toEqual([digest, '386'])
      await skopeo('copy', '--src-tls-verify=false', `docker://${name}`, 'oci:pulled:2')
      const other = new Images({ store: directoryStore(at('other')), codecs: nodeCodecs })
      expect((await other.pull(`${host}/ours@${digest}`, { registry })).id).toBe(image.id)
    })

    test('what it has not is told in its words', async () => {
      await expect(images.pull(`${host}/none:1`, { registry })).rejects.toThrow('manifest unknown')
    })
  },
)
