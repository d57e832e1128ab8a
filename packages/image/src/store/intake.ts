/** Content on its way into a store: hashed as it comes, measured, within a quota, and kept only if it is what it should be. */
import type { Bytes, Codecs } from '../codecs.ts'
import { type Digest, type DigestAlgorithm, partsOf } from '../digest.ts'
import { ImageError } from '../errors.ts'
import type { ContentStore } from './store.ts'

/** What content should be. */
export interface Expected {
  readonly digest?: Digest | undefined
  readonly size?: number | undefined
}

/** Bytes that may yet be taken. */
export class Quota {
  #left: number
  readonly #all: number

  constructor(bytes: number, used = 0) {
    this.#all = bytes
    this.#left = bytes - used
  }

  /** @throws ImageError `image-quota`. */
  take(bytes: number): void {
    this.#left -= bytes
    if (this.#left >= 0) return
    throw new ImageError(
      'image-quota',
      `images would take more than their quota of ${this.#all} bytes`,
      'remove images, or allow more',
    )
  }

  give(bytes: number): void {
    this.#left += bytes
  }
}

/** What an intake needs. */
export interface IntakeContext {
  readonly store: ContentStore
  readonly codecs: Codecs
  readonly quota: Quota
  readonly signal: AbortSignal | undefined
}

/** One piece of content that comes piece by piece. */
export interface Intake {
  /** @throws ImageError `image-quota`, `image-digest` as soon as there is more than there should be. */
  write(bytes: Uint8Array): Promise<void>
  /** @throws ImageError `image-digest`. */
  finish(): Promise<{ readonly digest: Digest; readonly size: number }>
  discard(): Promise<void>
}

/** Begins one. `what` names it in errors. */
export async function beginIntake(
  { store, codecs, quota, signal }: IntakeContext,
  what: string,
  expected: Expected = {},
): Promise<Intake> {
  const algorithm: DigestAlgorithm = expected.digest === undefined ? 'sha256' : partsOf(expected.digest).algorithm
  const hash = codecs.hash(algorithm)
  const writer = await store.create()
  let size = 0
  const wrong = (why: string): ImageError =>
    new ImageError('image-digest', `${what} ${why}`, 'get it again: it is damaged, or somebody has changed it')
  return {
    async write(bytes) {
      signal?.throwIfAborted()
      size += bytes.length
      if (expected.size !== undefined && size > expected.size)
        throw wrong(`has more bytes than the ${expected.size} that it should have`)
      quota.take(bytes.length)
      hash.update(bytes)
      await writer.write(bytes)
    },
    async finish() {
      if (expected.size !== undefined && size !== expected.size)
        throw wrong(`has ${size} bytes instead of ${expected.size}`)
      const digest: Digest = `${algorithm}:${hash.hex()}`
      if (expected.digest !== undefined && digest !== expected.digest)
        throw wrong(`is ${digest} instead of ${expected.digest}`)
      // What was there is not taken twice.
      if ((await store.size(digest)) !== undefined) quota.give(size)
      await writer.keep(digest)
      return { digest, size }
    },
    async discard() {
      await writer.discard()
    },
  }
}

/** Takes all of a source in. */
export async function takeIn(
  context: IntakeContext,
  what: string,
  source: Bytes,
  expected: Expected = {},
  observe?: (bytes: Uint8Array) => void,
): Promise<{ readonly digest: Digest; readonly size: number }> {
  const intake = await beginIntake(context, what, expected)
  try {
    for await (const bytes of source) {
      await intake.write(bytes)
      observe?.(bytes)
    }
    return await intake.finish()
  } finally {
    await intake.discard()
  }
}
