/** New images: of a tree of files, of single programs, and of what has been changed on top of another. */
import { packTree } from '@vmexit/tar'
import { FIRST_COOKIE, type FileSystem, type Inode, isDirectory, SettableTime, toText, Vfs } from '@vmexit/vfs'
import { type Bytes, uncompressed } from '../codecs.ts'
import type { Descriptor, ExecutionConfig, HistoryEntry, ImageConfig, Manifest } from '../documents/documents.ts'
import { writeDocument } from '../documents/json.ts'
import { OCI_CONFIG, OCI_LAYER, OCI_MANIFEST } from '../documents/media-types.ts'
import { ImageError, quoted } from '../errors.ts'
import { LayerIndexer } from '../layer/indexer.ts'
import type { Platform } from '../platform.ts'
import { beginIntake, takeIn } from '../store/intake.ts'
import { keepCatalog, undamaged } from './unpack.ts'
import type { Workspace } from './workspace.ts'

/** What is said of a new image. */
export interface NewImage {
  /** What it is to be called; without one it has its ID alone. */
  readonly name?: string | undefined
  /** When, as in RFC 3339: `2026-01-31T12:00:00Z`. */
  readonly created?: string | undefined
  readonly author?: string | undefined
  /** Kept in its history. */
  readonly comment?: string | undefined
  /** How a container of it is run: what is stated takes the place of the base's. */
  readonly config?: ExecutionConfig | undefined
}

/** What it is made on top of. */
export interface Base {
  readonly manifest: Manifest
  readonly config: ImageConfig
}

/** Takes the archive of a layer in, and makes an image of it and the base. Its manifest. */
export async function makeImage(
  workspace: Workspace,
  archive: Bytes,
  platform: Platform,
  base: Base | undefined,
  { created, author, comment, config }: NewImage,
  createdBy: string,
): Promise<Descriptor> {
  const layer = await takeLayer(workspace, archive)
  const said = { ...(created === undefined ? {} : { created }), ...(author === undefined ? {} : { author }) }
  const step: HistoryEntry = { ...said, created_by: createdBy, ...(comment === undefined ? {} : { comment }) }
  const document: ImageConfig = {
    ...(base?.config ?? platform),
    ...said,
    config: { ...base?.config.config, ...config },
    rootfs: { type: 'layers', diff_ids: [...(base?.config.rootfs.diff_ids ?? []), layer.digest] },
    history: [...(base?.config.history ?? []), step],
  }
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: {
      mediaType: OCI_CONFIG,
      ...(await takeIn(workspace, 'the configuration', [writeDocument(document)])),
    },
    layers: [...(base?.manifest.layers ?? []).map(asOci), { mediaType: OCI_LAYER, ...layer }],
  }
  return { mediaType: OCI_MANIFEST, ...(await takeIn(workspace, 'the manifest', [writeDocument(manifest)])) }
}

/** A manifest of one kind has layers of the same. */
function asOci({ mediaType, digest, size }: Descriptor): Descriptor {
  const end = mediaType.match(/[.+](gzip|zstd)$/)?.[1]
  return { mediaType: end === undefined ? OCI_LAYER : `${OCI_LAYER}+${end}`, digest, size }
}

/** An archive, plain or compressed, as a layer: kept uncompressed, so that it is kept once. */
async function takeLayer(workspace: Workspace, archive: Bytes): Promise<Pick<Descriptor, 'digest' | 'size'>> {
  const indexer = new LayerIndexer('the archive', workspace.limits)
  const intake = await beginIntake(workspace, 'the archive')
  let done = 0
  try {
    for await (const bytes of undamaged('the archive', uncompressed(workspace.codecs, archive))) {
      await intake.write(bytes)
      indexer.push(bytes)
      done += bytes.length
      workspace.progress({ step: 'read', what: 'the archive', done })
    }
    if (done === 0)
      throw new ImageError('image-archive', 'the archive is empty', 'give a tar archive of a tree of files')
    const layer = await intake.finish()
    await keepCatalog(workspace, layer.digest, indexer.finish())
    return layer
  } finally {
    await intake.discard()
  }
}

/**
 * What has been changed in an overlay, as the archive of a layer. `upper` is the overlay's upper file system; nobody may change it meanwhile.
 * @throws ImageError `image-commit`.
 */
export function* layerOf(upper: FileSystem): Generator<Uint8Array> {
  refuseNotes(upper)
  const vfs = new Vfs({ time: new SettableTime() })
  yield* packTree({ vfs, task: vfs.newTask(vfs.newTree(upper)), whiteouts: 'overlay' })
}

/** Notes of an overlay that say that something lies elsewhere, which a layer of an image cannot. */
const NOTES = ['trusted.overlay.redirect', 'trusted.overlay.metacopy'] as const

function refuseNotes(upper: FileSystem): void {
  const left: { readonly inode: Inode; readonly path: string }[] = [{ inode: upper.root, path: '' }]
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const { inode, path } = next
    for (const note of NOTES) {
      if (typeof upper.getxattr(inode, note) === 'number') continue
      throw new ImageError(
        'image-commit',
        `${quoted(toText(path))} has ${note}, which a layer of an image cannot say`,
        'mount the overlay without redirectDir, metacopy and lazyCopyUp',
      )
    }
    if (!isDirectory(inode.mode)) continue
    upper.readdir(inode, FIRST_COOKIE, {
      entry(name) {
        const child = upper.lookup(inode, name)
        if (typeof child === 'object') left.push({ inode: child, path: `${path}/${name}` })
        return true
      },
    })
  }
}
