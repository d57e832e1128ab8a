/** Watching walks, for traces that show what tables were read. Nobody does so unless asked. */
import type { TableFormat } from './format.ts'

/** One entry that a walk has read. */
export interface TableEntry {
  readonly format: TableFormat['name']
  /** 1 is the level whose entries map 4 KiB pages. */
  readonly level: number
  /** Physical, of the memory that the tables lie in. */
  readonly address: number
  /** Both halves; the high one is 0 where entries have four bytes. */
  readonly low: number
  readonly high: number
}

/**
 * Told of walks as they go. Walks that only look are told of as well: what was read counts when `onCounted` comes before the next
 * `onWalk`.
 */
export interface WalkWatcher {
  /** A walk for a linear address begins. */
  onWalk(linear: number): void
  onEntry(entry: TableEntry): void
  /** What the last walk has read has been counted. */
  onCounted(): void
}
