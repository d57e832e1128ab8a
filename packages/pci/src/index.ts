/**
 * `@vmexit/pci`: a PCI bus. Functions with configuration space, windows, interrupts by wire and by message; configuration
 * mechanism #1; the bridges of a 440FX with PIIX3.
 *
 * @packageDocumentation
 */

export { interruptWire, type PciAssignment, PciBus, type PciBusOptions } from './bus.ts'
export type { Capability } from './capability.ts'
export { CardMemory, type CardMemoryOptions, type CardMemoryState } from './card-memory.ts'
export type { ConfigCause, ConfigRegister, ConfigState } from './config-space.ts'
export { type PciDescription, pciDescription, pciMemory, pciRoutes } from './description.ts'
export { PciFunction, type PciFunctionOptions, type PciFunctionState, type PciPlace } from './function.ts'
export { type HostBridgeOptions, hostBridge, type ShadowMemory } from './host-bridge.ts'
export { type IsaBridgeOptions, isaBridge } from './isa-bridge.ts'
export {
  type ConfigAccess,
  ConfigMechanism1,
  type ConfigMechanism1Options,
  type ConfigMechanism1State,
} from './mechanism1.ts'
export type { MsiOptions } from './msi.ts'
export { needPci, type PciApi, type PciOptions, type PciState, pci } from './part.ts'
export { PirqRouter, routableInterrupts } from './pirq-router.ts'
export type { Target } from './target.ts'
export { type Bar, commandBit, type MemoryBar, type RegisterBar, type Window } from './windows.ts'
