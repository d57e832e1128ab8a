/**
 * Shadow paging of one virtual CPU. A page fault in the hardware is *true* if the guest's own tables refuse the access: then it is the
 * guest's. Else it is *hidden*: the shadow lacked the entry, which is made from the guest's (Adams and Agesen 2006, 2.4).
 *
 * The tables have the guest's own format, so that a walk takes the references it would take natively. What the guest maps read-only, has not
 * marked dirty, or uses as a page table is mapped read-only: the first store then comes by here.
 */
import { pageOf } from '@vmexit/memory'
import { Access, FORMAT_32BIT, FORMAT_PAE, type WalkControls, Walker, WalkResult, walkControls } from '@vmexit/paging'
import type { HostPages, PageFaultAnswer, PagingRegisters, VcpuMmu, VmMemory } from '@vmexit/vmm'
import type { ShadowPage } from './page.ts'
import { ShadowTables } from './shadow-tables.ts'

const CR0_PE = 1
const CR0_WP = 0x1_0000
const CR0_PG = 0x8000_0000
const CR4_PSE = 0x10
const CR4_PAE = 0x20
const CR4_PGE = 0x80
const EFER_NXE = 0x800

/** Bits of an entry. */
const PRESENT = 1
const WRITE = 2
const USER = 4
const ACCESSED = 0x20
const DIRTY = 0x40
const LARGE = 0x80
const LEAF = PRESENT | ACCESSED | DIRTY
/** Page-fault error codes: writes, and at CPL 3. */
const FAULT_WRITE = 2
const FAULT_USER = 4

/** Stores to so many entries of a table, of which no translation is used meanwhile, end its being one. */
const FLOOD = 64

/** Shadow tables of one virtual CPU at the most; then they are dropped, and come back as they are needed. */
const MOST_TABLES = 4096
/** What one fault or one load of CR3 makes at the most: four directories of PAE; or a directory and a table. */
const MADE_AT_ONCE = 4

/** What was counted. Only ever added to. */
export interface ShadowCounts {
  /** Page faults that the guest does not learn of: an entry was made. */
  hidden: number
  /** Page faults of the guest's own. */
  true: number
  /** Stores to page tables. */
  traced: number
}

/** What a {@link ShadowMmu} is made of. */
export interface ShadowParts {
  readonly memory: VmMemory
  readonly pages: HostPages
  readonly maxPhysicalAddress: number
  readonly counts: ShadowCounts
  /** Has the hardware drop what it has cached. */
  readonly invalidate: (linear?: number) => void
}

/** The directory of a guest without paging. */
const IDENTITY = 'identity'

type Mode = 'off' | '32-bit' | 'PAE'

/** See above. Its registers, and what the hardware is to walk, follow from {@link adopt}. */
export class ShadowMmu implements VcpuMmu {
  readonly eptPointer = 0
  readonly #parts: ShadowParts
  readonly #walkers = { '32-bit': new Walker(FORMAT_32BIT), PAE: new Walker(FORMAT_PAE) }
  readonly #walked = new WalkResult()
  /** Of guests with entries of 4 bytes and of 8. */
  readonly #tables: { readonly 4: ShadowTables; readonly 8: ShadowTables }
  readonly #watched = new Map<number, () => void>()
  #guest: PagingRegisters = { cr0: 0, cr3: 0, cr4: 0, efer: 0, pdptes: new Uint32Array(8) }
  #controls: WalkControls
  #mode: Mode = 'off'
  /** The strategy writes to the guest's tables itself. */
  #own = false
  /** The page that holds the four pointers of a PAE root. */
  readonly #pointers: number
  readonly #unlisten: () => void

