/** Documents of a store, which are small: read whole, and checked against their digest. */
import type { Codecs } from '../codecs.ts'
import { type Digest, partsOf } from '../digest.ts'
import {
  configSchema,
  type Descriptor,
  type ImageConfig,
  type Manifest,
  manifestSchema,
} from '../documents/documents.ts'
import { MOST_DOCUMENT_BYTES, readDocument } from '../documents/json.ts'
import { ImageError } from '../errors.ts'
import type { ContentStore } from '../store/store.ts'

/** The bytes of a document. @throws ImageError `image-digest`, `image-document`. */
export async function readWhole(
  store: ContentStore,
  codecs: Codecs,
  { digest, size }: Pick<Descriptor, 'digest' | 'size'>,
  what: string,
): Promise<Uint8Array> {
  if (size > MOST_DOCUMENT_BYTES)
    throw new ImageError(
      'image-document',
      `${what} ${digest} has ${size} bytes, and may have ${MOST_DOCUMENT_BYTES} at most`,
      'see that it is an image',
    )
  const { algorithm, hex } = partsOf(digest)
  const hash = codecs.hash(algorithm)
  const bytes = new Uint8Array(size)
  let filled = 0
  for await (const piece of store.read(digest)) {
    if (filled + piece.length > size) throw damaged(what, digest)
    bytes.set(piece, filled)
    hash.update(piece)
    filled += piece.length
  }
  if (filled !== size || hash.hex() !== hex) throw damaged(what, digest)
  return bytes
}

function damaged(what: string, digest: Digest): ImageError {
  return new ImageError(
    'image-digest',
    `${what} ${digest} is not what its digest and size say`,
    'get the image again: it is damaged, or somebody has changed it',
  )
}

/** What an image consists of. */
export interface ImageDocuments {
  readonly manifest: Manifest
  readonly config: ImageConfig
}

/** Manifest and configuration of an image of a store. */
export async function readImage(
  store: ContentStore,
  codecs: Codecs,
  descriptor: Pick<Descriptor, 'digest' | 'size'>,
): Promise<ImageDocuments> {
  const manifest = readDocument(
    await readWhole(store, codecs, descriptor, 'the manifest'),
    manifestSchema,
    `the manifest ${descriptor.digest}`,
  )
  return { manifest, config: await readConfig(store, codecs, manifest) }
}

/** The configuration that a manifest names; there must be as many layers in the one as in the other. */
export async function readConfig(store: ContentStore, codecs: Codecs, manifest: Manifest): Promise<ImageConfig> {
  const { digest } = manifest.config
  const bytes = await readWhole(store, codecs, manifest.config, 'the configuration')
  const config = readDocument(bytes, configSchema, `the configuration ${digest}`)
  if (config.rootfs.diff_ids.length !== manifest.layers.length)
    throw new ImageError(
      'image-document',
      `the configuration ${digest} has ${config.rootfs.diff_ids.length} layers, and its manifest ${manifest.layers.length}`,
      'get the image again, or have it made again',
    )
  return config
}
