/** Nested paging as a part of a VM: one set of extended page tables, filled as the guest reaches for its memory. */
import { type Capabilities, definePart, type Need, need, type PartOf } from '@vmexit/core'
import { pageOf } from '@vmexit/memory'
import {
  HostPages,
  type MmuStrategy,
  type PageFaultAnswer,
  type PagingRegisters,
  type VcpuMmu,
  type VmMemory,
} from '@vmexit/vmm'
import { ExtendedTables } from './ept.ts'

/** What `vm.of(part)` gives. */
export interface NestedPaging {
  readonly mmu: MmuStrategy
  /** The tables. */
  readonly tables: ExtendedTables
  [Symbol.dispose](): void
}

/** What nested paging needs of the VM. */
export type NestedPagingNeeds =
  | Need<'ept', 'use execution: vtx() of @vmexit/vtx'>
  | Need<'vmMemory', 'use memory: vmMemory(size) of @vmexit/vmm'>
  | Need<'mmuHost', 'use execution: vtx() of @vmexit/vtx'>
  | 'counters'

/** Options of {@link nestedPaging}. */
export interface NestedPagingOptions {
  /** Pages of the second stage: 4 KiB unless stated; with 2 MiB a walk is shorter, and memory comes in larger pieces. */
  readonly pages?: '4 KiB' | '2 MiB'
}

/**
 * The hardware walks the guest's tables and, for every address in them and behind them, the VM's extended page tables. No exit for page
 * faults, CR3 loads or INVLPG; the price is the two-dimensional walk.
 */
export function nestedPaging({
  pages = '4 KiB',
}: NestedPagingOptions = {}): PartOf<
  'nested-paging',
  NestedPagingNeeds,
  'guestMemory',
  Pick<Capabilities, 'mmu'>,
  never,
  NestedPaging
> {
  return definePart({
    name: 'nested-paging',
    needs: [
      need('ept', 'use execution: vtx() of @vmexit/vtx'),
      need('vmMemory', 'use memory: vmMemory(size) of @vmexit/vmm'),
      need('mmuHost', 'use execution: vtx() of @vmexit/vtx'),
      'counters',
    ],
    hardware: ['guestMemory'],
    gives: ['mmu'],
    build({ mmuHost, vmMemory, counters }, { guestMemory }): NestedPaging {
      const tables = new ExtendedTables(HostPages.of(guestMemory))
      counters.derive('ept-pages', 'Pages of extended page tables', () => tables.pages)
      const large = pages === '2 MiB'
      if (large) vmMemory.blockPages = BLOCK_PAGES
      // What has changed is mapped anew when the guest reaches for it.
      const forget = (page: number): void => {
        if (large && tables.isLarge(page)) tables.unmapLarge(page)
        else tables.unmap(page)
        mmuHost.invalidate()
      }
      const forgetAll = (): void => {
        tables.clear()
        mmuHost.invalidate()
      }
      const unlisten = vmMemory.listen({
        onWriteRestricted: forget,
        onRemapped: forget,
        onAllWriteRestricted: forgetAll,
      })
      const mmu: MmuStrategy = {
        name: 'nested-paging',
        intercepts: { cr3: false, invlpg: false, pageFaults: false, cr0: 0, cr4: 0 },
        create: () => new NestedMmu(vmMemory, tables, large),
      }
      mmuHost.attach(mmu)
      const dispose = (): void => {
        unlisten()
        tables[Symbol.dispose]()
      }
      return { mmu, tables, [Symbol.dispose]: dispose }
    },
  })
}

/** Pages of 4 KiB in a large one. */
const BLOCK_PAGES = 512

class NestedMmu implements VcpuMmu {
  readonly #memory: VmMemory
  readonly #tables: ExtendedTables
  readonly #large: boolean

  constructor(memory: VmMemory, tables: ExtendedTables, large: boolean) {
    this.#memory = memory
    this.#tables = tables
    this.#large = large
  }

  get eptPointer(): number {
    return this.#tables.pointer
  }

  adopt({ cr0, cr3, cr4 }: PagingRegisters): { cr0: number; cr3: number; cr4: number } {
    return { cr0, cr3, cr4 }
  }

  onViolation(guestPhysical: number, write: boolean): boolean {
    const page = pageOf(guestPhysical)
    const grant = this.#memory.grant(page, write)
    if (grant === 'nothing' || (write && grant === 'read-only')) return false
    const place = this.#memory.place(page)
    if (this.#large && this.#mapBlock(page)) return true
    this.#tables.map(page, place, grant === 'writable')
    this.#memory.noteReadCached(page)
    if (grant === 'writable') this.#memory.noteWriteCached(page)
    return true
  }

  /** Maps the large page around `page`, where all of it lies in a row and may be written. */
  #mapBlock(page: number): boolean {
    const memory = this.#memory
    const first = page - (page % BLOCK_PAGES)
    const place = memory.placeOf(first)
    if (place < 0 || place % BLOCK_PAGES !== 0) return false
    for (let n = 0; n < BLOCK_PAGES; n++)
      if (memory.placeOf(first + n) !== place + n || memory.grant(first + n, false) !== 'writable') return false
    for (let n = 0; n < BLOCK_PAGES; n++) {
      memory.noteReadCached(first + n)
      memory.noteWriteCached(first + n)
    }
    this.#tables.mapLarge(first, place, true)
    return true
  }

  onPageFault(_linear: number, errorCode: number): PageFaultAnswer {
    return errorCode
  }
  onInvlpg(): void {}
}
