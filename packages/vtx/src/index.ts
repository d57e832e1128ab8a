/** VT-x: guests in VMX non-root operation. */
export { type Vtx, type VtxHardware, type VtxNeeds, type VtxOptions, vtx } from './part.ts'
export { type VcpuState, VtxVcpu } from './vcpu.ts'
