import { beforeEach, describe, expect, test } from 'vitest'
import {
  CONFIG,
  collected,
  descriptorOf,
  digestOf,
  INDEX,
  imageOf,
  json,
  LAYER,
  MANIFEST,
  Random,
  tarOf,
} from '../../test/fixtures.ts'
import { notJson, RegistryServer } from '../../test/registry-server.ts'
import type { ImageError } from '../errors.ts'
import { Images } from '../images/images.ts'
import { memoryStore } from '../store/memory.ts'
import { readChallenge } from './challenge.ts'
import { Registry } from './registry.ts'

const random = new Random(1)
const noise = Uint8Array.from({ length: 100_000 }, () => random.below(256))
const base = tarOf({ name: 'bin/noise', data: noise })
const image = imageOf([base, tarOf({ name: 'etc/motd', data: 'hello' })])
const amd64 = imageOf([base], { architecture: 'amd64' })
const name = 'localhost:5000/team/app:1'
const layerPath = `team/app/blobs/${digestOf(image.layers[0]!)}`

let server: RegistryServer
let waits: number[]
let registry: Registry
let store: ReturnType<typeof memoryStore>
let images: Images
beforeEach(() => {
  server = new RegistryServer('http://localhost:5000')
  server.add('team/app', '1', image)
  waits = []
  registry = registryFor()
  store = memoryStore()
  images = new Images({ store })
})

function registryFor(credentials?: { username: string; password: string }): Registry {
  return new Registry({
    fetch: server.fetch,
    wait: async (time) => void waits.push(time),
    ...(credentials ? { credentials: () => credentials } : {}),
  })
}

const pull = (of = name, options = {}) => images.pull(of, { registry, ...options })

/** What is said where something is refused, and that nothing stays. */
async function refusal(work: Promise<unknown>): Promise<ImageError> {
  const error = await work.then(
    () => undefined,
    (reason: ImageError) => reason,
  )
  expect(error?.code).toMatch(/^image-/)
  expect(await store.list()).toEqual([])
  return error!
}

function addIndex(tag: string, ...entries: object[]): void {
  server.addManifest('team/app', tag, json({ schemaVersion: 2, mediaType: INDEX, manifests: entries }), INDEX)
}
const of386 = { ...descriptorOf(MANIFEST, image.manifest), platform: { os: 'linux', architecture: '386' } }
const ofAmd64 = { ...descriptorOf(MANIFEST, amd64.manifest), platform: { os: 'linux', architecture: 'amd64' } }

