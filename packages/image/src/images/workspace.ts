/** What a change of a store is made with: limits, a quota, and whom to tell how far it is. */
import type { Codecs } from '../codecs.ts'
import type { LayerLimits } from '../layer/indexer.ts'
import { type IntakeContext, Quota } from '../store/intake.ts'
import type { ContentStore } from '../store/store.ts'
import { sweep } from './sweep.ts'

/** What images may take. */
export interface ImageLimits extends LayerLimits {
  /** Bytes of all that is kept: layers as they came, and uncompressed. */
  readonly bytes: number
}

/** Unless stated: 64 GiB, and layers of a million files. */
export const DEFAULT_LIMITS: ImageLimits = { bytes: 2 ** 36, entries: 1_000_000, metadataBytes: 1 << 28 }

/** How far something is. */
export interface ImageProgress {
  /** `wait`: somebody else, `what`, is changing the store. */
  readonly step: 'wait' | 'read' | 'download' | 'upload' | 'unpack'
  /** What it is about: a digest, a name. */
  readonly what: string
  readonly done: number
  readonly total?: number | undefined
}

/** What every long call takes. */
export interface OperationOptions {
  /** Ends it: nothing of it stays. */
  readonly signal?: AbortSignal | undefined
  readonly progress?: ((progress: ImageProgress) => void) | undefined
}

/** Where a change is made. */
export interface Workspace extends IntakeContext {
  readonly limits: ImageLimits
  readonly progress: (progress: ImageProgress) => void
}

/** What a store is changed with. */
export interface StoreContext {
  readonly store: ContentStore
  readonly codecs: Codecs
  readonly limits: ImageLimits
}

/** Changes a store. What is of no image afterwards, as after a failure, is removed. */
export async function change<Result>(
  { store, codecs, limits }: StoreContext,
  { signal, progress = () => {} }: OperationOptions,
  work: (workspace: Workspace) => Promise<Result>,
): Promise<Result> {
  const run = async (): Promise<Result> => {
    const used = (await store.list()).reduce((sum, { size }) => sum + size, 0)
    const quota = new Quota(limits.bytes, used)
    let result: Result
    try {
      result = await work({ store, codecs, limits, quota, signal, progress })
    } catch (error) {
      // The first error is the one to be told.
      await sweep(store, codecs).catch(() => {})
      throw error
    }
    await sweep(store, codecs)
    return result
  }
  const waiting = (owner: string): void => progress({ step: 'wait', what: owner, done: 0 })
  return await store.exclusive(run, { signal, waiting })
}
