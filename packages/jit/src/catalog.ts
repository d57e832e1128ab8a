/** The translations that there are: by number in the table, by physical page, by module; and what they cover. */
import type { Records, TierStats } from '@vmexit/x86/engine'
import type { Region } from './region.ts'

/** A module; it is gone when none of its translations is in use. */
export interface Compiled {
  readonly bytes: number
  inUse: number
}

/** A translation. */
export interface Translated {
  readonly head: number
  /** Number in the table. */
  readonly slot: number
  readonly blocks: number
  readonly instructions: number
  /** Physical pages that its code is of, or looks for others in. */
  readonly pfns: ReadonlySet<number>
  /** Heads where its windows miss, and its frame. */
  readonly watched: readonly number[]
  readonly module: Compiled
}

/** Which offsets of a page begin instructions, a bit each. */
const COVER_BYTES = 0x1000 / 8

export class Catalog {
  readonly stats: TierStats = {
    translations: 0,
    blocks: 0,
    instructions: 0,
    modules: 0,
    bytes: 0,
    compiled: 0,
    evicted: 0,
    invalidated: 0,
    time: 0,
  }
  readonly #records: Records
  readonly #table: WebAssembly.Table
  /** Is told of heads that control does not come to any more. */
  readonly #forget: (watched: readonly number[]) => void
  /** What stands in the table where nothing is translated. */
  readonly #cold: WebAssembly.ExportValue
  /** Numbers by head. They are not given away again while there is code that has them. */
  readonly #slots = new Map<number, number>()
  readonly #inUse = new Map<number, Translated>()
  readonly #byPage = new Map<number, Set<Translated>>()
  readonly #covered = new Map<number, Uint8Array>()

  constructor(
    records: Records,
    table: WebAssembly.Table,
    cold: WebAssembly.ExportValue,
    forget: (watched: readonly number[]) => void,
  ) {
    this.#forget = forget
    this.#records = records
    this.#table = table
    this.#cold = cold
  }

  /** Heads that have a number. */
  get slots(): number {
    return this.#slots.size
  }

  /** Number in the table for what begins at a head. Number 0 is nobody's. */
  slotOf(head: number): number {
    const known = this.#slots.get(head)
    if (known !== undefined) return known
    const slot = this.#slots.size + 1
    if (slot >= this.#table.length) this.#table.grow(Math.max(1024, this.#table.length))
    this.#table.set(slot, this.#cold)
    this.#slots.set(head, slot)
    return slot
  }

  /** A translation of `region` stands in the table from now on. */
  add(translated: Translated): void {
    const { head, slot, pfns, module, instructions } = translated
    const { stats } = this
    this.#records.enterAt(head, slot)
    this.#inUse.set(slot, translated)
    if (module.inUse++ === 0) {
      stats.modules++
      stats.bytes += module.bytes
    }
    stats.translations++
    stats.blocks += translated.blocks
    stats.instructions += instructions
    for (const pfn of pfns) {
      let there = this.#byPage.get(pfn)
      if (!there) this.#byPage.set(pfn, (there = new Set()))
      there.add(translated)
    }
  }

  /** What is in the region counts as translated. */
  cover({ blocks, mode }: Region): void {
    for (const { items } of blocks)
      for (const { page, ip } of items) this.#cover(page.pfn, (ip + mode.codeBase) & 0xfff)
  }
  #cover(pfn: number, offset: number): void {
    let covered = this.#covered.get(pfn)
    if (!covered) this.#covered.set(pfn, (covered = new Uint8Array(COVER_BYTES)))
    covered[offset >> 3]! |= 1 << (offset & 7)
  }
  /** Is what begins at an offset of a physical page a part of a translation? */
  isCovered(pfn: number, offset: number): boolean {
    const covered = this.#covered.get(pfn)
    return covered !== undefined && ((covered[offset >> 3]! >> (offset & 7)) & 1) !== 0
  }

  /** The code in a physical page is another one. */
  invalidate(pfn: number): void {
    this.#covered.delete(pfn)
    for (const translated of this.#byPage.get(pfn) ?? []) {
      this.#drop(translated)
      this.stats.invalidated++
    }
    this.#byPage.delete(pfn)
  }
  #drop(translated: Translated): void {
    const { head, slot, pfns, watched, module } = translated
    const { stats } = this
    this.#inUse.delete(slot)
    this.#forget(watched)
    this.#table.set(slot, this.#cold)
    if (this.#records.isHead(head)) this.#records.enterAt(head, 0)
    stats.translations--
    stats.blocks -= translated.blocks
    stats.instructions -= translated.instructions
    if (--module.inUse === 0) {
      stats.modules--
      stats.bytes -= module.bytes
    }
    for (const pfn of pfns) this.#byPage.get(pfn)?.delete(translated)
  }

  /** Drop the translation that begins at a head, if there is one. */
  dropAt(head: number): void {
    const translated = this.#inUse.get(this.#slots.get(head) ?? 0)
    if (translated) this.#drop(translated)
  }
  /** Drop all to make room: their heads count anew. */
  evict(): void {
    this.stats.evicted += this.stats.modules
    for (const translated of [...this.#inUse.values()]) this.#drop(translated)
    this.clear()
  }
  /** Forget all; the heads are gone, or do not lead here any more. */
  clear(): void {
    for (let slot = 1; slot <= this.#slots.size; slot++) this.#table.set(slot, this.#cold)
    this.#slots.clear()
    this.#inUse.clear()
    this.#byPage.clear()
    this.#covered.clear()
    Object.assign(this.stats, { translations: 0, blocks: 0, instructions: 0, modules: 0, bytes: 0 })
  }
}
