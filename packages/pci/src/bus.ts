/** A PCI bus: which functions are on it, and where what they need comes from. */
import {
  type Bus,
  type BusMaster,
  type BusMasters,
  hex,
  type Line,
  openLine,
  sharedLine,
  VmexitError,
  type Width,
} from '@vmexit/core'
import type { GuestMemory } from '@vmexit/memory'
import { Arrangement } from './arrangement.ts'
import { CardMemory } from './card-memory.ts'
import type { ConfigSpace } from './config-space.ts'
import { PciFunction, type PciFunctionOptions, type PciPlace } from './function.ts'
import { barWindow, commandBit, registersTarget, romWindow, type Window } from './windows.ts'

/** How firmware leaves the functions: where it puts windows, and the interrupt it notes for a pin. */
export interface PciAssignment {
  /** Addresses for windows of memory: the first and the last. */
  readonly memory: readonly [first: number, last: number]
  /** Ports for windows of I/O: the first and the last. */
  readonly io: readonly [first: number, last: number]
  /** What goes into the interrupt line register of a function with pin `pin`, 1–4. */
  readonly interruptLine: (device: number, pin: number) => number
}

/** What a bus is connected to. */
export interface PciBusOptions {
  readonly ports: Bus
  readonly mmio: Bus
  readonly busMasters: BusMasters
  /** RAM that memory of cards is mapped into, so that the CPU reaches it at full speed; none unless stated. */
  readonly memory?: GuestMemory
  /** The four wires that interrupt pins go to: pin `pin` (1–4) of device `d` to wire `(d + pin + 2) mod 4`. */
  readonly interrupts?: readonly [Line, Line, Line, Line]
  /** If stated, functions are configured when they are added, as firmware would do it. */
  readonly assignment?: PciAssignment
}

/** The wire, 0–3, that a pin of a device goes to on a board with the bridge's own pins at device 1. */
export function interruptWire(device: number, pin: number): number {
  return (device + pin + 2) & 3
}

/** The first device that is given to a function that does not say where it is to be. */
const firstFreeDevice = 3

/** Bus number 0: the only one. */
export class PciBus {
  readonly #options: PciBusOptions
  /** By device · 8 + function. */
  readonly #functions = new Map<number, PciFunction>()
  readonly #wires: readonly (() => Line)[]
  readonly #arrangement = new Arrangement()
  #nextMemory: number
  #nextPort: number

  constructor(options: PciBusOptions) {
    this.#options = options
    this.#wires = (options.interrupts ?? [openLine, openLine, openLine, openLine]).map(sharedLine)
    this.#nextMemory = options.assignment?.memory[0] ?? 0
    this.#nextPort = options.assignment?.io[0] ?? 0
  }

