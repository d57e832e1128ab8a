/** EPT as a second stage (Intel SDM Vol. 3C, 30.3). */
import { Access } from './access.ts'
import type { WalkControls } from './controls.ts'
import { FORMAT_EPT } from './format.ts'
import { WalkResult } from './result.ts'
import { type PageTableMemory, type SecondStage, Walker } from './walker.ts'
import type { WalkWatcher } from './watcher.ts'

/** The tables one EPTP names, to be put behind a walk of the guest's own tables. */
export class ExtendedPageTables implements SecondStage {
  /** Address of the top table; other bits of an EPTP do not count. Behind an `Mmu`, flush it after a change. */
  root: number
  /** Of the format's switches, those about EPT. An EPTP's bit 6 is `accessedDirty`. */
  controls: WalkControls
  readonly result: WalkResult = new WalkResult()
  readonly #tables: PageTableMemory
  readonly #walker = new Walker(FORMAT_EPT)

  /** `tables` is host-physical memory. */
  constructor(tables: PageTableMemory, root: number, controls: WalkControls) {
    this.#tables = tables
    this.root = root
    this.controls = controls
  }

  get marks(): boolean {
    return this.controls.accessedDirty
  }

  watch(watcher: Pick<WalkWatcher, 'onEntry'> | undefined): void {
    this.#walker.watcher = watcher
  }

  reach(guestPhysical: number, access: number): number {
    // With EPT accessed and dirty flags, accesses to guest paging structures count as writes (30.3.5).
    const kind = (access & Access.TABLE) !== 0 && this.controls.accessedDirty ? access | Access.WRITE : access
    const ok = this.#walker.walk(this.#tables, this.root, guestPhysical, kind, this.controls, this.result)
    return ok ? this.result.physical : -1
  }
}
