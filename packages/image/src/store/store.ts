/**
 * Where images are kept: content by its digest, and one document that says what of it is an image, under which names. It is an OCI image
 * layout, seen from above; `memoryStore` and the folder of `@vmexit/image/node` are two.
 *
 * Content does not change: it is there whole or not at all. Reading needs no lock. Whoever changes something does it within `exclusive`.
 */
import type { Digest } from '../digest.ts'

/** Content that is being written. It counts once it is kept. */
export interface ContentWriter {
  write(bytes: Uint8Array): Promise<void>
  /** Keeps it under a digest, which the caller has computed. Nothing happens where that is there already. */
  keep(digest: Digest): Promise<void>
  /** Leaves nothing of it. May be called at any time, `keep` included. */
  discard(): Promise<void>
}

/** Bytes at an offset, at once: file systems never wait. */
export interface RandomAccess {
  readonly size: number
  /**
   * Reads up to `length` bytes at `position` into `into` from `start` on. How many; 0 at the end. Below 0 it is an answer of a file system:
   * `-EIO`, or `NOT_YET`, where the content is being fetched.
   */
  read(into: Uint8Array, start: number, length: number, position: number): number
  close(): void
}

/** How long `exclusive` is to wait. */
export interface ExclusiveOptions {
  readonly signal?: AbortSignal | undefined
  /** Somebody else is changing the store; it is told once, with who that is. */
  readonly waiting?: ((owner: string) => void) | undefined
}

/** A place for images. */
export interface ContentStore {
  /** Runs `work` while nobody else, in this process or another, changes the store. */
  exclusive<Result>(work: () => Promise<Result>, options?: ExclusiveOptions): Promise<Result>
  /** The document of all images; undefined in a new store. */
  readIndex(): Promise<Uint8Array | undefined>
  /** Replaces it, as a whole or not at all. */
  writeIndex(bytes: Uint8Array): Promise<void>
  /** The bytes of what is kept under a digest; undefined where there is nothing. */
  size(digest: Digest): Promise<number | undefined>
  /** All that is kept; with size 0 also that of which nothing but notes is left. */
  list(): Promise<readonly { readonly digest: Digest; readonly size: number }[]>
  /** Begins new content. Only within `exclusive`. */
  create(): Promise<ContentWriter>
  /** @throws ImageError `image-digest` where there is nothing. */
  read(digest: Digest): AsyncIterable<Uint8Array>
  /** As {@link read}, at any place. */
  open(digest: Digest): Promise<RandomAccess>
  /** Removes content and its notes. What is open stays readable. */
  remove(digest: Digest): Promise<void>
  /** Notes on content that could be made again: where the files of a layer lie in it. */
  readNotes(digest: Digest): Promise<Uint8Array | undefined>
  writeNotes(digest: Digest, bytes: Uint8Array): Promise<void>
}