describe('pull', () => {
  test('by a tag, by the digest of the manifest, and by that of an index', async () => {
    const pulled = await pull()
    expect(pulled.names).toEqual([name])
    expect(pulled.descriptor.digest).toBe(digestOf(image.manifest))
    expect((await pull(`localhost:5000/team/app@${digestOf(image.manifest)}`)).id).toBe(pulled.id)
    server.add('team/app', 'amd64', amd64)
    addIndex('multi', ofAmd64, of386)
    expect((await pull('localhost:5000/team/app:multi')).id).toBe(pulled.id)
    expect((await images.find('localhost:5000/team/app:multi')).names.length).toBe(3)
    const other = await pull('localhost:5000/team/app:multi', { platform: { os: 'linux', architecture: 'amd64' } })
    expect(other.config.architecture).toBe('amd64')
  })

  test('what is there already is not fetched again', async () => {
    await pull()
    const [before] = [server.log.length]
    await pull()
    expect(server.log.slice(before)).toEqual(['GET team/app/manifests/1'])
    // Another image with one of the layers.
    server.add('team/app', '2', imageOf([base]))
    await pull('localhost:5000/team/app:2')
    expect(server.log.filter((line) => line === `GET ${layerPath}`).length).toBe(1)
  })

  test('an image that has nothing for this platform says what it has', async () => {
    server.add('team/app', 'amd64', amd64)
    addIndex('multi', ofAmd64, { ...ofAmd64, platform: { os: 'windows', architecture: 'arm64', variant: 'v8' } })
    expect((await refusal(pull('localhost:5000/team/app:multi'))).message).toContain('linux/amd64, windows/arm64/v8')
    expect(await refusal(pull('localhost:5000/team/app:amd64'))).toMatchObject({ code: 'image-platform' })
  })

  test('manifests of before 2016, artifacts and nonsense are refused by name', async () => {
    const v1 = 'application/vnd.docker.distribution.manifest.v1+prettyjws'
    server.addManifest('team/app', 'v1', json({ schemaVersion: 1, fsLayers: [] }), v1)
    expect((await refusal(pull('localhost:5000/team/app:v1'))).message).toContain('schema 1')
    server.addManifest('team/app', 'no', notJson, 'text/html')
    expect(await refusal(pull('localhost:5000/team/app:no'))).toMatchObject({ code: 'image-document' })
    const artifact = json({ schemaVersion: 2, config: descriptorOf('application/x', notJson), layers: [] })
    server.addManifest('team/app', 'art', artifact, MANIFEST)
    expect(await refusal(pull('localhost:5000/team/app:art'))).toMatchObject({ code: 'image-platform' })
    // Something that could be read as either.
    const both = json({ ...JSON.parse(new TextDecoder().decode(image.manifest)), mediaType: INDEX, manifests: [] })
    server.addManifest('team/app', 'both', both, MANIFEST)
    await refusal(pull('localhost:5000/team/app:both'))
    const strange = json({
      schemaVersion: 2,
      config: descriptorOf(CONFIG, image.config),
      layers: [descriptorOf('application/x', notJson), descriptorOf(LAYER, base)],
    })
    server.addManifest('team/app', 'strange', strange, MANIFEST)
    expect(await refusal(pull('localhost:5000/team/app:strange'))).toMatchObject({ code: 'image-unsupported' })
  })

  test('a name that is not there says so', async () => {
    expect((await refusal(pull('localhost:5000/team/app:none'))).message).toContain("('it is MANIFEST_UNKNOWN')")
    expect((await refusal(pull('localhost:5000/none'))).message).toContain("has no 'localhost:5000/none:latest'")
  })

  test('a connection that breaks is taken up where it broke', async () => {
    server.faults = { breakAfter: (path, count) => (path === layerPath && count <= 3 ? 20_000 : undefined) }
    const pulled = await pull()
    expect(server.log.filter((line) => line.startsWith(`GET ${layerPath}`))).toEqual([
      `GET ${layerPath}`,
      `GET ${layerPath} bytes=20000-`,
      `GET ${layerPath} bytes=40000-`,
      `GET ${layerPath} bytes=60000-`,
    ])
    expect(waits).toEqual([500, 1000, 2000])
    expect((await collected(images.export(pulled.names[0]!))).length).toBeGreaterThan(noise.length)
  })

  test('also by a registry that knows no ranges', async () => {
    server.faults = {
      ranges: false,
      breakAfter: (path, count) => (path === layerPath && count <= 2 ? 30_000 : undefined),
    }
    await pull()
  })

  test('but not for ever', async () => {
    server.faults = { breakAfter: (path) => (path === layerPath ? 10 : undefined) }
    expect((await refusal(pull())).message).toContain('after 5 tries')
    server.faults = { instead: () => new Response(null, { status: 503, headers: { 'retry-after': '7' } }) }
    waits = []
    expect((await refusal(pull())).message).toContain('answers 503')
    expect(waits).toEqual([7000, 7000, 7000, 7000])
    expect((await refusal(pull('localhost:1/app'))).message).toContain('cannot be reached (getaddrinfo ENOTFOUND)')
  })

  test.each([
    ['other bytes', (bytes: Uint8Array<ArrayBuffer>) => bytes.map((byte, n) => (n === 50 ? byte ^ 1 : byte))],
    ['more bytes', (bytes: Uint8Array<ArrayBuffer>) => new Uint8Array([...bytes, 0])],
  ])('%s than the digest says are refused', async (_, change) => {
    for (const part of [image.layers[0]!, image.config]) {
      server.blobs.set(digestOf(part), change(part))
      expect(await refusal(pull())).toMatchObject({ code: 'image-digest' })
      server.blobs.set(digestOf(part), part)
    }
    server.manifests.get(`team/app:${digestOf(image.manifest)}`)!.bytes = change(image.manifest)
    await refusal(pull(`localhost:5000/team/app@${digestOf(image.manifest)}`))
  })

  test('who gives up in the middle leaves nothing, and the next one is served', async () => {
    const controller = new AbortController()
    const progress = ({ done }: { done: number }) => done > 0 && controller.abort()
    await expect(pull(name, { signal: controller.signal, progress })).rejects.toThrow('abort')
    expect(await store.list()).toEqual([])
    await pull()
  })

  test('a quota holds for what is fetched and for what it becomes', async () => {
    images = new Images({ store, limits: { bytes: 50_000 } })
    expect(await refusal(pull())).toMatchObject({ code: 'image-quota' })
    images = new Images({ store, limits: { bytes: 150_000 } })
    expect(await refusal(pull())).toMatchObject({ code: 'image-quota' })
  })
})

