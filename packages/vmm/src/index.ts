/** What supervisors have in common: pages of the machine, memory of a VM in them, the seam of MMU strategies. */
export { HostPages, isMachineFull } from './host-pages.ts'
export type { MmuHost, MmuIntercepts, MmuStrategy, PageFaultAnswer, PagingRegisters, VcpuMmu } from './mmu-strategy.ts'
export { type Backing, VmMemory, type VmRam, vmMemory } from './vm-memory.ts'
