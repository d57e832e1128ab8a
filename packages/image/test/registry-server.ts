/**
 * A registry for tests, by the OCI distribution specification, as a function from requests to answers: behind a `fetch` of its own, or behind a
 * server of Node's. It can be told to fail.
 */
import type { Digest } from '../src/index.ts'
import { bytesOfText, digestOf, joined, json, type Layout, MANIFEST, type Made } from './fixtures.ts'

/** How it misbehaves; each is called for every request. */
export interface Faults {
  /** Another answer instead. */
  readonly instead?: (method: string, path: string, count: number) => Response | undefined
  /** So many bytes of a blob, and then the connection breaks. */
  readonly breakAfter?: (path: string, count: number) => number | undefined
  readonly ranges?: boolean
}

/** What is asked for before anything is given. */
export interface Guard {
  readonly user: string
  readonly password: string
  /** By the password itself instead of a token. */
  readonly basic?: true
}

export class RegistryServer {
  readonly blobs: Map<Digest, Uint8Array<ArrayBuffer>> = new Map()
  /** By repository and tag or digest. */
  readonly manifests: Map<string, { type: string; bytes: Uint8Array<ArrayBuffer> }> = new Map()
  readonly uploads: Map<string, Uint8Array<ArrayBuffer>> = new Map()
  readonly log: string[] = []
  faults: Faults = {}
  guard: Guard | undefined
  readonly #base: string
  #uploads = 0
  #tokens = 0
  readonly #given = new Set<string>()

  /** Its own address, such as `http://localhost:5000`. */
  constructor(base: string) {
    this.#base = base
  }

  /** Has an image under a name, and what it consists of. */
  add(repository: string, tag: string, image: Made, type: string = MANIFEST): void {
    for (const bytes of [image.config, ...image.layers]) this.blobs.set(digestOf(bytes), bytes)
    this.addManifest(repository, tag, image.manifest, type)
  }

  addManifest(repository: string, tag: string, bytes: Uint8Array<ArrayBuffer>, type: string): void {
    for (const name of [tag, digestOf(bytes)]) this.manifests.set(`${repository}:${name}`, { type, bytes })
  }

  /** What an image's layout holds, without its index. */
  addLayout(layout: Layout): void {
    for (const [path, bytes] of layout) if (path.startsWith('blobs/')) this.blobs.set(digestOf(bytes), bytes)
  }

  readonly fetch = async (url: string, init: RequestInit = {}): Promise<Response> => {
    init.signal?.throwIfAborted()
    const { pathname, searchParams, origin } = new URL(url)
    if (origin !== this.#base) throw new TypeError('fetch failed', { cause: new Error('getaddrinfo ENOTFOUND') })
    const method = init.method ?? 'GET'
    const headers = new Headers(init.headers)
    const path = pathname.replace(/^\/v2\//, '')
    this.log.push(`${method} ${path}${headers.has('range') ? ` ${headers.get('range')}` : ''}`)
    const count = this.log.filter((line) => line.startsWith(`${method} ${path}`)).length
    const instead = this.faults.instead?.(method, path, count)
    if (instead !== undefined) return instead
    if (pathname === '/token') return this.#token(headers, searchParams)
    if (this.guard?.basic) {
      const { user, password } = this.guard
      if (headers.get('authorization') !== `Basic ${btoa(`${user}:${password}`)}`)
        return new Response(null, { status: 401, headers: { 'www-authenticate': 'Basic realm="tests"' } })
    } else if (this.guard !== undefined && !this.#given.has(headers.get('authorization') ?? '')) {
      const challenge = `Bearer realm="${this.#base}/token",service="tests, \\"quoted\\"",scope="repository:x:pull"`
      return new Response(null, { status: 401, headers: { 'www-authenticate': challenge } })
    }
    const [, repository, kind, what] = path.match(/^(.+)\/(manifests|blobs)\/(.*)$/) ?? []
    if (kind === 'manifests') return this.#manifest(method, repository!, what!, headers, init.body)
    if (kind === 'blobs' && what!.startsWith('uploads/'))
      return this.#upload(method, path, searchParams, headers, init.body)
    if (kind === 'blobs') return this.#blob(method, what as Digest, path, count, headers)
    return refusal(404, 'NAME_UNKNOWN')
  }

  #token(headers: Headers, query: URLSearchParams): Response {
    const { user, password } = this.guard!
    if (headers.get('authorization') !== `Basic ${btoa(`${user}:${password}`)}`) return refusal(401, 'UNAUTHORIZED')
    if (query.get('service') !== 'tests, "quoted"') return refusal(400, 'no service')
    const token = `token-${this.#tokens++}-${query.get('scope')}`
    this.#given.add(`Bearer ${token}`)
    return new Response(json({ token }))
  }

  #manifest(method: string, repository: string, what: string, headers: Headers, body: unknown): Response {
    if (method === 'PUT') {
      const bytes = (body as Uint8Array<ArrayBuffer>).slice()
      this.addManifest(repository, what, bytes, headers.get('content-type')!)
      return new Response(null, {
        status: 201,
        headers: { location: `/v2/${repository}/manifests/${digestOf(bytes)}` },
      })
    }
    const found = this.manifests.get(`${repository}:${what}`)
    if (found === undefined) return refusal(404, 'MANIFEST_UNKNOWN')
    const { type, bytes } = found
    return new Response(bytes, { headers: { 'content-type': type, 'docker-content-digest': digestOf(bytes) } })
  }

