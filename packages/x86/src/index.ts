/** A simulated x86 CPU. */

export { Seg } from '@vmexit/x86-decoder'
export {
  Cpu,
  type CpuCounts,
  type CpuExit,
  type CpuOptions,
  type Engine,
  type EngineChoice,
  type InterruptPin,
  type SavedCpu,
} from './cpu.ts'
export type { FlatStart } from './flat.ts'
export type { GeneratedStats } from './interpreter/engine.ts'
export type { TierFactory, TierStats } from './interpreter/tier.ts'
export type { TranslatedMemory, Translator } from './memory/linear.ts'
export type { CpuPaging } from './memory/paging-unit.ts'
export {
  declareCpuCounters,
  needSensitiveTraps,
  needVmx,
  type PlainX86Part,
  portSpaceOf,
  type TrappingX86,
  type TrappingX86Part,
  type VmxChoice,
  type VmxX86,
  type VmxX86Part,
  type X86,
  type X86Needs,
  type X86Options,
  x86,
} from './part.ts'
export { Flag, Layout, SegmentSlot, Vector } from './state/layout.ts'
export type { HostViews } from './state/state.ts'
export { CpuState, Gpr, LDTR, TR } from './state/state.ts'
export type {
  Core,
  CoreEvents,
  CpuModel,
  LinearMemory,
  Msrs,
  PagingUnit,
  PortSpace,
  SensitiveTraps,
} from './system/core.ts'
export type { CpuEvent, TaskCause } from './system/event.ts'
export { combine, type FaultKind } from './system/exceptions.ts'
export type { GuestControl } from './system/guest-control.ts'
export { createModel, defaultModel, type ModelFeature, type ModelName, type ModelOptions } from './system/models.ts'
export type { RingZero } from './system/ring-zero.ts'
export { loadParagraph, writeSegment } from './system/segments.ts'
export { VMX_INSTRUCTIONS } from './system/vmx-instructions.ts'
export type { AllowedSettings, VmxCapabilities } from './vmx/capabilities.ts'
export { EntryControl, ExitControl, Pin, Primary, Secondary } from './vmx/controls.ts'
export { EventInfo, EventType } from './vmx/event.ts'
export { EXIT_REASONS, ExitReason, type ExitReasonName, exitReasonName } from './vmx/exit-reasons.ts'
export type { VmxFeatures } from './vmx/features.ts'
export {
  Field as VmcsField,
  type FieldEncoding as VmcsFieldEncoding,
  type FieldName as VmcsFieldName,
} from './vmx/fields.ts'
export { VmxRoot } from './vmx/root.ts'
export type { ExitRecord, GuestControls, VmxOperation, VmxParts, VmxState, VmxUnit } from './vmx/unit.ts'
export { REVISION as VMCS_REVISION, type Vmcs } from './vmx/vmcs.ts'
export type { Vmx } from './vmx/vmx.ts'
