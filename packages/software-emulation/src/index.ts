/** Software emulation: an execution strategy that never runs the guest on the CPU. */
export {
  type EmulationEngine,
  type SoftwareEmulation,
  type SoftwareEmulationConflicts,
  type SoftwareEmulationNeeds,
  type SoftwareEmulationOptions,
  type SoftwareEmulationPart,
  softwareEmulation,
} from './part.ts'