describe('who asks', () => {
  test('is asked for a token, and gets one with a password', async () => {
    server.guard = { user: 'me', password: 'password' }
    expect((await refusal(pull())).message).toContain('401')
    registry = registryFor({ username: 'me', password: 'wrong' })
    expect((await refusal(pull())).message).toContain('does not let us at')
    registry = registryFor({ username: 'me', password: 'password' })
    await pull()
    // One token for all of it.
    expect(server.log.filter((line) => line.startsWith('GET /token')).length).toBe(3)
  })

  test('or for the password itself', async () => {
    server.guard = { user: 'me', password: 'password', basic: true }
    await refusal(pull())
    registry = registryFor({ username: 'me', password: 'wrong' })
    expect((await refusal(pull())).message).toContain('does not take what it asked for')
    registry = registryFor({ username: 'me', password: 'password' })
    await pull()
  })

  test('is not sent elsewhere with it, nor over an open line', async () => {
    for (const realm of ['http://evil.example/token', 'file:///etc/passwd', 'nonsense', '']) {
      const headers = { 'www-authenticate': `Bearer realm="${realm}"` }
      server.faults = { instead: () => new Response(null, { status: 401, headers }) }
      await refusal(pull())
    }
    const seen: string[] = []
    registry = new Registry({
      wait: async () => {},
      fetch: async (url) => {
        seen.push(url)
        throw new TypeError('no')
      },
    })
    for (const each of [
      'debian',
      'example.com/a',
      'localhost/a',
      '127.0.0.1:5000/a',
      '[::1]:5000/a',
      'localhost.evil.com/a',
    ])
      await refusal(pull(each))
    expect([...new Set(seen.map((url) => new URL(url).origin))]).toEqual([
      'https://registry-1.docker.io',
      'https://example.com',
      'http://localhost',
      'http://127.0.0.1:5000',
      'http://[::1]:5000',
      'https://localhost.evil.com',
    ])
  })
})

test('challenges are read as they are written', () => {
  const challenge = readChallenge('Bearer realm="https://a/b?c=d,e",service=plain , scope="x \\"y\\""')
  expect(challenge?.scheme).toBe('bearer')
  expect([...challenge!.parameters]).toEqual([
    ['realm', 'https://a/b?c=d,e'],
    ['service', 'plain'],
    ['scope', 'x "y"'],
  ])
  expect(readChallenge('Basic')).toMatchObject({ scheme: 'basic' })
  for (const text of [null, '', '=', '"', 'x'.repeat(5000)]) expect(readChallenge(text)).toBeUndefined()
})

test('an image is pushed under its name or another, what is there already only named, and pulled again', async () => {
  await pull()
  server.blobs.delete(digestOf(image.layers[0]!))
  const digest = await images.push(name, { registry, as: 'localhost:5000/team/app:copy' })
  expect(digest).toBe(digestOf(image.manifest))
  expect(server.log.filter((line) => line.startsWith('PATCH')).length).toBe(1)
  expect(server.uploads.size).toBe(0)
  const other = new Images({ store: memoryStore() })
  expect((await other.pull('localhost:5000/team/app:copy', { registry })).id).toBe(digestOf(image.config))
})
