/** What tables of firmware say of the bus, for machines that are booted without any. */
import { interruptWire } from './bus.ts'

/** Addresses that the host bridge passes on unless stated: below the APICs and firmware, above RAM. */
export const pciMemory: readonly [first: number, last: number] = [0xe000_0000, 0xfebf_ffff]

/** Where PIRQA–PIRQD of a configured bus go unless stated, which is where SeaBIOS sends them too. */
export const pciRoutes: readonly [number, number, number, number] = [10, 10, 11, 11]

/** A PCI root as `acpiTables({ pci })` of `@vmexit/chipset` takes it. */
export interface PciDescription {
  /** Addresses that the host bridge passes on to memory-mapped devices: the first and the last. */
  readonly memory: readonly [first: number, last: number]
  /** The ISA interrupt, which is the I/O APIC's input too, of pin `pin` (0–3 for INTA–INTD) of a device. */
  readonly interrupt: (device: number, pin: number) => number
}

/** Describes what `pci({ configured: true, routes, memory })` makes; give both the same. */
export function pciDescription(
  options: {
    readonly routes?: readonly [number, number, number, number]
    readonly memory?: readonly [first: number, last: number]
  } = {},
): PciDescription {
  const { routes = pciRoutes, memory = pciMemory } = options
  return { memory, interrupt: (device, pin) => routes[interruptWire(device, pin + 1)]! }
}
