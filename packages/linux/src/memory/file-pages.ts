/**
 * The page cache: frames with pages of a file, or of memory that is shared without one. *A page that has a frame has its
 * truth there*: what a program stores through a shared mapping is in the frame, and comes to the file before anyone reads
 * the file by other ways; what is written to the file comes to the frame at once.
 *
 * A file that has the data of another one, as those of an overlay have that were not written yet, has the pages of that one: so what many
 * containers have of their image's layers is in memory once, and translated once. Whoever touches a page first has paid for it, as on Linux.
 * When such a file is copied up it gets pages of its own; what was mapped before stays mapped, and shows the lower file, as on Linux.
 */
import { Fallocate, type Inode, Open, Seek } from '@vmexit/vfs'
import { Errno } from '../errno.ts'
import { type Account, MemoryKind, type MemoryPayer } from '../tasks/account.ts'
import { type Frames, PAGE } from './frames.ts'

/** What a fault on a page finds: a frame, or why not. */
export const NoPage = { END: -1, MEMORY: -2, NOT_YET: -3, IO: -4 } as const

let nextId = 1

/** Told of bytes that were read from a file. */
type ReadListener = (inode: Inode, bytes: number) => void

/** Pages of one file, or with `null` shared memory without a file. */
export class FilePages {
  readonly #frames: Frames
  /** No other one ever has it. */
  readonly id: number = nextId++
  readonly inode: Inode | null
  readonly #cached = new Map<number, number>()
  /** Pages that were stored to through a mapping, and differ from the file. */
  readonly #dirty = new Set<number>()
  /** Areas that show it. */
  mappings = 0
  #holds = false
  /** Of memory without a file: as /proc/self/maps shows it. */
  readonly name: string
  /** Files of several file systems may have these. */
  readonly isCommon: boolean

  readonly #told: ReadListener | undefined

  constructor(frames: Frames, inode: Inode | null, name: string, isCommon = false, told?: ReadListener) {
    this.#frames = frames
    this.inode = inode
    this.name = name
    this.isCommon = isCommon
    this.#told = told
  }

  /** An area shows it from now on: a file has its data for as long, though it may lose its names and be closed. */
  mapped(): void {
    const { inode } = this
    if (this.mappings++ === 0 && inode !== null) this.#holds = inode.fs.open(inode, Open.O_PATH) === 0
  }

