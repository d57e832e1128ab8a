/**
 * The page table of one address space: two levels of 32-bit entries in RAM, as the CPU walks them (SDM vol. 3A, 4.3).
 *
 * Not PAE: a walk reads two entries in place of three, an entry is changed by one store, and there is no fourth gigabyte
 * and more to reach. What is given up is the NX bit, as Debian's 686 kernel gives it up.
 */
import type { GuestMemory } from '@vmexit/memory'
import { type Account, MemoryKind } from '../tasks/account.ts'
import { type Frames, PAGE } from './frames.ts'

/** Bits of an entry. `KEPT`, of an entry that is not present: the page has a frame, and nobody may touch it (PROT_NONE). */
export const Entry = { PRESENT: 1, WRITE: 2, USER: 4, ACCESSED: 0x20, DIRTY: 0x40, GLOBAL: 0x100, KEPT: 0x200 } as const

/** Pages that one table of the second level maps. */
const SPAN = 1024
/** Bits that let user code reach tables of the second level. */
const TABLE = Entry.PRESENT | Entry.WRITE | Entry.USER
/** The first page that belongs to the kernel. */
export const KERNEL_PAGE = 0xc0000

/** A page table. Page numbers are linear addresses divided by 4096, entries unsigned; entry 0 is a page without a frame. */
export class PageTable {
  readonly #frames: Frames
  readonly #memory: GuestMemory
  readonly #account: Account
  /** The frame of its first level: CR3. */
  readonly root: number
  /** Entries of the first level that have a table, of the user's part. */
  readonly #used: number[] = []

  /** An empty one, but for the kernel's part, whose second levels are shared: `kernel` are entries of the first level. 0 as root: no memory. */
  constructor(frames: Frames, account: Account, kernel: ReadonlyMap<number, number>) {
    this.#frames = frames
    this.#memory = frames.memory
    this.#account = account
    this.root = frames.take(account, true, MemoryKind.pageTables)
    if (this.root !== 0) for (const [index, entry] of kernel) this.#memory.write32(this.root * PAGE + index * 4, entry)
  }

  /** The frame of the second level that a page is in, or 0. */
  tableOf(page: number): number {
    return this.#memory.read32(this.root * PAGE + Math.floor(page / SPAN) * 4) >>> 12
  }

  get(page: number): number {
    const table = this.tableOf(page)
    return table === 0 ? 0 : this.#memory.read32(table * PAGE + (page % SPAN) * 4)
  }

  /** Sets an entry; false where there is no memory for a table. */
  set(page: number, entry: number): boolean {
    let table = this.tableOf(page)
    if (table === 0) {
      if (entry === 0) return true
      table = this.#frames.take(this.#account, true, MemoryKind.pageTables)
      if (table === 0) return false
      this.#used.push(Math.floor(page / SPAN))
      this.#memory.write32(this.root * PAGE + Math.floor(page / SPAN) * 4, table * PAGE + TABLE)
    }
    this.#memory.write32(table * PAGE + (page % SPAN) * 4, entry)
    return true
  }

  /** Visits the entries that are not 0 from `start` to before `end`. Entries may be changed meanwhile. */
  each(start: number, end: number, visit: (page: number, entry: number) => void): void {
    const { host } = this.#memory
    for (let page = start; page < end; ) {
      const stop = Math.min(end, (Math.floor(page / SPAN) + 1) * SPAN)
      const table = this.tableOf(page)
      if (table !== 0) {
        const words = this.#memory.readPage(table) >>> 2
        for (; page < stop; page++) {
          const entry = host.u32[words + (page % SPAN)]!
          if (entry !== 0) visit(page, entry)
        }
      }
      page = stop
    }
  }

  /** Frees the tables of the user's part; every entry must have been cleared. */
  free(): void {
    for (const index of this.#used) this.#frames.release(this.tableOf(index * SPAN))
    this.#frames.release(this.root)
  }

  /** Frames of its own: for checks. */
  *ownFrames(): Generator<number> {
    yield this.root
    for (const index of this.#used) yield this.tableOf(index * SPAN)
  }
}
