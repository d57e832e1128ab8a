/**
 * Images as a layout, for a folder or an archive. `manifest.json` beside it makes it what `docker load` of any age takes, as in archives of
 * Docker's own since 25. Contents are as they came, so that digests stay.
 */
import { END_OF_ARCHIVE, encodeEntry, paddingAfter } from '@vmexit/tar'
import type { Bytes, Codecs } from '../codecs.ts'
import { type Digest, partsOf } from '../digest.ts'
import type { Descriptor, DockerArchiveImage } from '../documents/documents.ts'
import { writeDocument } from '../documents/json.ts'
import { OCI_INDEX } from '../documents/media-types.ts'
import { readImage } from '../images/read.ts'
import { familiarName, parseReference } from '../reference.ts'
import { missing } from '../store/missing.ts'
import type { ContentStore } from '../store/store.ts'
import { annotationsFor } from './names.ts'

/** A file of a layout. */
export interface LayoutFile {
  /** Below the layout, with slashes. */
  readonly path: string
  readonly size: number
  readonly data: Bytes
}

/** An image, and what it is to be called. */
export interface ImageToSave {
  readonly manifest: Descriptor
  readonly names: readonly string[]
}

/** The files of a layout of some images, each once; the documents that name the others come last. */
export async function* layoutOf(
  store: ContentStore,
  codecs: Codecs,
  images: readonly ImageToSave[],
): AsyncGenerator<LayoutFile> {
  const given = new Set<Digest>()
  async function* content(digest: Digest): AsyncGenerator<LayoutFile> {
    if (given.has(digest)) return
    given.add(digest)
    const size = await store.size(digest)
    if (size === undefined) throw missing(digest)
    yield { path: pathOf(digest), size, data: store.read(digest) }
  }
  const descriptors: Descriptor[] = []
  const docker: DockerArchiveImage[] = []
  for (const { manifest: descriptor, names } of images) {
    const { manifest } = await readImage(store, codecs, descriptor)
    for (const { digest } of [...manifest.layers, manifest.config, descriptor]) yield* content(digest)
    const references = names.map(parseReference)
    const { mediaType, digest, size } = descriptor
    if (names.length === 0) descriptors.push({ mediaType, digest, size })
    for (const reference of references)
      descriptors.push({ mediaType, digest, size, annotations: annotationsFor(reference) })
    docker.push({
      Config: pathOf(manifest.config.digest),
      RepoTags: references
        .filter(({ tag }) => tag !== undefined)
        .map(({ digest: _, ...tagged }) => familiarName(tagged)),
      Layers: manifest.layers.map((layer) => pathOf(layer.digest)),
    })
  }
  yield document('manifest.json', docker)
  yield document('index.json', { schemaVersion: 2, mediaType: OCI_INDEX, manifests: descriptors })
  yield document('oci-layout', { imageLayoutVersion: '1.0.0' })
}

function pathOf(digest: Digest): string {
  const { algorithm, hex } = partsOf(digest)
  return `blobs/${algorithm}/${hex}`
}

function document(path: string, value: object): LayoutFile {
  const bytes = writeDocument(value)
  return { path, size: bytes.length, data: [bytes] }
}

/** Files as a tar archive. The same files give the same bytes. */
export async function* archiveOf(files: AsyncIterable<LayoutFile> | Iterable<LayoutFile>): AsyncGenerator<Uint8Array> {
  const directories = new Set<string>()
  for await (const { path, size, data } of files) {
    for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
      const name = path.slice(0, slash)
      if (directories.has(name)) continue
      directories.add(name)
      yield encodeEntry({ type: 'directory', name, mode: 0o755 })
    }
    yield encodeEntry({ type: 'file', name: path, mode: 0o644, size })
    yield* data
    yield paddingAfter(size)
  }
  yield END_OF_ARCHIVE
}
