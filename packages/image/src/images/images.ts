/** A store of images, and all that can be done with them. */
import { packTree } from '@vmexit/tar'
import { type FileSystem, SettableTime, TmpFs, Vfs } from '@vmexit/vfs'
import { abortable } from '../abortable.ts'
import { takeArchive } from '../archive/contents.ts'
import { type LayoutReader, type Loaded, loadArchive, loadLayout } from '../archive/load.ts'
import { archiveOf, type LayoutFile, layoutOf } from '../archive/save.ts'
import { type Bytes, type Codecs, portableCodecs } from '../codecs.ts'
import type { Digest } from '../digest.ts'
import type { Descriptor } from '../documents/documents.ts'
import { ImageError } from '../errors.ts'
import { LINUX_386, type Platform } from '../platform.ts'
import { canonicalName, familiarName, parseReference } from '../reference.ts'
import { pullFrom } from '../registry/pull.ts'
import { pushTo } from '../registry/push.ts'
import type { Registry } from '../registry/registry.ts'
import type { ContentStore } from '../store/store.ts'
import { type ImageEntry, readEntries, withEntry, withoutImage, writeEntries } from './entries.ts'
import { findImage } from './find.ts'
import { Image } from './image.ts'
import { layerOf, makeImage, type NewImage } from './make.ts'
import { readImage } from './read.ts'
import { mergedRoot, OpenLayers } from './root.ts'
import {
  change,
  DEFAULT_LIMITS,
  type ImageLimits,
  type OperationOptions,
  type StoreContext,
  type Workspace,
} from './workspace.ts'

/** What {@link Images} are made with. */
export interface ImagesOptions {
  readonly store: ContentStore
  /** How the host hashes and decompresses; in JavaScript unless stated. */
  readonly codecs?: Codecs
  /** {@link DEFAULT_LIMITS} for those that are not stated. */
  readonly limits?: Partial<ImageLimits>
}

/** Which image of several is taken. */
export interface ChoiceOptions extends OperationOptions {
  /** linux/386 unless stated, which is what runs here. */
  readonly platform?: Platform | undefined
}

/** What `load` takes. */
export interface LoadOptions extends ChoiceOptions {
  /** What the image is to be called, where the archive holds one. */
  readonly name?: string | undefined
}

/** What was done to an image that is to go. */
export interface Removed {
  /** Names that it had. */
  readonly untagged: readonly string[]
  /** Its ID, if it is gone. */
  readonly deleted: Digest | undefined
}

/**
 * The images of a store. Wherever an image is named, it is by its name, by `NAME@DIGEST`, or by its ID or the first digits of it. A change
 * happens as a whole or not at all: one that fails or is given up leaves nothing. What `load`, `pull` and the like answer has the names that
 * they gave.
 */
export class Images {
  readonly #context: StoreContext
  readonly #layers: OpenLayers

  constructor({ store, codecs = portableCodecs, limits }: ImagesOptions) {
    this.#context = { store, codecs, limits: { ...DEFAULT_LIMITS, ...limits } }
    this.#layers = new OpenLayers(this.#context)
  }