  /** What is on the bus, by device and function. */
  get functions(): readonly PciFunction[] {
    return [...this.#functions].sort(([a], [b]) => a - b).map(([, fn]) => fn)
  }

  /**
   * Puts a function on the bus. Throws a {@link VmexitError}: `pci-place` if there is no such place, or another function
   * has it; `pci-identity`, `pci-bar`, `pci-msi`, `pci-register` for what cannot be; `pci-space` if there is no room for
   * its windows.
   */
  add(options: PciFunctionOptions): PciFunction {
    const place = this.#placeFor(options)
    const id = place.device * 8 + place.function
    const fn = this.#make(options, place, this.#options.busMasters.create(id, options.name))
    this.#functions.set(id, fn)
    this.#arrangement.take(this.functions.flatMap(({ windows }) => windows))
    if (place.function > 0) this.#functions.get(id & ~7)?.becomeMultifunction()
    else if (this.functions.some((other) => other.place.device === place.device && other !== fn))
      fn.becomeMultifunction()
    this.#assign(fn)
    return fn
  }

  /** Makes memory of a card, of `bytes` (a multiple of 4096), for one of its base address registers. */
  createMemory(name: string, bytes: number): CardMemory {
    return new CardMemory({ name, bytes, mmio: this.#options.mmio, memory: this.#options.memory })
  }

  /** The function that is there. */
  find({ device, function: number }: PciPlace): PciFunction | undefined {
    return this.#functions.get(device * 8 + number)
  }

  /**
   * A configuration read, of `width` bytes that lie in one group of four. All ones where nothing is.
   * `place` is device · 8 + function.
   */
  readConfig(bus: number, place: number, offset: number, width: Width): number {
    const fn = bus === 0 ? this.#functions.get(place) : undefined
    return fn === undefined ? 0xffff_ffff : fn.readConfig(offset, width)
  }

  /** A configuration write; see {@link readConfig}. */
  writeConfig(bus: number, place: number, offset: number, width: Width, value: number): void {
    if (bus === 0) this.#functions.get(place)?.writeConfig(offset, width, value)
  }

  #make(options: PciFunctionOptions, place: PciPlace, master: BusMaster): PciFunction {
    const { name, interruptPin = 0, bars = [], rom } = options
    const { ports, mmio } = this.#options
    const wire = interruptPin === 0 ? openLine : this.#wires[interruptWire(place.device, interruptPin)]!()
    const windows = (config: ConfigSpace, changed: () => void): readonly Window[] => {
      const made = bars.map((bar) => {
        const bus = bar.space === 'io' ? ports : mmio
        const target = 'memory' in bar ? bar.memory : registersTarget(bus, name, bar.registers)
        return barWindow(config, name, bar, target, changed)
      })
      return rom === undefined ? made : [...made, romWindow(config, mmio, name, rom, changed)]
    }
    try {
      return new PciFunction(options, { place, master, wire, windows, settle: () => this.#arrangement.settle() })
    } catch (error) {
      master[Symbol.dispose]()
      throw error
    }
  }

  #placeFor({ name, at }: PciFunctionOptions): PciPlace {
    const place = at === undefined ? this.#freePlace(name) : { device: at.device, function: at.function ?? 0 }
    const { device, function: number } = place
    if (![device, number].every(Number.isInteger) || device < 0 || device > 31 || number < 0 || number > 7) {
      refuse('pci-place', `${name} is to be at ${device}.${number}`, 'devices go from 0 to 31, functions from 0 to 7')
    }
    const other = this.find(place)
    if (other !== undefined) {
      refuse(
        'pci-place',
        `${name} is to be at ${device}.${number}, where ${other.name} is`,
        'move one of them with `at`',
      )
    }
    return place
  }

  #freePlace(name: string): PciPlace {
    for (let device = firstFreeDevice; device < 32; device++) {
      if (!this.functions.some(({ place }) => place.device === device)) return { device, function: 0 }
    }
    return refuse('pci-place', `${name} finds no free device on the bus`, 'leave a device out, or use more functions')
  }

  #assign(fn: PciFunction): void {
    const { assignment } = this.#options
    if (assignment === undefined) return
    let command = 0
    for (const window of fn.windows) {
      window.assign(this.#allocate(fn.name, window, assignment))
      command |= commandBit[window.space]
    }
    const interruptLine = fn.interruptPin === 0 ? 0 : assignment.interruptLine(fn.place.device, fn.interruptPin)
    fn.configure({ command, interruptLine })
  }

  #allocate(name: string, { size, space }: Window, { memory, io }: PciAssignment): number {
    const next = space === 'io' ? this.#nextPort : this.#nextMemory
    const base = Math.ceil(next / size) * size
    const last = space === 'io' ? io[1] : memory[1]
    if (base + size - 1 > last) {
      const what = `${name} needs ${hex(size)} ${space === 'io' ? 'ports' : 'bytes'}, and none are left below ${hex(last)}`
      refuse('pci-space', what, 'leave a device out, or widen the addresses')
    }
    if (space === 'io') this.#nextPort = base + size
    else this.#nextMemory = base + size
    return base
  }
}

function refuse(code: string, problem: string, remedy: string): never {
  throw new VmexitError(code, { problem, remedy })
}
