/** Images out of layouts and archives (OCI image layout specification; `docker save`). */
import { collected } from '../bytes.ts'
import { type Bytes, compressionOf } from '../codecs.ts'
import { partsOf } from '../digest.ts'
import {
  type Descriptor,
  type DockerArchiveImage,
  dockerArchiveSchema,
  indexSchema,
  layoutSchema,
  type Manifest,
} from '../documents/documents.ts'
import { MOST_DOCUMENT_BYTES, readDocument, writeDocument } from '../documents/json.ts'
import { OCI_CONFIG, OCI_LAYER, OCI_MANIFEST } from '../documents/media-types.ts'
import { ImageError, quoted } from '../errors.ts'
import { Admission } from '../images/admit.ts'
import { readWhole } from '../images/read.ts'
import type { Workspace } from '../images/workspace.ts'
import type { Platform } from '../platform.ts'
import { canonicalName, parseReference } from '../reference.ts'
import { takeIn } from '../store/intake.ts'
import { missing } from '../store/missing.ts'
import type { ArchiveContents, StoredFile } from './contents.ts'
import { nameIn } from './names.ts'

/** A layout: files by paths that are given here, and lead nowhere else. */
export interface LayoutReader {
  /** For errors. */
  readonly name: string
  /** The bytes of a file; undefined where there is none. */
  read(path: string): Promise<Bytes | undefined>
}

/** An image that has been taken in. */
export interface Loaded {
  readonly manifest: Descriptor
  readonly names: readonly string[]
}

/** All images of a layout that suit a platform. @throws ImageError. */
export async function loadLayout(workspace: Workspace, layout: LayoutReader, platform: Platform): Promise<Loaded[]> {
  const small = async (path: string): Promise<Uint8Array> => {
    const source = await layout.read(path)
    if (source === undefined)
      throw new ImageError(
        'image-archive',
        `${layout.name} is no OCI image layout: it has no ${path}`,
        'give one that docker save, skopeo copy or umoci has made',
      )
    const tooMuch = (): ImageError =>
      new ImageError('image-document', `${path} of ${layout.name} is larger than any`, 'see that it is an image')
    return await collected(source, MOST_DOCUMENT_BYTES, tooMuch)
  }
  readDocument(await small('oci-layout'), layoutSchema, `oci-layout of ${layout.name}`)
  const { manifests } = readDocument(await small('index.json'), indexSchema, `index.json of ${layout.name}`)
  async function* content({ digest }: Descriptor): AsyncGenerator<Uint8Array> {
    const { algorithm, hex } = partsOf(digest)
    const bytes = await layout.read(`blobs/${algorithm}/${hex}`)
    if (bytes === undefined) throw missing(digest)
    yield* bytes
  }
  const admission = new Admission(workspace, { content }, platform)
  const loaded: Loaded[] = []
  for (const each of manifests) {
    const manifest = await admission.admit(each)
    const name = nameIn(each.annotations)
    if (manifest !== undefined) loaded.push({ manifest, names: name === undefined ? [] : [name] })
  }
  if (loaded.length === 0) throw admission.unsuitable(layout.name)
  return loaded
}

/** The images of an archive of either kind that suit a platform. @throws ImageError. */
export async function loadArchive(
  workspace: Workspace,
  contents: ArchiveContents,
  platform: Platform,
): Promise<Loaded[]> {
  const { store } = workspace
  if (contents.find('oci-layout') !== undefined) {
    const read = async (path: string): Promise<Bytes | undefined> => {
      const file = contents.find(path)
      return file && store.read(file.digest)
    }
    return await loadLayout(workspace, { name: 'the archive', read }, platform)
  }
  const listing = contents.find('manifest.json')
  if (listing !== undefined) return await loadDocker(workspace, contents, listing, platform)
  if (contents.find('repositories') !== undefined)
    throw new ImageError(
      'image-unsupported',
      'the archive is of a Docker before 1.10, without a manifest.json',
      'load it into a Docker and save it again',
    )
  throw new ImageError(
    'image-archive',
    'the archive is no image: it has neither oci-layout nor manifest.json',
    'if it is a tree of files, import it',
  )
}

async function loadDocker(
  workspace: Workspace,
  contents: ArchiveContents,
  listing: StoredFile,
  platform: Platform,
): Promise<Loaded[]> {
  const { store, codecs } = workspace
  const bytes = await readWhole(store, codecs, listing, 'manifest.json of the archive')
  const images = readDocument(bytes, dockerArchiveSchema, 'manifest.json of the archive')
  const content = ({ digest }: Descriptor): Bytes => {
    throw missing(digest)
  }
  const admission = new Admission(workspace, { content }, platform)
  const loaded: Loaded[] = []
  for (const image of images) {
    const names = (image.RepoTags ?? []).map((text) => canonicalName(parseReference(text)))
    const manifest = await admission.admit(await manifestFor(workspace, contents, image))
    if (manifest !== undefined) loaded.push({ manifest, names })
  }
  if (loaded.length === 0) throw admission.unsuitable('the archive')
  return loaded
}

/** Archives of Docker's have no manifest with digests: it is made. */
async function manifestFor(
  workspace: Workspace,
  contents: ArchiveContents,
  { Config, Layers }: DockerArchiveImage,
): Promise<Descriptor> {
  const file = (path: string): StoredFile => {
    const found = contents.find(path)
    if (found !== undefined) return found
    throw new ImageError(
      'image-archive',
      `the archive has no ${quoted(path)}`,
      'have it made again: part of it is missing',
    )
  }
  const layers: Descriptor[] = []
  for (const path of Layers) {
    const { digest, size } = file(path)
    layers.push({ mediaType: await layerType(workspace, digest), digest, size })
  }
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { mediaType: OCI_CONFIG, ...file(Config) },
    layers,
  }
  const taken = await takeIn(workspace, 'the manifest', [writeDocument(manifest)])
  return { mediaType: OCI_MANIFEST, ...taken }
}

async function layerType({ store }: Workspace, digest: StoredFile['digest']): Promise<string> {
  const access = await store.open(digest)
  const first = new Uint8Array(4)
  access.read(first, 0, first.length, 0)
  access.close()
  const compression = compressionOf(first)
  return compression === undefined ? OCI_LAYER : `${OCI_LAYER}+${compression}`
}
