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
}

/** What nested paging needs of the VM. */
export type NestedPagingNeeds =
  | Need<'ept', 'use execution: vtx() of @vmexit/vtx'>
  | Need<'vmMemory', 'use memory: vmMemory(size) of @vmexit/vmm'>
  | Need<'mmuHost', 'use execution: vtx() of @vmexit/vtx'>
  | 'counters'

/**
 * The hardware walks the guest's tables and, for every address in them and behind them, the VM's extended page tables. No exit for page
 * faults, CR3 loads or INVLPG; the price is the two-dimensional walk.
 */
export function nestedPaging(): PartOf<
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
      vmMemory.listen({
        onWriteRestricted: (page) => {
          const place = vmMemory.placeOf(page)
          if (place >= 0) tables.map(page, place, false)
          mmuHost.invalidate()
        },
        onRemapped: (page) => {
          tables.unmap(page)
          mmuHost.invalidate()
        },
      })
      const mmu: MmuStrategy = {
        name: 'nested-paging',
        intercepts: { cr3: false, invlpg: false, pageFaults: false, cr0: 0, cr4: 0 },
        create: () => new NestedMmu(vmMemory, tables),
      }
      mmuHost.attach(mmu)
      return { mmu, tables }
    },
  })
}

class NestedMmu implements VcpuMmu {
  readonly #memory: VmMemory
  readonly #tables: ExtendedTables

  constructor(memory: VmMemory, tables: ExtendedTables) {
    this.#memory = memory
    this.#tables = tables
  }

  get eptPointer(): number {
    return this.#tables.pointer
  }

  adopt({ cr0, cr3, cr4 }: PagingRegisters): { cr0: number; cr3: number; cr4: number } {
    return { cr0, cr3, cr4 }
  }

  onViolation(guestPhysical: number, write: boolean): boolean {
    const page = pageOf(guestPhysical)
    const backing = this.#memory.backing(page)
    if (backing === 'nothing' || (write && backing === 'read-only')) return false
    this.#tables.map(page, this.#memory.place(page), backing === 'writable')
    this.#memory.noteReadCached(page)
    if (backing === 'writable') this.#memory.noteWriteCached(page)
    return true
  }

  onPageFault(_linear: number, errorCode: number): PageFaultAnswer {
    return errorCode
  }
  onInvlpg(): void {}
}
