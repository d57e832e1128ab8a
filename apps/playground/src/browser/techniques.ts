/** How a guest can share the machine, as the form offers it. The names are those of the comparison's columns. */
import type { PcTechnique } from '@vmexit/vmexit'

/** One choice. */
export interface Way {
  readonly name: string
  readonly title: string
  readonly pc: PcTechnique
}

export const ways: readonly Way[] = [
  { name: 'native', title: 'None: the guest owns the machine', pc: { technique: 'native' } },
  { name: 'software-emulation', title: 'Software emulation', pc: { technique: 'software-emulation' } },
  { name: 'vtx-shadow', title: 'VT-x, shadow paging', pc: { technique: 'vtx', mmu: 'shadow-paging' } },
  { name: 'vtx-nested', title: 'VT-x, nested paging', pc: { technique: 'vtx', mmu: 'nested-paging' } },
  {
    name: 'vtx-nested-2m',
    title: 'VT-x, nested paging by 2 MiB',
    pc: { technique: 'vtx', mmu: 'nested-paging', nestedPages: '2 MiB' },
  },
]
