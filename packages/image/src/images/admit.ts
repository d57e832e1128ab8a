/** How an image comes into a store, from wherever: its documents are checked, then each layer against digest, size and diff id. */
import type { Bytes } from '../codecs.ts'
import type { Digest } from '../digest.ts'
import {
  type Descriptor,
  type ImageConfig,
  type ImageIndex,
  indexSchema,
  type Manifest,
  manifestSchema,
} from '../documents/documents.ts'
import { MOST_DOCUMENT_BYTES, readDocument } from '../documents/json.ts'
import { isConfigType, isIndexType, isLayerType, isManifestType, isSchema1Type } from '../documents/media-types.ts'
import { ImageError, quoted } from '../errors.ts'
import { type Platform, platformName, suits } from '../platform.ts'
import { takeIn } from '../store/intake.ts'
import { readEntries } from './entries.ts'
import { inParallel } from './parallel.ts'
import { readConfig, readImage, readWhole } from './read.ts'
import { unpackLayer } from './unpack.ts'
import type { Workspace } from './workspace.ts'

/** Where an image comes from. */
export interface ImageSource {
  /** The bytes of what a descriptor points to. They need not be right. `what` is for errors. */
  content(descriptor: Descriptor, what: string, signal: AbortSignal | undefined): Bytes
}

/** Downloads at a time, as Docker does it. */
const AT_ONCE = 3
/** Indexes within indexes. */
const DEEPEST = 4
/** Documents that are looked at to find one that suits: each has been fetched. */
const MOST_DOCUMENTS = 500

/** Finds what suits a platform, and takes it in. */
export class Admission {
  readonly #workspace: Workspace
  readonly #source: ImageSource
  readonly #platform: Platform
  readonly #offered = new Set<string>()
  #documents = 0

  constructor(workspace: Workspace, source: ImageSource, platform: Platform) {
    this.#workspace = workspace
    this.#source = source
    this.#platform = platform
  }

  /** The manifest for the platform, whose layers are all there then; undefined where there is none behind this descriptor. */
  async admit(descriptor: Descriptor): Promise<Descriptor | undefined> {
    const found = await this.#find(descriptor, 0)
    if (found === undefined) return undefined
    await this.#layers(found.manifest, found.config)
    const { mediaType, digest, size } = found.descriptor
    return { mediaType, digest, size }
  }

