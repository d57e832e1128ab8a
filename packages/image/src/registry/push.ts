/** Pushing: contents that a registry has not, in pieces, then the manifest (OCI distribution specification, "Push"). */
import type { Digest } from '../digest.ts'
import type { Descriptor } from '../documents/documents.ts'
import { ImageError, quoted } from '../errors.ts'
import type { Image } from '../images/image.ts'
import type { ImageProgress } from '../images/workspace.ts'
import { familiarName, type Reference } from '../reference.ts'
import type { ContentStore, RandomAccess } from '../store/store.ts'
import type { Registry, RegistryRequest } from './registry.ts'

/** Bytes of a piece. */
const PIECE = 4 << 20

/** Where an image is pushed from and to. */
export interface PushContext {
  readonly signal: AbortSignal | undefined
  readonly progress: (progress: ImageProgress) => void
  readonly store: ContentStore
  readonly registry: Registry
  readonly reference: Reference
}

/** Pushes an image. @throws ImageError. */
export async function pushTo(context: PushContext, { manifest, descriptor }: Image): Promise<void> {
  const { store, registry, reference, signal } = context
  if (reference.digest !== undefined)
    throw new ImageError(
      'image-reference',
      `${quoted(familiarName(reference))} has a digest, which only the registry can give it`,
      'give a name and a tag',
    )
  for (const each of [...manifest.layers, manifest.config]) await upload(context, each)
  const access = await store.open(descriptor.digest)
  try {
    await registry.request(reference, {
      path: `manifests/${reference.tag}`,
      method: 'PUT',
      headers: { 'content-type': descriptor.mediaType },
      body: pieceOf(access, 0, descriptor.size, descriptor.digest),
      actions: 'pull,push',
      signal,
      expect: [201],
    })
  } finally {
    access.close()
  }
}

async function upload(context: PushContext, { digest, size }: Descriptor): Promise<void> {
  const { store, registry, reference, signal, progress } = context
  const request = (what: Pick<RegistryRequest, 'path' | 'expect'> & Partial<RegistryRequest>): Promise<Response> =>
    registry.request(reference, { actions: 'pull,push', signal, ...what })
  const there = await request({ path: `blobs/${digest}`, method: 'HEAD', expect: [200, 404] })
  if (there.status === 200) return
  const begun = await request({ path: 'blobs/uploads/', method: 'POST', expect: [202] })
  let place = placeOf(begun, reference)
  const access = await store.open(digest)
  try {
    for (let at = 0; at < size; at += PIECE) {
      const body = pieceOf(access, at, Math.min(PIECE, size - at), digest)
      const answer = await request({
        path: place,
        method: 'PATCH',
        headers: { 'content-type': 'application/octet-stream', 'content-range': `${at}-${at + body.length - 1}` },
        body,
        expect: [202],
      })
      place = placeOf(answer, reference)
      progress({ step: 'upload', what: digest, done: at + body.length, total: size })
    }
  } finally {
    access.close()
  }
  const end = `${place}${place.includes('?') ? '&' : '?'}digest=${encodeURIComponent(digest)}`
  await request({ path: end, method: 'PUT', expect: [201] })
}

/** Where the next piece goes: an address, or a path at the same registry. */
function placeOf(answer: Response, reference: Reference): string {
  const place = answer.headers.get('location')
  if (place !== null) return place
  throw new ImageError(
    'image-registry',
    `${quoted(reference.registry)} does not say where to upload to`,
    'see that it is a registry of the second version',
  )
}

function pieceOf(access: RandomAccess, at: number, length: number, digest: Digest): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length)
  for (let done = 0; done < length; ) {
    const count = access.read(bytes, done, length - done, at + done)
    if (count <= 0) throw new ImageError('image-store', `${digest} cannot be read`, 'see what is wrong with the disk')
    done += count
  }
  return bytes
}
