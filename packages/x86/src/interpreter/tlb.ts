/** The engine's own TLBs: strict subsets of the modelled one, so that what they answer was counted when it was filled. */
import { Layout } from '../state/layout.ts'
import type { CpuState } from '../state/state.ts'
import { CodeSlots } from './code-slots.ts'
import { CODE_TLB_ENTRIES, Tables, TLB_ADDEND, TLB_ENTRIES, TLB_ENTRY_SHIFT, TLB_VERSION, TlbKey } from './layout.ts'
import { forgetStackPage } from './stack-page.ts'

/** Entries cleared one by one at the most: with more, clearing all of the tables costs less. */
const FEW = 512

export class EngineTlb {
  readonly #state: CpuState
  /** Host addresses of the entries filled since they were last dropped, from translations that are global and others. */
  readonly #global: number[] = []
  readonly #local: number[] = []
  readonly #codeSlots = new CodeSlots()

  constructor(state: CpuState) {
    this.#state = state
    this.keyChanged()
  }

  /** The privilege level changed: entries carry whether they were made for CPL 3. */
  keyChanged(): void {
    forgetStackPage(this.#state)
    this.#state.set32(Layout.tlbKey, this.#state.cpl === 3 ? TlbKey.user : TlbKey.system)
  }

  /**
   * Drop everything, but global translations where told so: a kernel's own stay when it loads CR3. (A tag that told one
   * flush from the next was one more thing for each access to look at.)
   */
  flush(keepsGlobal = false): void {
    forgetStackPage(this.#state)
    const lists = keepsGlobal ? [this.#local] : [this.#local, this.#global]
    if (lists.some((entries) => entries.length > FEW)) {
      const first = (this.#state.base + Tables.read) >> 2
      this.#state.host.i32.fill(0, first, (this.#state.base + Tables.jump) >> 2)
      this.#global.length = 0
    } else for (const entries of lists) for (const at of entries) this.#clear(at)
    for (const entries of lists) entries.length = 0
  }

  /** Data at linear page `page` (a number) lies at host address `host`. `system`: for CPL 0 to 2, whatever the level is now. */
  fillData(write: boolean, page: number, host: number, global: boolean, system = false): void {
    const at = this.#entry(write ? Tables.write : Tables.read, page, TLB_ENTRIES)
    this.#tag(at, page, global)
    if (system) this.#state.host.i32[at >> 2] = (page * 0x1000) | TlbKey.system
    this.#state.host.i32[(at + TLB_ADDEND) >> 2] = host - page * 0x1000
  }
  /** Code at linear page `page` lies in physical page `pfn`, which has that version of it. */
  fillCode(page: number, pfn: number, version: number, global: boolean): void {
    const at = this.#entry(Tables.code, page, CODE_TLB_ENTRIES)
    this.#tag(at, page, global)
    this.#codeSlots.fill(page & (CODE_TLB_ENTRIES - 1), pfn)
    const { i32 } = this.#state.host
    i32[(at + TLB_ADDEND) >> 2] = pfn
    i32[(at + TLB_VERSION) >> 2] = version
  }
  /** Drop every entry for code that lies in physical page `pfn`. */
  dropCodeAt(pfn: number): void {
    const { i32 } = this.#state.host
    const table = this.#state.base + Tables.code
    for (let slot = this.#codeSlots.first(pfn); slot >= 0; slot = this.#codeSlots.next(slot)) {
      const at = table + (slot << TLB_ENTRY_SHIFT)
      if (i32[(at + TLB_ADDEND) >> 2] === pfn) this.#clear(at)
    }
  }
  dropData(page: number): void {
    forgetStackPage(this.#state)
    this.#clear(this.#entry(Tables.read, page, TLB_ENTRIES))
    this.#clear(this.#entry(Tables.write, page, TLB_ENTRIES))
  }
  dropCode(page: number): void {
    this.#clear(this.#entry(Tables.code, page, CODE_TLB_ENTRIES))
  }

  /** Drop every entry that leads to the frame at host address `frame`. */
  dropFrame(frame: number, reads: boolean): void {
    forgetStackPage(this.#state)
    this.#dropWhere(Tables.write, frame)
    if (reads) this.#dropWhere(Tables.read, frame)
  }
  dropWrites(): void {
    forgetStackPage(this.#state)
    const first = (this.#state.base + Tables.write) >> 2
    this.#state.host.i32.fill(0, first, first + (TLB_ENTRIES << (TLB_ENTRY_SHIFT - 2)))
  }

  #dropWhere(table: number, frame: number): void {
    const { i32 } = this.#state.host
    const first = (this.#state.base + table) >> 2
    const step = 1 << (TLB_ENTRY_SHIFT - 2)
    for (let i = first; i < first + TLB_ENTRIES * step; i += step) {
      if ((((i32[i]! & ~0xfff) + i32[i + (TLB_ADDEND >> 2)]!) | 0) === (frame | 0)) {
        i32[i] = 0
        i32[i + 1] = 0
      }
    }
  }
  #entry(table: number, page: number, entries: number): number {
    return this.#state.base + table + ((page & (entries - 1)) << TLB_ENTRY_SHIFT)
  }
  #tag(at: number, page: number, global: boolean): void {
    const entries = global ? this.#global : this.#local
    if (entries.length <= FEW) entries.push(at)
    const { i32 } = this.#state.host
    const linear = page * 0x1000
    i32[at >> 2] = linear | this.#state.get32(Layout.tlbKey)
    i32[(at >> 2) + 1] = Math.floor(linear / 0x1_0000_0000)
  }
  #clear(at: number): void {
    const { i32 } = this.#state.host
    i32[at >> 2] = 0
    i32[(at >> 2) + 1] = 0
  }
}
