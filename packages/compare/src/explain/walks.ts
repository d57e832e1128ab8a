/** Walks that were counted, with the entries that they read. */
import type { TableEntry, WalkWatcher } from '@vmexit/paging'

/** One walk. */
export interface Walk {
  readonly linear: number
  readonly entries: readonly TableEntry[]
}

/** Collects them. */
export class Walks implements WalkWatcher {
  #linear = 0
  #pending: TableEntry[] = []
  #counted: Walk[] = []

  onWalk(linear: number): void {
    this.#linear = linear
    this.#pending = []
  }
  onEntry(entry: TableEntry): void {
    this.#pending.push(entry)
  }
  onCounted(): void {
    this.#counted.push({ linear: this.#linear, entries: this.#pending })
    this.#pending = []
  }

  /** Those since the last call. */
  take(): readonly Walk[] {
    const taken = this.#counted
    this.#counted = []
    return taken
  }
}
