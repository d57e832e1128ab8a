/** An image of a store. */
import { type Digest, shortDigest } from '../digest.ts'
import type { Descriptor, ImageConfig, Manifest } from '../documents/documents.ts'
import { familiarName, parseReference } from '../reference.ts'
import type { ImageRoot } from './root.ts'

/** An image as it was when it was looked up. */
export class Image {
  /** Its configuration's digest, by which it is known, too. */
  readonly id: Digest
  /** Descriptor of its manifest. */
  readonly descriptor: Descriptor
  readonly manifest: Manifest
  readonly config: ImageConfig
  /** In full, such as `docker.io/library/debian:12`. */
  readonly names: readonly string[]
  /** Bytes of its layers, uncompressed. */
  readonly size: number
  readonly #open: (config: ImageConfig) => Promise<ImageRoot>

  constructor(
    image: Pick<Image, 'descriptor' | 'manifest' | 'config' | 'names' | 'size'>,
    open: (config: ImageConfig) => Promise<ImageRoot>,
  ) {
    this.id = image.manifest.config.digest
    this.descriptor = image.descriptor
    this.manifest = image.manifest
    this.config = image.config
    this.names = image.names
    this.size = image.size
    this.#open = open
  }

  /** For people: a name, or the ID's first digits. */
  get shownName(): string {
    const [first] = this.names
    return first === undefined ? shortDigest(this.id) : familiarName(parseReference(first))
  }

  /** What a container of it begins with. @throws ImageError. */
  root(): Promise<ImageRoot> {
    return this.#open(this.config)
  }
}
