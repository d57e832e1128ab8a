/** VT-x: guests in VMX non-root operation. */
export type { ExitedVcpu } from './exits.ts'
export type { Lease, Tenant, VtxHost } from './host.ts'
export { type Vtx, type VtxHardware, type VtxNeeds, type VtxOptions, vtx } from './part.ts'
export type { PendingState } from './pending-events.ts'
export type { PlacedState, PlaceParts } from './placed-state.ts'
export { type VcpuObserver, type VcpuParts, type VcpuState, VtxVcpu } from './vcpu.ts'
