/**
 * `@vmexit/core`: typed parts and their composition, buses, interrupt lines, bus masters, virtual time, the input gate,
 * event counters and cost profiles. It knows no instruction set.
 *
 * @packageDocumentation
 */

export { A20Gate } from './a20.ts'
export { Bus, type BusOptions, type UnclaimedAccess } from './bus.ts'
export {
  type BusMaster,
  BusMasters,
  type DmaAbort,
  type DmaPath,
  type DmaTarget,
} from './bus-masters.ts'
export { Claim } from './claim.ts'
export { Clock, type ClockState, defaultFrequency, type Progress, type SavedTimer, type Timer } from './clock.ts'
export { type Bill, type BillItem, price, priceOf } from './cost/price.ts'
export {
  type CostProfile,
  combineProfiles,
  defineProfile,
  type Prices,
  type ProfileInput,
  parseProfiles,
} from './cost/profile.ts'
export {
  cascadeLake,
  containerCosts,
  core2,
  kvm2012,
  memoryCosts,
  nehalem,
  pentium4,
  publishedProfiles,
  sandyBridge,
} from './cost/published.ts'
export { type CounterDeclaration, Counters, type Counts, difference } from './counters.ts'
// Whole modules, because only what is re-exported so can be extended by declaration merging.
export * from './cpu.ts'
export type { Device, RegisterFile, Width } from './device.ts'
export { type ErrorDetails, hex, hexRange, isVmexitError, VmexitError } from './errors.ts'
export { type CancelSignal, InputGate, type InputSource, type RecordedInput } from './input-gate.ts'
export {
  type InterruptController,
  type InterruptSource,
  type Line,
  type MsiMessage,
  type MsiTarget,
  openLine,
  pulse,
  sharedLine,
} from './interrupts.ts'
export { Oscillator } from './oscillator.ts'
export * from './parts/capabilities.ts'
export type { Checked, GivenBy, ProblemsOf } from './parts/check.ts'
export type { BuiltPart, Composition } from './parts/compose.ts'
export {
  type CheckedMachine,
  createMachine,
  Machine,
  type MachineOf,
  type MachineParts,
  type MachineProblems,
} from './parts/machine.ts'
export {
  type AnySpec,
  type ApiOf,
  definePart,
  type Field,
  type Need,
  type NeedKey,
  type NeedLike,
  need,
  type Part,
  type PartApi,
  type PartDefinition,
  type PartOf,
  type PartSelf,
  type PartSpec,
  type PartTypes,
  type Services,
  type types,
} from './parts/part.ts'
export { CompositionError } from './parts/problems.ts'
export { System, type SystemOptions, type SystemState } from './parts/system.ts'
export { type CheckedVm, createVm, Vm, type VmOf, type VmParts, type VmProblems } from './parts/vm.ts'
export { Power, type PowerAction } from './power.ts'
export { HostTurns, type RunOptions } from './run.ts'
export type { RunLoopState, SliceLimits, Stop, StopReason } from './run-loop.ts'
export { checkState, type State, type Stateful, type StateValue } from './state.ts'
