/** A simulated x86 CPU. */

export { Seg } from '@vmexit/x86-decoder'
export {
  Cpu,
  type CpuCounts,
  type CpuExit,
  type CpuOptions,
  type Engine,
  type InterruptPin,
  type SavedCpu,
} from './cpu.ts'
export { needSensitiveTraps, type TrappingX86, type X86, type X86Options, x86 } from './part.ts'
export { Flag, Layout, SegmentSlot, Vector } from './state/layout.ts'
export { CpuState, Gpr, LDTR, TR } from './state/state.ts'
export type { Core, CpuModel, PortSpace, SensitiveTraps } from './system/core.ts'
export { createModel, defaultModel, type ModelFeature, type ModelName, type ModelOptions } from './system/models.ts'
export { loadParagraph, writeSegment } from './system/segments.ts'
