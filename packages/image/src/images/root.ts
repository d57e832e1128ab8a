/** What a container of an image begins with: its layers as file systems, and its configuration. The seam for whoever runs them. */
import { OverlayFs } from '@vmexit/overlayfs'
import type { FileSystem, Inode } from '@vmexit/vfs'
import type { Digest } from '../digest.ts'
import type { ImageConfig } from '../documents/documents.ts'
import { LayerFs } from '../layer/layer-fs.ts'
import { readCatalog } from './unpack.ts'
import type { StoreContext } from './workspace.ts'

/** The layers of an image. Disposing of it gives them back; those that others have stay open. */
export interface ImageRoot extends Disposable {
  /** The topmost first, as an overlay takes its lower layers. One with the same files is the same object, whichever image has it. */
  readonly layers: readonly FileSystem[]
  readonly config: ImageConfig
}

interface OpenLayer {
  readonly fs: Promise<LayerFs>
  close: () => void
  uses: number
}

/**
 * Layers that are open, by diff id. One that was closed is opened again as the same object as long as somebody has it: a kernel that has
 * pages of its files cached uses them for the next container.
 */
export class OpenLayers {
  readonly #context: StoreContext
  readonly #open = new Map<string, OpenLayer>()
  readonly #known = new Map<string, WeakRef<LayerFs>>()

  constructor(context: StoreContext) {
    this.#context = context
  }

  async root(config: ImageConfig): Promise<ImageRoot> {
    const taken: string[] = []
    const layers: FileSystem[] = []
    const release = (): void => {
      for (const key of taken.splice(0)) this.#release(key)
    }
    try {
      const seen = new Map<Digest, number>()
      for (const diffId of config.rootfs.diff_ids) {
        // An overlay takes no layer twice: a second one is another file system over the same data.
        const copy = seen.get(diffId) ?? 0
        seen.set(diffId, copy + 1)
        const key = `${diffId} ${copy}`
        const layer = this.#take(diffId, key)
        taken.push(key)
        layers.unshift(await layer.fs)
      }
    } catch (error) {
      release()
      throw error
    }
    return { layers, config, [Symbol.dispose]: release }
  }

  #take(diffId: Digest, key: string): OpenLayer {
    let layer = this.#open.get(key)
    if (layer === undefined) {
      const opened: OpenLayer = { fs: this.#openLayer(diffId, key, () => opened), close: () => {}, uses: 0 }
      this.#open.set(key, (layer = opened))
    }
    layer.uses++
    return layer
  }

  async #openLayer(diffId: Digest, key: string, layer: () => OpenLayer): Promise<LayerFs> {
    const known = this.#known.get(key)?.deref()
    const catalog = known === undefined ? await readCatalog(this.#context, diffId) : []
    const data = await this.#context.store.open(diffId)
    const fs = known ?? new LayerFs(catalog, data)
    fs.opened(data)
    if (known === undefined) {
      for (const [each, other] of this.#known) if (other.deref() === undefined) this.#known.delete(each)
      this.#known.set(key, new WeakRef(fs))
    }
    layer().close = () => {
      fs.closed(data)
      data.close()
    }
    return fs
  }

  #release(key: string): void {
    const layer = this.#open.get(key)!
    if (--layer.uses > 0) return
    this.#open.delete(key)
    // One that could not be opened has nothing to close.
    void layer.fs.then(
      () => layer.close(),
      () => {},
    )
  }
}

/** All layers as one read-only file system. An image without layers has none: it is empty. */
export function mergedRoot({ layers }: ImageRoot, empty: () => FileSystem): FileSystem {
  const lower: Inode[] = layers.map((fs) => fs.root)
  return lower.length === 0 ? empty() : new OverlayFs({ lower })
}
