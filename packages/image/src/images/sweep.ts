/** Removes what is of no image. */
import type { Codecs } from '../codecs.ts'
import type { Digest } from '../digest.ts'
import { ImageError } from '../errors.ts'
import type { ContentStore } from '../store/store.ts'
import { readEntries } from './entries.ts'
import { readImage } from './read.ts'

/** Only within `exclusive`. Images whose own documents are damaged keep those, and nothing else. */
export async function sweep(store: ContentStore, codecs: Codecs): Promise<void> {
  const kept = new Set<Digest>()
  for (const { manifest: descriptor } of await readEntries(store)) {
    if (kept.has(descriptor.digest)) continue
    kept.add(descriptor.digest)
    try {
      const { manifest, config } = await readImage(store, codecs, descriptor)
      kept.add(manifest.config.digest)
      for (const { digest } of manifest.layers) kept.add(digest)
      for (const digest of config.rootfs.diff_ids) kept.add(digest)
    } catch (error) {
      if (!(error instanceof ImageError)) throw error
    }
  }
  for (const { digest } of await store.list()) if (!kept.has(digest)) await store.remove(digest)
}
