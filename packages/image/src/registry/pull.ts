/** Pulling: a manifest, or an index and the manifest in it that suits, then what it names (OCI distribution specification, "Pull"). */
import { type Digest, partsOf } from '../digest.ts'
import { anySchema, type Descriptor } from '../documents/documents.ts'
import { MOST_DOCUMENT_BYTES, readDocument } from '../documents/json.ts'
import { isIndexType, isManifestType, isSchema1Type, MANIFESTS } from '../documents/media-types.ts'
import { ImageError, quoted } from '../errors.ts'
import { Admission, schema1 } from '../images/admit.ts'
import type { Workspace } from '../images/workspace.ts'
import type { Platform } from '../platform.ts'
import { familiarName, type Reference } from '../reference.ts'
import { takeIn } from '../store/intake.ts'
import { bodyOf, MOST_TRIES, type Registry, readAnswer } from './registry.ts'

/** Pulls an image for a platform: its manifest. @throws ImageError. */
export async function pullFrom(
  workspace: Workspace,
  registry: Registry,
  reference: Reference,
  platform: Platform,
): Promise<Descriptor> {
  const top = await topManifest(workspace, registry, reference)
  const content = (descriptor: Descriptor, what: string, signal: AbortSignal | undefined): AsyncIterable<Uint8Array> =>
    download(registry, reference, descriptor, what, signal)
  const admission = new Admission(workspace, { content }, platform)
  const found = await admission.admit(top)
  if (found === undefined) throw admission.unsuitable(quoted(familiarName(reference)))
  return found
}

/** What the name stands for: nobody has said how large it is. */
async function topManifest(workspace: Workspace, registry: Registry, reference: Reference): Promise<Descriptor> {
  const answer = await registry.request(reference, {
    path: `manifests/${reference.digest ?? reference.tag}`,
    headers: { accept: MANIFESTS.join(', ') },
    actions: 'pull',
    signal: workspace.signal,
    expect: [200],
  })
  const name = familiarName(reference)
  const bytes = await readAnswer(answer, MOST_DOCUMENT_BYTES, `the manifest of ${quoted(name)}`)
  const stated = (answer.headers.get('content-type') ?? '').replace(/;.*/, '').trim()
  const document = readDocument(bytes, anySchema, `the manifest of ${quoted(name)}`)
  if (isSchema1Type(stated) || document.schemaVersion === 1) throw schema1(quoted(name))
  const own = typeof document.mediaType === 'string' ? document.mediaType : ''
  const mediaType = [own, stated].find((type) => isIndexType(type) || isManifestType(type))
  if (mediaType === undefined)
    throw new ImageError(
      'image-unsupported',
      `${quoted(name)} is ${quoted(own || stated)}, which is no image`,
      'take a name of an image',
    )
  const header = answer.headers.get('docker-content-digest')
  const taken = await takeIn(workspace, `the manifest of ${quoted(name)}`, [bytes], { digest: reference.digest })
  if (header?.startsWith(`${partsOf(taken.digest).algorithm}:`) && header !== taken.digest)
    throw new ImageError(
      'image-digest',
      `the manifest of ${quoted(name)} is ${taken.digest}, and its registry says ${quoted(header)}`,
      'try again, or ask whoever runs the registry',
    )
  return { mediaType, ...taken }
}

/** Content by its digest. Where the connection breaks, the rest is asked for. */
async function* download(
  registry: Registry,
  reference: Reference,
  { mediaType, digest, size }: Descriptor,
  what: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const kind = isIndexType(mediaType) || isManifestType(mediaType) ? 'manifests' : 'blobs'
  let done = 0
  for (let tries = 1; ; tries++) {
    const answer = await registry.request(reference, {
      path: `${kind}/${digest}`,
      headers: {
        ...(kind === 'manifests' ? { accept: MANIFESTS.join(', ') } : {}),
        ...(done > 0 ? { range: `bytes=${done}-` } : {}),
      },
      actions: 'pull',
      signal,
      expect: done > 0 ? [200, 206] : [200],
    })
    // Who does not know ranges begins anew.
    let skip = answer.status === 206 ? 0 : done
    if (answer.status === 206 && !answer.headers.get('content-range')?.startsWith(`bytes ${done}-`))
      throw interrupted(what, digest, 'the registry sends another part than was asked for')
    let reason = 'it ended early'
    try {
      for await (const piece of bodyOf(answer)) {
        const fresh = piece.subarray(Math.min(skip, piece.length))
        skip -= piece.length - fresh.length
        if (fresh.length === 0) continue
        done += fresh.length
        yield fresh
      }
      if (done >= size) return
    } catch (error) {
      signal?.throwIfAborted()
      if (error instanceof ImageError) throw error
      reason = (error as Error).message
    }
    if (tries >= MOST_TRIES) throw interrupted(what, digest, `${reason}, after ${tries} tries`)
    await registry.pause(tries, signal)
  }
}

function interrupted(what: string, digest: Digest, why: string): ImageError {
  return new ImageError('image-registry', `${what} ${digest} could not be fetched: ${why}`, 'try again later')
}
