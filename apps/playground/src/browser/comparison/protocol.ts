/** What the page and the worker of comparisons say to each other. */
import type { Progress } from '@vmexit/compare'
import type { Problem } from '../problem.ts'

/** A row or a column that can be chosen. */
export interface Offered {
  readonly name: string
  readonly title: string
  /** In a sentence. */
  readonly about: string
}

/** From the page, once. */
export interface ComparisonRequest {
  /** The teaching kernel. */
  readonly kernel: Uint8Array
  readonly workloads: readonly string[]
  readonly techniques: readonly string[]
}

/** From the worker: at first what there is. */
export type ComparisonReport =
  | { readonly type: 'offer'; readonly workloads: readonly Offered[]; readonly techniques: readonly Offered[] }
  | { readonly type: 'progress'; readonly progress: Progress }
  /** The report as a page of its own, and the same as a document. */
  | { readonly type: 'done'; readonly html: string; readonly json: string }
  | { readonly type: 'problem'; readonly problem: Problem }