  constructor(parts: ShadowParts) {
    this.#parts = parts
    this.#controls = walkControls({ maxPhysicalAddress: parts.maxPhysicalAddress })
    const events = {
      onShadowed: (page: number) => this.#watch(page),
      onUnshadowed: (page: number) => this.#unwatch(page),
    }
    this.#tables = { 4: new ShadowTables(parts.pages, 4, events), 8: new ShadowTables(parts.pages, 8, events) }
    this.#pointers = parts.pages.allocate()
    this.#unlisten = parts.memory.listen({
      onWriteRestricted: (page) => this.#forget(page),
      onRemapped: (page) => this.#forget(page),
      onAllWriteRestricted: () => this.#dropAll((shadow) => this.#isRoot(shadow)),
    })
  }

  /** Shadow tables there are now. */
  get size(): number {
    return this.#tables[4].size + this.#tables[8].size
  }

  /** Gives the tables' pages back: nothing walks them any more. */
  [Symbol.dispose](): void {
    this.#unlisten()
    for (const tables of [this.#tables[4], this.#tables[8]]) tables.dropAll()
    this.#parts.pages.free(this.#pointers)
  }

  adopt(guest: PagingRegisters): { cr0: number; cr3: number; cr4: number } {
    const { cr0, cr4, efer } = guest
    this.#guest = { ...guest, pdptes: Uint32Array.from(guest.pdptes) }
    this.#mode = (cr0 & CR0_PG) === 0 ? 'off' : (cr4 & CR4_PAE) === 0 ? '32-bit' : 'PAE'
    this.#controls = walkControls({
      ...this.#controls,
      wp: (cr0 & CR0_WP) !== 0,
      nx: (efer & EFER_NXE) !== 0,
      pse: (cr4 & CR4_PSE) !== 0,
    })
    this.#makeRoom(() => false)
    const paging = this.#mode === 'PAE' ? CR4_PAE : CR4_PSE
    return {
      cr0: (cr0 | CR0_PE | CR0_WP | CR0_PG) >>> 0,
      cr3: this.#mode === 'PAE' ? this.#writePointers() : this.#directory().page * 0x1000,
      cr4: ((cr4 & ~(CR4_PAE | CR4_PSE | CR4_PGE)) | paging) >>> 0,
    }
  }

  /** Drops the tables, but those to keep, before they are more than there may be. */
  #makeRoom(keep: (shadow: ShadowPage) => boolean): void {
    if (this.size + MADE_AT_ONCE > MOST_TABLES) this.#dropAll(keep)
  }
  #dropAll(keep: (shadow: ShadowPage) => boolean): void {
    for (const tables of [this.#tables[4], this.#tables[8]]) tables.dropAll(keep)
    this.#parts.invalidate()
  }

  /** Tables in the format of the guest as it is. */
  #table(): ShadowTables {
    return this.#tables[this.#mode === 'PAE' ? 8 : 4]
  }

  /** The shadow of the directory of a guest with entries of 4 bytes, or without paging. */
  #directory(): ShadowPage {
    const tables = this.#tables[4]
    if (this.#mode === 'off') return tables.shadow(IDENTITY, 'directory', -1)
    const page = pageOf(this.#guest.cr3)
    return tables.shadow(`d ${page} ${this.#role}`, 'directory', page)
  }
  /** Shadows differ by CR0.WP, under which the same entry grants other things. */
  get #role(): string {
    return this.#controls.wp ? '' : 'wp0'
  }

  /** The four pointers of PAE, to shadows of the directories that are there. */
  #writePointers(): number {
    const { memory } = this.#parts.pages
    for (let n = 0; n < 4; n++) {
      const low = this.#guest.pdptes[2 * n]!
      const shadow = (low & PRESENT) === 0 ? undefined : this.#paeDirectory(n)
      memory.write32(this.#pointers * 0x1000 + n * 8, shadow === undefined ? 0 : (shadow.page * 0x1000) | PRESENT)
      memory.write32(this.#pointers * 0x1000 + n * 8 + 4, 0)
    }
    return this.#pointers * 0x1000
  }
  /** Guest-physical address that pointer `n` leads to. */
  #pointer(n: number): number {
    const { pdptes } = this.#guest
    return ((pdptes[2 * n]! & 0xffff_f000) >>> 0) + pdptes[2 * n + 1]! * 0x1_0000_0000
  }
  #paeDirectory(n: number): ShadowPage {
    const page = pageOf(this.#pointer(n))
    return this.#tables[8].shadow(`d ${page} ${this.#role}`, 'directory', page)
  }

  // ── Faults ──────────────────────────────────────────────────────────────────────────────────────────────────────

  onViolation(): boolean {
    return false
  }

  onPageFault(linear: number, errorCode: number): PageFaultAnswer {
    const write = (errorCode & FAULT_WRITE) !== 0
    const { memory, counts } = this.#parts
    const physical = this.#walkGuest(linear, errorCode)
    if (physical < 0) {
      counts.true++
      return this.#walked.errorCode
    }
    const page = pageOf(physical)
    const grant = memory.grant(page, write)
    if (grant === 'nothing' || (write && grant === 'read-only')) {
      if (this.#isShadowed(page)) counts.traced++
      return 'emulate'
    }
    counts.hidden++
    const asSupervisor = write && (errorCode & FAULT_USER) === 0
    this.#fill(linear, page, grant === 'writable', asSupervisor)
    return 'again'
  }

  onInvlpg(linear: number): void {
    this.#parts.invalidate(linear)
  }

  /** Guest-physical address of `linear`, flags in the guest's tables being set; −1 if they refuse. */
  #walkGuest(linear: number, errorCode: number): number {
    const access = errorCode & (Access.WRITE | Access.USER | Access.FETCH)
    const { memory } = this.#parts
    const result = this.#walked
    if (this.#mode === 'off') return linear
    this.#own = true
    try {
      if (this.#mode === '32-bit')
        this.#walkers['32-bit'].walk(memory, this.#guest.cr3, linear, access, this.#controls, result)
      else {
        const n = linear >>> 30
        const low = this.#guest.pdptes[n * 2]!
        const { PAE } = this.#walkers
        if ((low & PRESENT) === 0) PAE.refuseAbsent(3, linear, access, this.#controls, result)
        else PAE.walkFrom(2, this.#pointer(n), memory, linear, access, this.#controls, result)
      }
    } finally {
      this.#own = false
    }
    return result.ok ? result.physical : -1
  }

  #isShadowed(page: number): boolean {
    return this.#watched.has(page)
  }

  // ── Filling ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Makes the entries that lead to `page`, which the guest's tables allow. */
  #fill(linear: number, page: number, writable: boolean, asSupervisor: boolean): void {
    const { memory } = this.#parts
    const place = memory.place(page)
    // What the hardware walks from stays.
    this.#makeRoom((shadow) => this.#isRoot(shadow))
    memory.noteReadCached(page)
    if (writable) memory.noteWriteCached(page)
    if (this.#mode === 'off') this.#fillIdentity(linear, page, place, writable)
    else this.#fillFrom(linear, page, place, writable, asSupervisor)
  }

  #fillIdentity(linear: number, page: number, place: number, writable: boolean): void {
    const tables = this.#tables[4]
    const directory = this.#directory()
    const index = linear >>> 22
    const table = tables.shadow(`i ${index}`, 'identity', -1)
    tables.link(directory, index, table, PRESENT | WRITE | USER | ACCESSED)
    tables.map(table, (linear >>> 12) & 1023, page, place, LEAF | USER | (writable ? WRITE : 0))
  }

  /** `asSupervisor`: a store at CPL below 3, which under CR0.WP clear may go where the page is read-only. */
  #fillFrom(linear: number, page: number, place: number, writable: boolean, asSupervisor: boolean): void {
    const { memory } = this.#parts
    const pae = this.#mode === 'PAE'
    const width = pae ? 8 : 4
    const tables = this.#table()
    const directory = pae ? this.#paeDirectory(linear >>> 30) : this.#directory()
    const directoryIndex = pae ? (linear >>> 21) & 511 : linear >>> 22
    const directoryEntry = directory.guestPage * 0x1000 + directoryIndex * width
    const upper = memory.read32(directoryEntry)
    const upperHigh = pae ? memory.read32(directoryEntry + 4) & 0x8000_0000 : 0
    const large = (upper & LARGE) !== 0 && (pae || this.#controls.pse)
    const index = pae ? (linear >>> 12) & 511 : (linear >>> 12) & 1023
    let lower = upper
    let lowerHigh = 0
    let table: ShadowPage
    const grants = this.#controls.wp ? '' : ` ${upper & (WRITE | USER)}`
    if (large) {
      table = tables.shadow(`l ${directory.key} ${directoryIndex}${grants}`, 'large', -1)
    } else {
      const guestTable = pae
        ? pageOf(((upper & 0xffff_f000) >>> 0) + (memory.read32(directoryEntry + 4) & 0xf_ffff) * 2 ** 32)
        : upper >>> 12
      table = tables.shadow(`t ${guestTable} ${this.#role}${grants}`, 'table', guestTable)
      const entry = guestTable * 0x1000 + index * width
      lower = memory.read32(entry)
      lowerHigh = pae ? memory.read32(entry + 4) & 0x8000_0000 : 0
      table.written.clear()
    }
    directory.written.clear()
    let bits = LEAF | (lower & USER)
    if ((lower & WRITE) !== 0 && (lower & DIRTY) !== 0 && writable) bits |= WRITE
    let upperBits = PRESENT | ACCESSED | (upper & (WRITE | USER))
    if (!this.#controls.wp) {
      upperBits = PRESENT | ACCESSED | WRITE | USER
      const both = upper & lower
      bits = LEAF | (both & USER) | ((both & WRITE) !== 0 && (lower & DIRTY) !== 0 && writable ? WRITE : 0)
      // Only the supervisor may, and then CPL 3 must come by here.
      if (asSupervisor && (both & WRITE) === 0 && writable) bits = LEAF | WRITE
    }
    tables.link(directory, directoryIndex, table, upperBits, upperHigh)
    tables.map(table, index, page, place, bits, lowerHigh)
  }

  // ── What the guest writes ───────────────────────────────────────────────────────────────────────────────────────

  #watch(page: number): void {
    const { memory } = this.#parts
    if (this.#watched.has(page) || memory.backing(page) === 'nothing') return
    // What maps it goes: see the listener.
    const end = memory.watch(page, { afterWrite: (address, length) => this.#onWrite(address, length) })
    this.#watched.set(page, end)
  }
  #unwatch(page: number): void {
    if (this.#tables[4].isShadowed(page) || this.#tables[8].isShadowed(page)) return
    this.#watched.get(page)?.()
    this.#watched.delete(page)
  }

  /** A table of the guest was written: what stands for the entries goes, and comes back when it is used. */
  #onWrite(address: number, length: number): void {
    if (this.#own) return
    const page = pageOf(address)
    for (const width of [4, 8] as const) {
      const tables = this.#tables[width]
      const first = Math.floor((address % 0x1000) / width)
      const last = Math.floor(((address % 0x1000) + length - 1) / width)
      for (const shadow of [...tables.of(page)]) {
        for (let index = first; index <= last; index++) {
          tables.clear(shadow, index)
          shadow.written.add(index)
        }
        if (shadow.written.size >= FLOOD && !this.#isRoot(shadow)) this.#dropTable(tables, shadow)
      }
    }
  }

  #isRoot(shadow: ShadowPage): boolean {
    if (this.#mode === 'off') return shadow.key === IDENTITY
    return shadow.kind === 'directory' && this.#rootPages().includes(shadow.guestPage)
  }
  #rootPages(): readonly number[] {
    if (this.#mode === '32-bit') return [pageOf(this.#guest.cr3)]
    return [0, 1, 2, 3].map((n) => pageOf(this.#pointer(n)))
  }

  #dropTable(tables: ShadowTables, shadow: ShadowPage): void {
    tables.drop(shadow)
    this.#parts.invalidate()
  }

  /** Guest page `page` moves, or is to be read-only. */
  #forget(page: number): void {
    this.#tables[4].unmap(page)
    this.#tables[8].unmap(page)
    this.#parts.invalidate()
  }
}
