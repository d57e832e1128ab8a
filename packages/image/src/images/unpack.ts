/** A layer as it came, made the uncompressed archive with its catalog that file systems read. */
import { isVmexitError } from '@vmexit/core'
import { uncompressed } from '../codecs.ts'
import type { Digest } from '../digest.ts'
import { ImageError } from '../errors.ts'
import { type Catalog, decodeCatalog, encodeCatalog } from '../layer/catalog.ts'
import { LayerIndexer } from '../layer/indexer.ts'
import { takeIn } from '../store/intake.ts'
import type { StoreContext, Workspace } from './workspace.ts'

/** Unpacks a layer that is in the store. @throws ImageError `image-digest` where it is not what its diff id says. */
export async function unpackLayer(workspace: Workspace, layer: Digest, diffId: Digest): Promise<void> {
  const { store, codecs, progress, signal } = workspace
  const indexer = new LayerIndexer(`the layer ${layer}`, workspace.limits)
  let done = 0
  const observe = (bytes: Uint8Array): void => {
    indexer.push(bytes)
    done += bytes.length
    progress({ step: 'unpack', what: layer, done })
  }
  if (layer === diffId) {
    for await (const bytes of store.read(layer)) {
      signal?.throwIfAborted()
      observe(bytes)
    }
  } else {
    const source = undamaged(`the layer ${layer}`, uncompressed(codecs, store.read(layer)))
    await takeIn(workspace, `the layer ${layer}, uncompressed,`, source, { digest: diffId }, observe)
  }
  await keepCatalog(workspace, diffId, indexer.finish())
}

/** Errors of decompressors are about the layer. */
export async function* undamaged(what: string, source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* source
  } catch (cause) {
    if (isVmexitError(cause) || !(cause instanceof Error) || cause.name === 'AbortError') throw cause
    const problem = `${what} cannot be uncompressed (${cause.message})`
    throw new ImageError('image-layer', problem, 'get it again: it is damaged', cause)
  }
}

/** Keeps the catalog of an uncompressed layer. */
export async function keepCatalog(workspace: Workspace, diffId: Digest, catalog: Catalog): Promise<void> {
  const bytes = encodeCatalog(workspace.codecs, catalog)
  workspace.quota.take(bytes.length)
  await workspace.store.writeNotes(diffId, bytes)
}

/** The catalog of a layer that has been unpacked; made again where what was kept of it is gone or of another version. */
export async function readCatalog({ store, codecs, limits }: StoreContext, diffId: Digest): Promise<Catalog> {
  const notes = await store.readNotes(diffId)
  const kept = notes && decodeCatalog(codecs, notes)
  if (kept !== undefined) return kept
  const indexer = new LayerIndexer(`the layer ${diffId}`, limits)
  for await (const bytes of store.read(diffId)) indexer.push(bytes)
  const catalog = indexer.finish()
  await store.exclusive(() => store.writeNotes(diffId, encodeCatalog(codecs, catalog)))
  return catalog
}
