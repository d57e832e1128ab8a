/** Which image is meant. */
import { isDigest } from '../digest.ts'
import type { Descriptor } from '../documents/documents.ts'
import { ImageError, quoted } from '../errors.ts'
import { canonicalName, familiarName, parseReference, type Reference } from '../reference.ts'
import type { ImageEntry } from './entries.ts'
import { readImage } from './read.ts'
import type { StoreContext } from './workspace.ts'

/** The manifest of the image by a name, a digest, an ID, or the first digits of one. @throws ImageError `image-unknown`, `image-ambiguous`. */
export async function findImage(
  { store, codecs }: StoreContext,
  entries: readonly ImageEntry[],
  word: string,
): Promise<Descriptor> {
  const reference = referenceOf(word)
  const named = reference && entries.find((entry) => isMeant(entry, reference))
  if (named !== undefined) return named.manifest
  const digits = word.replace(/^sha(256|512):/, '')
  if (/^[0-9a-f]{4,128}$/.test(digits)) {
    const found = new Map<string, Descriptor>()
    for (const { manifest: descriptor } of entries) {
      // A damaged one is found by the digest of its manifest: how else could it be removed?
      const image = await readImage(store, codecs, descriptor).catch(() => undefined)
      const digests = [descriptor.digest, ...(image === undefined ? [] : [image.manifest.config.digest])]
      if (digests.some((digest) => digest === word || digest.replace(/^.*:/, '').startsWith(digits)))
        found.set(descriptor.digest, descriptor)
    }
    if (found.size === 1) return [...found.values()][0]!
    if (found.size > 1)
      throw new ImageError(
        'image-ambiguous',
        `${quoted(word)} begins ${found.size} IDs`,
        'give more digits, a name, or the digest of the manifest',
      )
  }
  const shown = reference === undefined ? quoted(word) : quoted(familiarName(reference))
  throw new ImageError('image-unknown', `there is no image ${shown} here`, 'see which there are, or pull or load it')
}

/** A digest is enough, whatever tag stands before it; it may be that of an index that the image was pulled by. */
function isMeant({ name, manifest }: ImageEntry, reference: Reference): boolean {
  if (name === undefined) return false
  if (name === canonicalName(reference)) return true
  if (reference.digest === undefined || reference.digest !== manifest.digest) return false
  const own = parseReference(name)
  return own.registry === reference.registry && own.repository === reference.repository
}

function referenceOf(word: string): Reference | undefined {
  if (isDigest(word)) return undefined
  try {
    return parseReference(word)
  } catch {
    return undefined
  }
}