  /** All images. Those that are damaged are left out. */
  async list(): Promise<readonly Image[]> {
    const entries = await readEntries(this.#context.store)
    const digests = [...new Set(entries.map(({ manifest }) => manifest.digest))]
    const images: Image[] = []
    for (const digest of digests) {
      try {
        images.push(await this.#image(entries, digest))
      } catch (error) {
        if (!(error instanceof ImageError)) throw error
      }
    }
    return images
  }

  /** The image that is meant. @throws ImageError `image-unknown`, `image-ambiguous`. */
  async find(word: string): Promise<Image> {
    const entries = await readEntries(this.#context.store)
    return await this.#image(entries, (await findImage(this.#context, entries, word)).digest)
  }

  /** Gives an image one more name, which another loses. */
  async tag(word: string, name: string, options: OperationOptions = {}): Promise<void> {
    const full = nameToGive(name)
    await change(this.#context, options, async ({ store }) => {
      const entries = await readEntries(store)
      await writeEntries(store, withEntry(entries, await findImage(this.#context, entries, word), full))
    })
  }

  /**
   * Takes a name from an image; the image goes with its last one. By its ID it goes with all that it has; several need `force`.
   * @throws ImageError `image-in-use`.
   */
  async remove(word: string, options: OperationOptions & { readonly force?: boolean } = {}): Promise<Removed> {
    return await change(this.#context, options, async ({ store }) => {
      const entries = await readEntries(store)
      const manifest = await findImage(this.#context, entries, word)
      const own = entries.filter((entry) => entry.manifest.digest === manifest.digest)
      const named = own.flatMap(({ name }) => name ?? [])
      const said = named.find((name) => name === nameMeant(word))
      if (said !== undefined && named.length > 1) {
        await writeEntries(
          store,
          entries.filter(({ name }) => name !== said),
        )
        return { untagged: [said], deleted: undefined }
      }
      if (said === undefined && named.length > 1 && options.force !== true)
        throw new ImageError(
          'image-in-use',
          `the image has the names ${named.map((name) => familiarName(parseReference(name))).join(', ')}`,
          'remove those one by one, or force it',
        )
      const image = await this.#image(entries, manifest.digest).catch(() => undefined)
      await writeEntries(store, withoutImage(entries, manifest.digest))
      return { untagged: named, deleted: image?.id ?? manifest.digest }
    })
  }

  /** The images of an archive of `docker save`, or of an OCI layout in one, plain or compressed. */
  async load(archive: Bytes, options: LoadOptions = {}): Promise<readonly Image[]> {
    return await this.#take(options, async (workspace, platform) =>
      loadArchive(workspace, await takeArchive(workspace, abortable(archive, options.signal)), platform),
    )
  }

  /** The images of an OCI layout. */
  async loadLayout(layout: LayoutReader, options: LoadOptions = {}): Promise<readonly Image[]> {
    return await this.#take(options, (workspace, platform) => loadLayout(workspace, layout, platform))
  }

  async #take(
    { name, platform = LINUX_386, ...options }: LoadOptions,
    work: (workspace: Workspace, platform: Platform) => Promise<readonly Loaded[]>,
  ): Promise<readonly Image[]> {
    const full = name === undefined ? undefined : nameToGive(name)
    return await change(this.#context, options, async (workspace) => {
      const loaded = await work(workspace, platform)
      if (full !== undefined && new Set(loaded.map(({ manifest }) => manifest.digest)).size > 1)
        throw new ImageError(
          'image-archive',
          'there is more than one image, for one name',
          'load them without, and tag them',
        )
      const given = full === undefined ? loaded : [{ manifest: loaded[0]!.manifest, names: [full] }]
      return await this.#enter(given)
    })
  }

  /**
   * An image of one layer, whose files are those of a tar archive, plain or compressed. For single programs there is `programArchive`.
   */
  async import(archive: Bytes, { platform = LINUX_386, ...options }: NewImage & ChoiceOptions = {}): Promise<Image> {
    return await this.#make(options, (workspace) =>
      makeImage(workspace, abortable(archive, options.signal), platform, undefined, options, 'import'),
    )
  }

  /**
   * An image of another and what has been changed on top of it: the upper file system of an overlay over its layers. Without a base the changes
   * are all. @throws ImageError `image-commit`.
   */
  async commit(
    upper: FileSystem,
    { base, platform = LINUX_386, ...options }: NewImage & ChoiceOptions & { readonly base?: string | undefined },
  ): Promise<Image> {
    return await this.#make(options, async (workspace) => {
      const below = base === undefined ? undefined : await this.find(base)
      return await makeImage(workspace, layerOf(upper), platform, below, options, 'commit')
    })
  }

  async #make(
    options: NewImage & OperationOptions,
    work: (workspace: Workspace) => Promise<Descriptor>,
  ): Promise<Image> {
    const full = options.name === undefined ? undefined : nameToGive(options.name)
    const [image] = await change(this.#context, options, async (workspace) =>
      this.#enter([{ manifest: await work(workspace), names: full === undefined ? [] : [full] }]),
    )
    return image!
  }

  /** An image of a registry. @throws ImageError `image-registry`, `image-platform`. */
  async pull(
    name: string,
    { registry, platform = LINUX_386, ...options }: ChoiceOptions & { readonly registry: Registry },
  ): Promise<Image> {
    const reference = parseReference(name)
    const [image] = await change(this.#context, options, async (workspace) =>
      this.#enter([
        {
          manifest: await pullFrom(workspace, registry, reference, platform),
          names: [canonicalName(reference)],
        },
      ]),
    )
    return image!
  }

  /** Gives an image to a registry, under its own name or another. The digest that it has there. @throws ImageError `image-registry`. */
  async push(
    word: string,
    {
      registry,
      as = word,
      signal,
      progress = () => {},
    }: OperationOptions & { readonly registry: Registry; readonly as?: string },
  ): Promise<Digest> {
    const image = await this.find(word)
    const reference = parseReference(as)
    await pushTo({ store: this.#context.store, registry, reference, signal, progress }, image)
    return image.descriptor.digest
  }

  /** Some images as the files of an OCI layout, which `docker load` understands, too. */
  async *layout(words: readonly string[]): AsyncGenerator<LayoutFile> {
    const images = []
    for (const word of words) {
      const image = await this.find(word)
      const named = image.names.filter((name) => name === nameMeant(word))
      images.push({ manifest: image.descriptor, names: named.length > 0 ? named : image.names })
    }
    const { store, codecs } = this.#context
    yield* layoutOf(store, codecs, images)
  }

  /** Some images as one tar archive, for `load` here and elsewhere. */
  save(words: readonly string[]): AsyncGenerator<Uint8Array> {
    return archiveOf(this.layout(words))
  }

  /** All files of an image as one tar archive, without its layers and its configuration. */
  async *export(word: string): AsyncGenerator<Uint8Array> {
    using root = await (await this.find(word)).root()
    const time = new SettableTime()
    const vfs = new Vfs({ time })
    const fs = mergedRoot(root, () => new TmpFs({ time }))
    yield* packTree({ vfs, task: vfs.newTask(vfs.newTree(fs)) })
  }

  async #enter(loaded: readonly Loaded[]): Promise<readonly Image[]> {
    const { store } = this.#context
    let entries = await readEntries(store)
    for (const { manifest, names } of loaded)
      for (const name of names.length === 0 ? [undefined] : names) entries = withEntry(entries, manifest, name)
    await writeEntries(store, entries)
    const digests = [...new Set(loaded.map(({ manifest }) => manifest.digest))]
    return await Promise.all(
      digests.map((digest) => {
        const given = loaded.filter(({ manifest }) => manifest.digest === digest).flatMap(({ names }) => names)
        return this.#image(entries, digest, given)
      }),
    )
  }

  /** With all its names, or those that it has just been given. */
  async #image(entries: readonly ImageEntry[], digest: Digest, given: readonly string[] = []): Promise<Image> {
    const { store, codecs } = this.#context
    const own = entries.filter(({ manifest }) => manifest.digest === digest)
    const descriptor = own[0]!.manifest
    const { manifest, config } = await readImage(store, codecs, descriptor)
    let size = 0
    for (const diffId of new Set(config.rootfs.diff_ids)) size += (await store.size(diffId)) ?? 0
    const names = given.length > 0 ? [...new Set(given)] : own.flatMap(({ name }) => name ?? [])
    return new Image({ descriptor, manifest, config, names, size }, (of) => this.#layers.root(of))
  }
}

/** A name that an image may be given: with a tag. @throws ImageError `image-reference`. */
function nameToGive(text: string): string {
  const reference = parseReference(text)
  if (reference.digest === undefined) return canonicalName(reference)
  throw new ImageError('image-reference', `the name ${familiarName(reference)} has a digest in it`, 'give it without')
}

/** What a word means as a name; undefined where it is none. */
function nameMeant(word: string): string | undefined {
  try {
    return canonicalName(parseReference(word))
  } catch {
    return undefined
  }
}