  /** That nothing suits. @returns ImageError `image-platform`. */
  unsuitable(what: string): ImageError {
    const offered = [...this.#offered]
    return new ImageError(
      'image-platform',
      `${what} has nothing for ${platformName(this.#platform)}, but ${offered.slice(0, 20).join(', ') || 'nothing at all'}`,
      'take an image that was made for it, such as one of Debian’s, or name another platform, which can be kept and not run',
    )
  }

  async #find(
    descriptor: Descriptor,
    depth: number,
  ): Promise<{ descriptor: Descriptor; manifest: Manifest; config: ImageConfig } | undefined> {
    const { mediaType, digest, platform } = descriptor
    if (platform !== undefined && !suits(platform, this.#platform)) {
      this.#offered.add(quotedName(platform))
      return undefined
    }
    if (isIndexType(mediaType)) {
      if (depth >= DEEPEST)
        throw new ImageError(
          'image-document',
          `indexes lie more than ${DEEPEST} deep in each other`,
          'have it made again',
        )
      const bytes = await this.#document(descriptor, 'the index')
      const { manifests, mediaType: own }: ImageIndex = readDocument(bytes, indexSchema, `the index ${digest}`)
      mustBe(own, mediaType, digest)
      for (const each of manifests) {
        const found = await this.#find(each, depth + 1)
        if (found !== undefined) return found
      }
      return undefined
    }
    if (isSchema1Type(mediaType)) throw schema1(digest)
    if (!isManifestType(mediaType)) {
      this.#offered.add(quoted(mediaType))
      return undefined
    }
    const manifest = readDocument(
      await this.#document(descriptor, 'the manifest'),
      manifestSchema,
      `the manifest ${digest}`,
    )
    mustBe(manifest.mediaType, mediaType, digest)
    if (!isConfigType(manifest.config.mediaType)) {
      this.#offered.add(quoted(manifest.config.mediaType))
      return undefined
    }
    await this.#document(manifest.config, 'the configuration')
    const config = await readConfig(this.#workspace.store, this.#workspace.codecs, manifest)
    if (suits(config, this.#platform)) return { descriptor, manifest, config }
    this.#offered.add(quotedName(config))
    return undefined
  }

  async #document(descriptor: Descriptor, what: string): Promise<Uint8Array> {
    const { digest, size } = descriptor
    if (++this.#documents > MOST_DOCUMENTS)
      throw new ImageError(
        'image-quota',
        `none of ${MOST_DOCUMENTS} manifests and configurations suits`,
        'name one image, by its digest',
      )
    if (size > MOST_DOCUMENT_BYTES)
      throw new ImageError(
        'image-document',
        `${what} ${digest} has ${size} bytes, and may have ${MOST_DOCUMENT_BYTES} at most`,
        'see that it is an image',
      )
    await this.#take(descriptor, what, this.#workspace.signal)
    return await readWhole(this.#workspace.store, this.#workspace.codecs, descriptor, what)
  }

  /** Takes content in that is not there. */
  async #take(
    descriptor: Descriptor,
    what: string,
    signal: AbortSignal | undefined,
    observe?: (bytes: Uint8Array) => void,
  ): Promise<void> {
    const { digest, size } = descriptor
    const there = await this.#workspace.store.size(digest)
    if (there === undefined)
      await takeIn(
        { ...this.#workspace, signal },
        `${what} ${digest}`,
        this.#source.content(descriptor, what, signal),
        descriptor,
        observe,
      )
    else if (there !== size)
      throw new ImageError(
        'image-digest',
        `${what} ${digest} should have ${size} bytes, and has ${there}`,
        'get the image again, or have it made again',
      )
  }

  async #layers({ layers }: Manifest, { rootfs: { diff_ids } }: ImageConfig): Promise<void> {
    const { progress, signal } = this.#workspace
    const strange = layers.find(({ mediaType }) => !isLayerType(mediaType))
    if (strange !== undefined)
      throw new ImageError(
        'image-unsupported',
        `a layer is ${quoted(strange.mediaType)}`,
        'take an image whose layers are tar archives',
      )
    const known = await this.#known()
    const pairs = layers
      .map((layer, n) => ({ layer, diffId: diff_ids[n]! }))
      .filter(({ layer, diffId }) => !known.has(`${layer.digest} ${diffId}`))
    // What is there already is looked at, too: it must have the size that is stated.
    const wanted = new Map(layers.map((layer) => [`${layer.digest} ${layer.size}`, layer]))
    await inParallel([...wanted.values()], AT_ONCE, signal, async (layer, both) => {
      let done = 0
      await this.#take(layer, 'the layer', both, (bytes) => {
        done += bytes.length
        progress({ step: 'download', what: layer.digest, done, total: layer.size })
      })
    })
    for (const { layer, diffId } of pairs) await unpackLayer(this.#workspace, layer.digest, diffId)
  }

  /** Layers that have been found to be what they should be: of images that are there. */
  async #known(): Promise<ReadonlySet<string>> {
    const { store, codecs } = this.#workspace
    const known = new Set<string>()
    for (const { manifest: descriptor } of await readEntries(store)) {
      // Of one that is damaged nothing is known.
      const image = await readImage(store, codecs, descriptor).catch(() => undefined)
      for (const [n, { digest }] of image?.manifest.layers.entries() ?? []) {
        const diffId: Digest = image!.config.rootfs.diff_ids[n]!
        const isThere = (await store.size(digest)) !== undefined && (await store.size(diffId)) !== undefined
        if (isThere) known.add(`${digest} ${diffId}`)
      }
    }
    return known
  }
}

function quotedName(platform: Platform): string {
  return quoted(platformName(platform)).slice(1, -1)
}

/** A document that says of itself to be something else could be read as either (CVE-2021-41190). */
function mustBe(own: string | undefined, mediaType: string, digest: Digest): void {
  if (own === undefined || own === mediaType) return
  throw new ImageError(
    'image-document',
    `${digest} says that it is ${quoted(own)}, and is named as ${quoted(mediaType)}`,
    'have the image made again',
  )
}

/** Manifests of before 2016 have no digests of what they hold. */
export function schema1(what: string): ImageError {
  return new ImageError(
    'image-unsupported',
    `${what} has a manifest of schema 1, which nobody has written since 2016`,
    'have the image pushed again, by a Docker of this decade',
  )
}
