/** Shadow paging as a part of a VM. */
import { type Capabilities, definePart, type Need, need, type PartOf } from '@vmexit/core'
import { HostPages, type MmuStrategy } from '@vmexit/vmm'
import { type ShadowCounts, ShadowMmu } from './shadow-mmu.ts'

/** What `vm.of(part)` gives. */
export interface ShadowPaging {
  readonly mmu: MmuStrategy
  readonly counts: ShadowCounts
  [Symbol.dispose](): void
}

/** What shadow paging needs of the VM. */
export type ShadowPagingNeeds =
  | Need<'mmuHost', 'use an execution strategy that runs the guest on the CPU: vtx()'>
  | Need<'vmMemory', 'use memory: vmMemory(size) of @vmexit/vmm'>
  | 'counters'

const CR0 = 0x8001_0001 | 0
const CR4 = 0xb0

/**
 * The hardware walks tables that the VMM makes from the guest's, entry by entry as they are used. Walks are as short as on a bare machine; the
 * price is an exit for each page fault, page-table store, CR3 load and INVLPG.
 */
export function shadowPaging(): PartOf<
  'shadow-paging',
  ShadowPagingNeeds,
  'guestMemory',
  Pick<Capabilities, 'mmu'>,
  never,
  ShadowPaging
> {
  return definePart({
    name: 'shadow-paging',
    needs: [
      need('mmuHost', 'use an execution strategy that runs the guest on the CPU: vtx()'),
      need('vmMemory', 'use memory: vmMemory(size) of @vmexit/vmm'),
      'counters',
    ],
    hardware: ['guestMemory'],
    gives: ['mmu'],
    build({ mmuHost, vmMemory, counters }, { guestMemory }): ShadowPaging {
      const counts: ShadowCounts = { hidden: 0, true: 0, traced: 0 }
      const mmus: ShadowMmu[] = []
      counters.derive('hidden-faults', 'Page faults that the VMM has settled alone', () => counts.hidden)
      counters.derive('true-faults', "Page faults of the guest's own", () => counts.true)
      counters.derive('traced-writes', 'Stores to page tables that the VMM has done', () => counts.traced)
      counters.derive('shadow-pages', 'Shadow tables there are', () => mmus.reduce((sum, { size }) => sum + size, 0))
      const mmu: MmuStrategy = {
        name: 'shadow-paging',
        intercepts: { cr3: true, invlpg: true, pageFaults: true, cr0: CR0, cr4: CR4 },
        create: () => {
          const made = new ShadowMmu({
            memory: vmMemory,
            pages: HostPages.of(guestMemory),
            maxPhysicalAddress: 36,
            counts,
            invalidate: (linear) => mmuHost.invalidate(linear),
          })
          mmus.push(made)
          return made
        },
      }
      mmuHost.attach(mmu)
      const dispose = (): void => {
        for (const each of mmus) each[Symbol.dispose]()
      }
      return { mmu, counts, [Symbol.dispose]: dispose }
    },
  })
}
