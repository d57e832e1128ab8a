/**
 * Which images there are, and what they are called: the store's index, which has a descriptor for each name, and one without a name for each
 * image that has none (OCI image layout specification, "index.json file").
 */
import type { Digest } from '../digest.ts'
import { type Descriptor, indexSchema } from '../documents/documents.ts'
import { readDocument, writeDocument } from '../documents/json.ts'
import { OCI_INDEX } from '../documents/media-types.ts'
import { ImageError } from '../errors.ts'
import { canonicalName, parseReference } from '../reference.ts'
import type { ContentStore } from '../store/store.ts'

/** The annotation that holds a name. */
export const REF_NAME = 'org.opencontainers.image.ref.name'

/** One name of an image; or none. */
export interface ImageEntry {
  /** Of its manifest. */
  readonly manifest: Descriptor
  /** In full, such as `docker.io/library/debian:12`. */
  readonly name: string | undefined
}

/** All names and images of a store. @throws ImageError `image-document`. */
export async function readEntries(store: ContentStore): Promise<readonly ImageEntry[]> {
  const bytes = await store.readIndex()
  if (bytes === undefined) return []
  const { manifests } = readDocument(bytes, indexSchema, 'the list of images (index.json)')
  return manifests.map(({ annotations, ...manifest }) => ({ manifest, name: nameIn(annotations?.[REF_NAME]) }))
}

/** A name that another tool has written into the store, and that is none here, is left out. */
function nameIn(text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : canonicalName(parseReference(text))
  } catch (error) {
    if (error instanceof ImageError) return undefined
    throw error
  }
}

/** Replaces them. */
export async function writeEntries(store: ContentStore, entries: readonly ImageEntry[]): Promise<void> {
  const manifests = entries.map(({ manifest: { annotations: _, ...manifest }, name }) =>
    name === undefined ? manifest : { ...manifest, annotations: { [REF_NAME]: name } },
  )
  await store.writeIndex(writeDocument({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }))
}

/** With an image under a name, which another loses; or without one, if it has none as yet. */
export function withEntry(
  entries: readonly ImageEntry[],
  manifest: Descriptor,
  name: string | undefined,
): readonly ImageEntry[] {
  const isSame = (entry: ImageEntry): boolean => entry.manifest.digest === manifest.digest
  if (name === undefined) return entries.some(isSame) ? entries : [...entries, { manifest, name }]
  const before = entries.find((entry) => entry.name === name)
  if (before !== undefined && isSame(before)) return entries
  const others = before === undefined ? entries : withoutName(entries, name)
  return [...others.filter((entry) => !(isSame(entry) && entry.name === undefined)), { manifest, name }]
}

/** Without a name; its image stays. */
function withoutName(entries: readonly ImageEntry[], name: string): readonly ImageEntry[] {
  const { manifest } = entries.find((entry) => entry.name === name)!
  const rest = entries.filter((entry) => entry.name !== name)
  return withEntry(rest, manifest, undefined)
}

/** Without an image, whatever its names are. */
export function withoutImage(entries: readonly ImageEntry[], manifest: Digest): readonly ImageEntry[] {
  return entries.filter((entry) => entry.manifest.digest !== manifest)
}
