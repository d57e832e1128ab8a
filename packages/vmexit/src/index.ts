/**
 * `@vmexit/vmexit`: a whole PC, composed, booted and run as one thing.
 *
 * @packageDocumentation
 */

export { type BootImage, concatenateArchives, describeBoot, type Loader, raw, writeCpio } from '@vmexit/boot'
export { type CheckedPc, type CheckOptions, type CheckProgress, checkEquivalence } from './check/check.ts'
export type {
  Difference,
  Divergence,
  DivergenceReason,
  Equivalence,
  MemoryDifference,
  StaleStretch,
} from './check/equivalence.ts'
export { createPc } from './compose.ts'
export { Console, type SerialEnd } from './console.ts'
export {
  createHypervisor,
  Hypervisor,
  type HypervisorOptions,
  type HypervisorRunOptions,
  hypervisorMemory,
  type VmPcOptions,
} from './hypervisor.ts'
export type {
  BiosBoot,
  LinuxBoot,
  LoaderBoot,
  MultibootBoot,
  PcBoot,
  PcHardware,
  PcOptions,
  RomBoot,
} from './options.ts'
export { Pc, type PcParts, type PcRunOptions, type PcState } from './pc.ts'
export type { PcCpu, Position, VmExit } from './pc-cpu.ts'
export { packState, unpackState } from './state-file.ts'
export type { PcStop, PcStopReason } from './stop.ts'
export type { MMUS, PairProblems, TECHNIQUES } from './techniques.ts'
export {
  type MmuFor,
  type MmuName,
  mmuNames,
  type NestedPages,
  type PcTechnique,
  type TechniqueName,
  techniqueNames,
  type VmTechnique,
  type VmTechniqueName,
} from './techniques.ts'
