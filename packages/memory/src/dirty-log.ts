/** Which pages were written since they were last asked for: one bit per guest-physical page. */

/** What a dirty log needs of the memory it watches. */
export interface LoggedPages {
  /** Makes the next write to `pfn` reach the logs. */
  arm(pfn: number): void
  /** Ends the log. */
  close(log: DirtyLog): void
}

/**
 * One consumer's log over a run of pages; any number may be open on the same memory (migration, a display's refresh).
 * A page costs one slow write after each {@link take}; further writes to it are plain.
 */
export class DirtyLog {
  readonly #pages: LoggedPages
  readonly #first: number
  readonly #end: number
  #bits: Uint32Array<ArrayBuffer>

  /** Made by `GuestMemory.openDirtyLog`. Covers page numbers `first` (inclusive) to `end` (exclusive). */
  constructor(pages: LoggedPages, first: number, end: number) {
    this.#pages = pages
    this.#first = first
    this.#end = end
    this.#bits = new Uint32Array(Math.ceil((end - first) / 32))
  }

  /** Called by the memory when `pfn` is written. */
  mark(pfn: number): void {
    if (pfn < this.#first || pfn >= this.#end) return
    const bit = pfn - this.#first
    this.#bits[bit >>> 5] |= 1 << (bit & 31)
  }

  /** The page numbers written since the last call (since opening, the first time), ascending. Starts anew for those. */
  take(): number[] {
    const taken: number[] = []
    for (let word = 0; word < this.#bits.length; word++) {
      let bits = this.#bits[word]
      this.#bits[word] = 0
      while (bits !== 0) {
        const bit = 31 - Math.clz32(bits & -bits)
        bits &= bits - 1
        taken.push(this.#first + word * 32 + bit)
      }
    }
    for (const pfn of taken) this.#pages.arm(pfn)
    return taken
  }

  /** Ends the log. */
  close(): void {
    this.#pages.close(this)
  }
}