  /** An area is gone. Of the last one, what was stored comes to the file; memory without a file ends. */
  unmapped(): void {
    if (--this.mappings > 0) return
    const { inode } = this
    if (inode === null) this.drop(0)
    else {
      this.flush()
      this.#dirty.clear()
      if (inode.nlink === 0) this.drop(0)
      if (this.#holds) inode.fs.release(inode)
      this.#holds = false
    }
  }

  /** Frames that it holds. */
  get size(): number {
    return this.#cached.size
  }

  /** The frame of a page, or 0 where it has none. */
  cached(page: number): number {
    return this.#cached.get(page) ?? 0
  }

  /** The frame of a page, which is read if it has none; or a number of `NoPage`. The frame's reference stays the cache's. */
  frame(page: number, account: Account): number {
    const known = this.#cached.get(page)
    if (known !== undefined) return known
    const { inode } = this
    if (inode !== null && page * PAGE >= inode.size) return NoPage.END
    const frame = this.#frames.take(account, true, inode === null ? MemoryKind.shmem : MemoryKind.file)
    if (frame === 0) return NoPage.MEMORY
    if (inode !== null) {
      const at = this.#frames.write(frame, 0, PAGE)
      const got = inode.fs.read(inode, this.#frames.memory.host.u8, at, PAGE, page * PAGE)
      if (got < 0) {
        this.#frames.release(frame)
        return got === -4096 ? NoPage.NOT_YET : NoPage.IO
      }
      this.#told?.(inode, got)
    }
    this.#cached.set(page, frame)
    return frame
  }

  /** A mapping stores to a page from now on: where the file has a hole, it gets room. False where there is none. */
  markDirty(page: number): boolean {
    const { inode } = this
    if (inode === null) return true
    const at = page * PAGE
    if (inode.fs.seek(inode, at, Seek.SEEK_DATA) !== at) {
      const answer = inode.fs.fallocate(inode, Fallocate.FALLOC_FL_KEEP_SIZE, at, PAGE)
      if (answer === -Errno.ENOSPC) return false
    }
    this.#dirty.add(page)
    return true
  }

  /** Whether a page was stored to through a mapping, and differs from the file. */
  isDirty(page: number): boolean {
    return this.#dirty.has(page)
  }

  /** The first byte from `offset` on of such a page, before the file's end; −1 where there is none. */
  dirtyFrom(offset: number): number {
    let first = Number.POSITIVE_INFINITY
    for (const page of this.#dirty) if ((page + 1) * PAGE > offset && page < first) first = page
    const at = Math.max(offset, first * PAGE)
    return at < (this.inode?.size ?? 0) ? at : -1
  }

  /** Brings what was stored through mappings to the file; pages that are still mapped may be stored to again. */
  flush(): void {
    const { inode } = this
    if (inode === null) return
    for (const page of this.#dirty) {
      const frame = this.#cached.get(page)
      const length = Math.min(PAGE, inode.size - page * PAGE)
      if (frame === undefined || length <= 0) continue
      inode.fs.write(inode, this.#frames.memory.host.u8, this.#frames.read(frame), length, page * PAGE)
    }
    if (this.mappings === 0) this.#dirty.clear()
  }

  /** The file was written: frames have it too. */
  written(from: Uint8Array, start: number, length: number, position: number): void {
    if (this.#cached.size === 0) return
    for (let done = 0; done < length; ) {
      const at = position + done
      const offset = at % PAGE
      const part = Math.min(PAGE - offset, length - done)
      const frame = this.#cached.get((at - offset) / PAGE)
      if (frame !== undefined) {
        const target = this.#frames.write(frame, offset, part)
        const { u8 } = this.#frames.memory.host
        if (from === u8) u8.copyWithin(target, start + done, start + done + part)
        else u8.set(from.subarray(start + done, start + done + part), target)
      }
      done += part
    }
  }

  /** The file is shorter now: pages beyond its end are gone from the cache, and the last one ends in zeros. Answers the first page that is gone. */
  truncated(size: number): number {
    const end = Math.ceil(size / PAGE)
    if (size % PAGE !== 0) this.#zero(size, end * PAGE)
    this.drop(end)
    return end
  }

  /** Bytes of the file are a hole now: pages of them are gone from the cache, and parts of pages are zeros. */
  punched(start: number, end: number): void {
    const [first, last] = [Math.ceil(start / PAGE), Math.floor(end / PAGE)]
    if (first > last) this.#zero(start, end)
    else {
      this.#zero(start, first * PAGE)
      this.#zero(last * PAGE, end)
      this.drop(first, last)
    }
  }

  /** Zeros for bytes of one page, if it has a frame. */
  #zero(start: number, end: number): void {
    const frame = this.#cached.get(Math.floor(start / PAGE))
    if (frame === undefined || start >= end) return
    const at = this.#frames.write(frame, start % PAGE, end - start)
    this.#frames.memory.host.u8.fill(0, at, at + end - start)
  }

  /** Gives the frames of the pages from `first` on back, those from `end` on left out. */
  drop(first: number, end: number = Number.POSITIVE_INFINITY): void {
    for (const [page, frame] of this.#cached) {
      if (page < first || page >= end) continue
      this.#cached.delete(page)
      this.#dirty.delete(page)
      this.#frames.release(frame)
    }
  }

  /** Gives up to `most` frames back whose contents are in the file and that no page table shows. Answers how many. */
  reclaim(most: number, isWanted: (payer: MemoryPayer) => boolean): number {
    if (this.inode === null) return 0
    let count = 0
    for (const [page, frame] of this.#cached) {
      if (count >= most) break
      if (this.#dirty.has(page) || this.#frames.references(frame) > 1) continue
      const payer = this.#frames.payerOf(frame)
      if (payer === undefined || !isWanted(payer)) continue
      this.#cached.delete(page)
      this.#frames.release(frame)
      count++
    }
    return count
  }

  /** Its frames: for checks. */
  frames(): Iterable<number> {
    return this.#cached.values()
  }
}

/** The page cache, by the inodes that data are of. */
export class PageCache {
  readonly #frames: Frames
  readonly #files = new Map<Inode, FilePages>()
  /** Files without mappings whose pages are kept. */
  readonly #limit: number
  readonly #told: ReadListener | undefined

  constructor(frames: Frames, told?: ReadListener, limit = 1024) {
    this.#frames = frames
    this.#told = told
    this.#limit = limit
  }

  /** The pages of a file that is to be mapped. */
  of(inode: Inode): FilePages {
    const real = inode.fs.realInode?.(inode) ?? inode
    let pages = this.#files.get(real)
    if (pages === undefined) {
      if (this.#files.size >= this.#limit) this.shrink()
      pages = new FilePages(this.#frames, real, `pages of file ${real.ino}`, real !== inode, this.#told)
      this.#files.set(real, pages)
    }
    return pages
  }

  /** The pages of a file with data of its own, if any of it was mapped. Those of others are never written, so nobody has to ask. */
  known(inode: Inode): FilePages | undefined {
    return this.#files.size === 0 ? undefined : this.#files.get(inode)
  }

  /** A file may have lost its last name: its pages are of no use then. */
  forget(inode: Inode): void {
    const pages = this.#files.get(inode)
    if (pages === undefined || pages.mappings > 0 || inode.nlink > 0) return
    pages.drop(0)
    this.#files.delete(inode)
  }

  /** Gives up what no mapping shows. Answers how many frames came free. */
  shrink(): number {
    const before = this.#frames.used
    for (const [inode, pages] of this.#files) {
      if (pages.mappings > 0) continue
      pages.drop(0)
      this.#files.delete(inode)
    }
    return before - this.#frames.used
  }

  /**
   * Gives up to `most` frames back that somebody has paid for; with `own` none that others may come to need, though nobody does now.
   * Answers how many.
   */
  reclaim(most: number, isWanted: (payer: MemoryPayer) => boolean, own = false): number {
    let count = 0
    for (const [inode, pages] of this.#files) {
      if (count >= most) break
      if (own && pages.isCommon) continue
      count += pages.reclaim(most - count, isWanted)
      if (pages.size === 0 && pages.mappings === 0) this.#files.delete(inode)
    }
    return count
  }

  /** All that is cached: for checks. */
  all(): Iterable<FilePages> {
    return this.#files.values()
  }
}
