/** The vocabulary that parts speak. */
import type { A20Gate } from '../a20.ts'
import type { Bus } from '../bus.ts'
import type { BusMasters, DmaTarget } from '../bus-masters.ts'
import type { Clock } from '../clock.ts'
import type { Counters } from '../counters.ts'
import type { Cpu } from '../cpu.ts'
import type { InputGate } from '../input-gate.ts'
import type { InterruptController, MsiTarget } from '../interrupts.ts'
import type { Power } from '../power.ts'

/** Memory as the machine itself needs it: what devices reach. RAM packages give more under names of their own. */
export interface Memory extends DmaTarget {
  /** In bytes. */
  readonly size: number
}

/**
 * What parts give and need, by name. Open: a package adds its own by declaration merging.
 *
 * ```ts no-run
 * declare module '@vmexit/core' {
 *   interface Capabilities {
 *     dice: Dice
 *   }
 * }
 * ```
 */
export interface Capabilities extends SystemCapabilities {
  /** Memory, from the slot of that name. */
  memory: Memory
  /** The CPU that starts: of a machine from its slot `cpu`, of a VM from its slot `execution`. */
  cpu: Cpu
  /** All CPUs, the first one included, where there are several. */
  cpus: readonly Cpu[]
  /** The interrupt controller. */
  interrupts: InterruptController
  /** The A20 gate: CPUs are told of it and clear bit 20 of physical addresses while it is off. */
  a20: A20Gate
  /** What takes message-signalled interrupts. */
  msi: MsiTarget
}

/** What every machine and every VM has without a part giving it, each its own. */
export interface SystemCapabilities {
  /** I/O ports, 0–0xffff. */
  ports: Bus
  /** Memory-mapped registers, addresses up to 2^52. */
  mmio: Bus
  clock: Clock
  counters: Counters
  input: InputGate
  busMasters: BusMasters
  power: Power
}

/** The name of a capability. */
export type Capability = keyof Capabilities & string

/** The names of what every machine and every VM has. */
export type SystemCapability = keyof SystemCapabilities
