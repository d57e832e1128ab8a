/** The PCI bus of a PC as a part: configuration mechanism #1 at 0xcf8, host bridge 0.0, ISA bridge 1.0. */
import { type Bus, checkState, definePart, type Need, need, type Part, type State, VmexitError } from '@vmexit/core'
import type { GuestMemory } from '@vmexit/memory'
import { interruptWire, PciBus } from './bus.ts'
import { pciMemory, pciRoutes } from './description.ts'
import type { PciFunctionState } from './function.ts'
import { hostBridge, type ShadowMemory } from './host-bridge.ts'
import { isaBridge } from './isa-bridge.ts'
import { ConfigMechanism1, type ConfigMechanism1State } from './mechanism1.ts'
import { PirqRouter, routableInterrupts } from './pirq-router.ts'

declare module '@vmexit/core' {
  interface Capabilities {
    /** The PCI bus: parts add functions to it when they are built. */
    pci: PciBus
  }
}

/** What a part with a PCI function needs. */
export const needPci: Need<'pci', 'add pci() to devices'> = need('pci', 'add pci() to devices')

/** How the bus is made. */
export interface PciOptions {
  /**
   * Whether functions are left after each reset as firmware leaves them: windows at addresses, memory and I/O on, interrupts
   * routed, level-triggered and noted. For kernels that are loaded without firmware; false unless stated.
   */
  readonly configured?: boolean
  /** The ISA interrupts that PIRQA–PIRQD go to where it is `configured`; 10, 10, 11, 11 unless stated. */
  readonly routes?: readonly [number, number, number, number]
  /** Addresses for windows of memory where it is `configured`; 0xe0000000–0xfebfffff unless stated. */
  readonly memory?: readonly [first: number, last: number]
  /** Ports for windows of I/O where it is `configured`; 0xc000–0xffff unless stated. */
  readonly io?: readonly [first: number, last: number]
}

/** A saved bus: its bridges. Functions are saved by the parts that added them. */
export type PciState = State & {
  readonly version: 1
  readonly mechanism: ConfigMechanism1State
  /** By name: `host-bridge`, `isa-bridge`. */
  readonly functions: { readonly [name: string]: PciFunctionState }
}

/** What `machine.of(pci)` is. */
export interface PciApi {
  readonly pci: PciBus
  reset(): void
  save(): PciState
  restore(state: PciState): void
}

/** The bus with its bridges. It takes the reset control register, 0xcf9, with it: leave `resetPort()` out. */
export function pci(options: PciOptions = {}): Part<{
  name: 'pci'
  needs: 'ports' | 'mmio' | 'busMasters' | 'interrupts' | 'power' | Need<'guestMemory', 'use memory: ram(…)'>
  gives: 'pci'
  api: PciApi
}> {
  const { configured = false, memory = pciMemory, io = [0xc000, 0xffff], routes = pciRoutes } = options
  demandRoutes(routes)
  return definePart({
    name: 'pci',
    needs: ['ports', 'mmio', 'busMasters', 'interrupts', 'power', need('guestMemory', 'use memory: ram(…)')],
    gives: ['pci'],
    build({ ports, mmio, busMasters, interrupts, power, guestMemory }, _, { name }): PciApi {
      const router = new PirqRouter((interrupt) => interrupts.line(interrupt))
      const interruptLine = (device: number, pin: number) => routes[interruptWire(device, pin)]!
      const bus = new PciBus({
        ports,
        mmio,
        busMasters,
        memory: guestMemory,
        interrupts: router.inputs,
        ...(configured && { assignment: { memory, io, interruptLine } }),
      })
      const isa = bus.add(isaBridge({ router, routes: configured ? routes : undefined }))
      isa.becomeMultifunction()
      const functions = [bus.add(hostBridge({ shadow: shadowOf(guestMemory), open: configured })), isa]
      const mechanism = new ConfigMechanism1({ bus, onReset: () => power.request('reset') })
      ports.claim(name, 0xcf8, mechanism.regions.registers)
      const start = () => {
        if (configured) setLevelTriggered(ports, routes)
      }
      start()
      const save = (): PciState => ({
        version: 1,
        mechanism: mechanism.save(),
        functions: Object.fromEntries(functions.map((fn) => [fn.name, fn.save()])),
      })
      return {
        pci: bus,
        reset() {
          mechanism.reset()
          for (const fn of functions) fn.reset()
          start()
        },
        save,
        restore(state) {
          const now = save()
          const saved = checkState(name, state, now)
          checkState(name, { version: 1, ...saved.functions }, { version: 1, ...now.functions })
          mechanism.restore(saved.mechanism)
          for (const fn of functions) fn.restore(saved.functions[fn.name]!)
        },
      }
    },
  })
}

function demandRoutes(routes: readonly number[]): void {
  const wrong = routes.filter((route) => !routableInterrupts.includes(route))
  if (wrong.length === 0 && routes.length === 4) return
  throw new VmexitError('pci-routes', {
    problem: `PCI interrupts are to go to ${routes.join(', ')}`,
    remedy: `give four of ${routableInterrupts.join(', ')}`,
  })
}

/** Firmware's part: the edge/level control register of the 8259As. */
function setLevelTriggered(ports: Bus, interrupts: readonly number[]): void {
  for (const interrupt of interrupts) {
    const port = interrupt < 8 ? 0x4d0 : 0x4d1
    ports.write(port, 1, ports.read(port, 1) | (1 << (interrupt & 7)))
  }
}

/** The memory between 768 KiB and 1 MiB, as far as there is some. */
function shadowOf(memory: GuestMemory): ShadowMemory {
  return {
    setWritable(start, bytes, writable) {
      for (const range of memory.ranges) {
        const first = Math.max(start, range.start)
        const end = Math.min(start + bytes, range.start + range.bytes)
        if (first < end) memory.setReadOnly(first, end - first, !writable)
      }
    },
  }
}