  #blob(method: string, digest: Digest, path: string, count: number, headers: Headers): Response {
    const bytes = this.blobs.get(digest)
    if (bytes === undefined) return refusal(404, 'BLOB_UNKNOWN')
    if (method === 'HEAD') return new Response(null)
    const range = this.faults.ranges === false ? undefined : headers.get('range')?.match(/^bytes=(\d+)-$/)
    const from = Number(range?.[1] ?? 0)
    const rest = bytes.subarray(from)
    const broken = this.faults.breakAfter?.(path, count)
    return new Response(broken === undefined ? rest : brokenAfter(rest, broken), {
      status: range ? 206 : 200,
      headers: range ? { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` } : {},
    })
  }

  #upload(method: string, path: string, query: URLSearchParams, headers: Headers, body: unknown): Response {
    if (method === 'POST') {
      const place = `${path}${this.#uploads++}`
      this.uploads.set(place, new Uint8Array())
      return new Response(null, { status: 202, headers: { location: `/v2/${place}?state=1` } })
    }
    const before = this.uploads.get(path)
    if (before === undefined) return refusal(404, 'BLOB_UPLOAD_UNKNOWN')
    if (method === 'PATCH') {
      const piece = body as Uint8Array<ArrayBuffer>
      if (headers.get('content-range') !== `${before.length}-${before.length + piece.length - 1}`)
        return refusal(416, 'RANGE_INVALID')
      this.uploads.set(path, joined([before, piece]))
      return new Response(null, { status: 202, headers: { location: `/v2/${path}?state=2` } })
    }
    if (digestOf(before) !== query.get('digest')) return refusal(400, 'DIGEST_INVALID')
    this.uploads.delete(path)
    this.blobs.set(digestOf(before), before)
    return new Response(null, { status: 201 })
  }
}

function refusal(status: number, code: string): Response {
  return new Response(json({ errors: [{ code, message: `it is ${code}` }] }), { status })
}

function brokenAfter(bytes: Uint8Array<ArrayBuffer>, count: number): ReadableStream<Uint8Array<ArrayBuffer>> {
  let isGiven = false
  return new ReadableStream({
    pull(controller) {
      if (isGiven) return controller.error(new TypeError('terminated'))
      isGiven = true
      controller.enqueue(bytes.subarray(0, count))
    },
  })
}

export const notJson: Uint8Array<ArrayBuffer> = bytesOfText('<html>')
