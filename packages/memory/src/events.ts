/** What a memory tells those who cache something of it. Every method may be absent and then does nothing. */

/**
 * A holder of cached translations or of translated code: an engine, a software TLB. Methods are called before the change
 * they announce takes effect, and must not write to the memory.
 */
export interface MemoryListener {
  /** Page `pfn` is not plainly writable any more: drop write translations to it. Called only after `noteWriteCached(pfn)`. */
  onWriteRestricted?(pfn: number): void
  /** As {@link onWriteRestricted}, for every page at once. */
  onAllWriteRestricted?(): void
  /**
   * Page `pfn` is about to lie in another frame: drop read and write translations to it. Called only after
   * `noteReadCached(pfn)` or `noteWriteCached(pfn)`.
   */
  onRemapped?(pfn: number): void
  /** Bytes of page `pfn` with code on them are about to change: drop every translation made from any byte of the page. */
  onCodeWrite?(pfn: number): void
}

/** Somebody who is told of each write to a page, with the guest-physical address and the length, which stays in the page. */
export interface WriteWatcher {
  /** The old bytes are still there. */
  beforeWrite?(address: number, length: number): void
  /** The new bytes are there. */
  afterWrite?(address: number, length: number): void
}
