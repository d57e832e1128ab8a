/** x86 page tables: one walker for every format, and a modelled TLB. */
export { Access, isUserMode, permitsLinear, permitsStage, Right } from './access.ts'
export { type WalkControls, walkControls } from './controls.ts'
export { ExtendedPageTables } from './extended-page-tables.ts'
export {
  FORMAT_4LEVEL,
  FORMAT_32BIT,
  FORMAT_EPT,
  FORMAT_IOMMU,
  FORMAT_PAE,
  type ReservedBits,
  type TableFormat,
} from './format.ts'
export { Mmu, type MmuCounts, type MmuListener, type MmuOptions, type MmuRegisters, type MmuState } from './mmu.ts'
export { loadPdptes } from './pdpte.ts'
export { type WalkFault, WalkResult } from './result.ts'
export { Tlb, type TlbEntryState, type TlbListener, type TlbState } from './tlb.ts'
export { type PageTableMemory, type SecondStage, Walker } from './walker.ts'
export type { TableEntry, WalkWatcher } from './watcher.ts'
