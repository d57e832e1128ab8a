/**
 * Guest-physical memory by the page: which frame, which state, and everything that must happen before a page changes
 * (copy-on-write, dirty logs, code invalidation, dropping of cached translations).
 *
 * Frames are assigned lazily: a page nobody has written lies in the pool's frame of zeros, shared and read-only, and
 * gets a frame of its own at the first write. A guest of 4 GiB costs what it writes.
 */
import { hex, VmexitError } from '@vmexit/core'
import { CodeMap } from './code-map.ts'
import { DirtyLog, type LoggedPages } from './dirty-log.ts'
import type { MemoryListener, WriteWatcher } from './events.ts'
import type { FrameOwner, FramePool } from './frame-pool.ts'
import { type HostMemory, PAGE_BYTES } from './host-memory.ts'
import { MAXIMUM_ADDRESS, type MemoryRange, PageFlag, PageMap } from './page-map.ts'

/** Page number of a guest-physical address. */
export function pageOf(address: number): number {
  return address < 0x1_0000_0000 ? address >>> 12 : Math.floor(address / PAGE_BYTES)
}

/** Guest-physical memory by the page: frames, what restricts writes to them, and who is told. Its user is `GuestMemory`. */
export class GuestPages {
  readonly pool: FramePool
  readonly host: HostMemory
  /** Whom new frames are charged to. */
  readonly owner: FrameOwner
  protected readonly pages: PageMap = new PageMap()
  readonly #code = new CodeMap()
  readonly #listeners = new Set<MemoryListener>()
  readonly #logs = new Set<DirtyLog>()
  readonly #watchers = new Map<number, readonly WriteWatcher[]>()
  readonly #logged: LoggedPages = {
    arm: (pfn) => this.#arm(pfn),
    close: (log) => this.#logs.delete(log),
  }

  protected constructor(pool: FramePool, owner: FrameOwner, ranges: readonly MemoryRange[]) {
    this.pool = pool
    this.host = pool.host
    this.owner = owner
    for (const range of ranges) this.map(range)
  }

  /** What is mapped, by ascending address. */
  get ranges(): readonly MemoryRange[] {
    return this.pages.ranges
  }

  /** Adds a listener; returns the function that removes it. */
  listen(listener: MemoryListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  // ── Ranges ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Adds a range of zeros.
   * @throws VmexitError `range-invalid`, `range-overlap`.
   */
  map(range: MemoryRange): void {
    this.pages.add(range, this.pool.zeroFrame, PageFlag.SHARED | (range.kind === 'rom' ? PageFlag.ROM : 0))
    const end = (range.start + range.bytes) / PAGE_BYTES
    for (const pfn of this.#watchers.keys()) {
      if (pfn >= range.start / PAGE_BYTES && pfn < end) this.pages.flags[this.pages.slot(pfn)] |= PageFlag.WATCHED
    }
    if (this.#logs.size > 0) for (let pfn = range.start / PAGE_BYTES; pfn < end; pfn++) this.#arm(pfn)
  }

  /**
   * Removes the range that starts at `start`, contents and all: it becomes a hole.
   * @throws VmexitError `not-memory`.
   */
  unmap(start: number): void {
    const range = this.pages.rangeStartingAt(start)
    for (let pfn = start / PAGE_BYTES; pfn < (start + range.bytes) / PAGE_BYTES; pfn++) {
      this.#replaceFrame(pfn, this.pages.slot(pfn), this.pool.zeroFrame)
    }
    this.pages.remove(start)
  }

  /**
   * Moves the range that starts at `start`, with its contents and without copying them, to `to` in `target`, a memory
   * over the same pool (this one unless stated): memory of a card whose window the guest moves.
   * @throws VmexitError `not-memory`; `range-invalid` or `range-overlap`, also with itself. Nothing is changed then.
   */
  moveRange(start: number, to: number, target: GuestPages = this): void {
    const range = this.pages.rangeStartingAt(start)
    target.map({ ...range, start: to })
    for (let page = 0; page < range.bytes / PAGE_BYTES; page++) {
      const frame = this.pages.frame[this.pages.slot(start / PAGE_BYTES + page)]
      if (frame !== this.pool.zeroFrame) target.mapFrame(to / PAGE_BYTES + page, frame)
    }
    this.unmap(start)
  }

  /**
   * Makes whole pages read-only to the guest, like ROM, or writable again (shadowed firmware).
   * @throws VmexitError `not-memory` if any page is a hole; nothing is changed then.
   */
  setReadOnly(start: number, bytes: number, readOnly: boolean): void {
    const first = Math.floor(start / PAGE_BYTES)
    const end = Math.ceil((start + bytes) / PAGE_BYTES)
    for (let pfn = first; pfn < end; pfn++) this.#memorySlot(pfn)
    for (let pfn = first; pfn < end; pfn++) {
      if (readOnly) this.#restrict(pfn, this.pages.slot(pfn), PageFlag.ROM)
      else this.pages.flags[this.pages.slot(pfn)] &= ~PageFlag.ROM
    }
  }

  // ── Frames ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Host offset of page `pfn` for reading, or 0: no memory there, read it by address. Valid until `onRemapped`. */
  readPage(pfn: number): number {
    return this.pages.frame[this.pages.slot(pfn)]
  }

  /** Host offset of page `pfn` if stores may go there with nothing else to do, or 0. Valid until `onWriteRestricted`. */
  writePage(pfn: number): number {
    const slot = this.pages.slot(pfn)
    return (this.pages.flags[slot] & PageFlag.RESTRICTED) === 0 ? this.pages.frame[slot] : 0
  }

  /** {@link PageFlag} bits of page `pfn`. */
  flagsOf(pfn: number): number {
    return this.pages.flags[this.pages.slot(pfn)]
  }

  /** A CPU has cached what {@link readPage} gave. */
  noteReadCached(pfn: number): void {
    this.pages.flags[this.pages.slot(pfn)] |= PageFlag.READ_CACHED
  }

  /** A CPU has cached what {@link writePage} gave. */
  noteWriteCached(pfn: number): void {
    this.pages.flags[this.pages.slot(pfn)] |= PageFlag.WRITE_CACHED
  }

  /**
   * Everything that must happen before `length` bytes at `offset` of page `pfn` (not beyond its end) are stored: the
   * page gets a frame of its own, dirty logs are told, translated code is dropped. Returns the host offset to store to,
   * or 0 if the store must go through `write8` … `writeBytes`: holes, ROM, watched pages.
   * @throws VmexitError `frame-limit`, `memory-exhausted`; nothing is changed then.
   */
  prepareWrite(pfn: number, offset: number, length: number): number {
    const slot = this.pages.slot(pfn)
    const flags = this.pages.flags[slot]
    if ((flags & PageFlag.RESTRICTED) !== 0) {
      if ((flags & (PageFlag.HOLE | PageFlag.ROM | PageFlag.WATCHED)) !== 0) return 0
      this.admit(pfn, slot, offset, length)
    }
    return this.pages.frame[slot] + offset
  }

  /**
   * Puts `frame` of the same pool, copy-on-write, in place of what page `pfn` held (merging equal pages). The caller's
   * own reference to the frame stays the caller's.
   * @throws VmexitError `not-memory`, `frame-unknown` if the frame is not in use.
   */
  mapFrame(pfn: number, frame: number): void {
    const slot = this.#memorySlot(pfn)
    this.pool.retain(frame)
    this.#replaceFrame(pfn, slot, frame)
  }

  /**
   * Gives the frame of page `pfn` back (a balloon). The page reads as zeros from now on and gets a new frame when written.
   * @throws VmexitError `not-memory`.
   */
  unmapFrame(pfn: number): void {
    const slot = this.#memorySlot(pfn)
    if (this.pages.frame[slot] !== this.pool.zeroFrame) this.#replaceFrame(pfn, slot, this.pool.zeroFrame)
  }

  #replaceFrame(pfn: number, slot: number, frame: number): void {
    this.notifyBefore(pfn, 0, PAGE_BYTES)
    this.clearCode(pfn)
    this.#log(pfn, slot)
    this.#dropTranslations(pfn, slot)
    this.pool.release(this.pages.frame[slot])
    this.pages.frame[slot] = frame
    this.pages.flags[slot] |= PageFlag.SHARED
    this.notifyAfter(pfn, 0, PAGE_BYTES)
  }

  /** Bookkeeping of a store to a page that has memory. ROM is for the caller to refuse. */
  protected admit(pfn: number, slot: number, offset: number, length: number): void {
    const flags = this.pages.flags[slot]
    if ((flags & PageFlag.SHARED) !== 0) this.#takeOwnFrame(pfn, slot)
    if ((flags & PageFlag.LOGGED) !== 0) this.#log(pfn, slot)
    if ((flags & PageFlag.CODE) !== 0 && this.#code.touches(pfn, offset, offset + length)) this.#dropCode(pfn, slot)
  }

  #takeOwnFrame(pfn: number, slot: number): void {
    const shared = this.pages.frame[slot]
    if (this.pool.references(shared) !== 1) {
      const zero = shared === this.pool.zeroFrame
      const own = this.pool.allocate(this.owner, zero ? 'zero' : 'any')
      if (!zero) this.host.u8.copyWithin(own, shared, shared + PAGE_BYTES)
      this.#dropTranslations(pfn, slot)
      this.pool.release(shared)
      this.pages.frame[slot] = own
    }
    this.pages.flags[slot] &= ~PageFlag.SHARED
  }

  #memorySlot(pfn: number): number {
    const slot = this.pages.slot(pfn)
    if (this.pages.frame[slot] === 0) {
      throw new VmexitError('not-memory', {
        problem: `page ${hex(pfn)} (address ${hex(pfn * PAGE_BYTES)}) is not memory`,
        remedy: 'map a range there first',
      })
    }
    return slot
  }

  // ── Cached translations ─────────────────────────────────────────────────────────────────────────────────────────

  #restrict(pfn: number, slot: number, flag: number): void {
    const flags = this.pages.flags[slot]
    this.pages.flags[slot] = (flags | flag) & ~PageFlag.WRITE_CACHED
    if ((flags & PageFlag.WRITE_CACHED) !== 0) for (const listener of this.#listeners) listener.onWriteRestricted?.(pfn)
  }

  /** Sets `flag` on every page with memory. */
  #restrictAll(flag: number): void {
    let cached = 0
    this.forEachPage((_, slot) => {
      cached |= this.pages.flags[slot]
      this.pages.flags[slot] = (this.pages.flags[slot] | flag) & ~PageFlag.WRITE_CACHED
    })
    if ((cached & PageFlag.WRITE_CACHED) !== 0)
      for (const listener of this.#listeners) listener.onAllWriteRestricted?.()
  }

  #dropTranslations(pfn: number, slot: number): void {
    const cached = PageFlag.READ_CACHED | PageFlag.WRITE_CACHED
    if ((this.pages.flags[slot] & cached) === 0) return
    this.pages.flags[slot] &= ~cached
    for (const listener of this.#listeners) listener.onRemapped?.(pfn)
  }

  /** Calls `visit` for every page with memory, ascending. */
  protected forEachPage(visit: (pfn: number, slot: number) => void): void {
    for (const range of this.pages.ranges) {
      const end = (range.start + range.bytes) / PAGE_BYTES
      for (let pfn = range.start / PAGE_BYTES; pfn < end; pfn++) visit(pfn, this.pages.slot(pfn))
    }
  }

  // ── Translated code ─────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Code has been translated from offsets `start` (inclusive) to `end` (exclusive) of page `pfn`: a write there will
   * call `onCodeWrite`, after which the page has no code. False, and nothing marked, where there is no memory: keep no translation of it then.
   */
  markCode(pfn: number, start: number, end: number): boolean {
    const slot = this.pages.slot(pfn)
    if (this.pages.frame[slot] === 0) return false
    this.#code.mark(pfn, start, end)
    if ((this.pages.flags[slot] & PageFlag.CODE) === 0) this.#restrict(pfn, slot, PageFlag.CODE)
    return true
  }

  /** Has every listener drop its translations of page `pfn`, after which the page has no code. */
  clearCode(pfn: number): void {
    const slot = this.pages.slot(pfn)
    if ((this.pages.flags[slot] & PageFlag.CODE) !== 0) this.#dropCode(pfn, slot)
  }

  /** (All of the page's code: who rewrites some of it often rewrites more, and then pays for one store only.) */
  #dropCode(pfn: number, slot: number): void {
    for (const listener of this.#listeners) listener.onCodeWrite?.(pfn)
    this.#code.clear(pfn)
    this.pages.flags[slot] &= ~PageFlag.CODE
  }

  // ── Watched pages ───────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Has `watcher` told of every write to page `pfn`, by whomever. Any number may watch a page. Returns the function that
   * ends it.
   * @throws VmexitError `not-memory`.
   */
  watch(pfn: number, watcher: WriteWatcher): () => void {
    this.#restrict(pfn, this.#memorySlot(pfn), PageFlag.WATCHED)
    this.#watchers.set(pfn, [...(this.#watchers.get(pfn) ?? []), watcher])
    return () => {
      const left = (this.#watchers.get(pfn) ?? []).filter((other) => other !== watcher)
      if (left.length > 0) {
        this.#watchers.set(pfn, left)
        return
      }
      this.#watchers.delete(pfn)
      this.pages.flags[this.pages.slot(pfn)] &= ~PageFlag.WATCHED
    }
  }

  protected notifyBefore(pfn: number, offset: number, length: number): void {
    for (const watcher of this.#watchers.get(pfn) ?? []) watcher.beforeWrite?.(pfn * PAGE_BYTES + offset, length)
  }

  protected notifyAfter(pfn: number, offset: number, length: number): void {
    for (const watcher of this.#watchers.get(pfn) ?? []) watcher.afterWrite?.(pfn * PAGE_BYTES + offset, length)
  }

  // ── Dirty logs ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** Opens a log of written pages over `bytes` from `start` (default: all memory mapped now). Close it when done. */
  openDirtyLog(start = 0, bytes: number = MAXIMUM_ADDRESS - start): DirtyLog {
    const last = this.pages.ranges.at(-1)
    const top = last === undefined ? 0 : last.start + last.bytes
    const first = Math.floor(start / PAGE_BYTES)
    const end = Math.ceil(Math.min(start + bytes, top) / PAGE_BYTES)
    const log = new DirtyLog(this.#logged, first, Math.max(first, end))
    this.#logs.add(log)
    if (start === 0 && end * PAGE_BYTES >= top) this.#restrictAll(PageFlag.LOGGED)
    else for (let pfn = first; pfn < end; pfn++) this.#arm(pfn)
    return log
  }

  #arm(pfn: number): void {
    const slot = this.pages.slot(pfn)
    if (this.pages.frame[slot] !== 0) this.#restrict(pfn, slot, PageFlag.LOGGED)
  }

  #log(pfn: number, slot: number): void {
    this.pages.flags[slot] &= ~PageFlag.LOGGED
    for (const log of this.#logs) log.mark(pfn)
  }

  // ── Copies ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Makes `child`, freshly made with the same ranges, share every frame of this memory copy-on-write. */
  protected shareInto(child: GuestPages): void {
    this.#restrictAll(PageFlag.SHARED)
    this.forEachPage((pfn, slot) => {
      const other = child.pages.slot(pfn)
      this.pool.retain(this.pages.frame[slot])
      child.pages.frame[other] = this.pages.frame[slot]
      child.pages.flags[other] = (this.pages.flags[slot] & PageFlag.ROM) | PageFlag.SHARED
    })
  }

  /** Gives every frame back to the pool. The memory reads as zeros; listeners are told as of any change. */
  [Symbol.dispose](): void {
    this.forEachPage((pfn) => this.unmapFrame(pfn))
  }
}
