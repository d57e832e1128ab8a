/** A PCI bus on a board of its own: ports, memory-mapped registers, RAM, and wires that a test watches. */
import { Bus, BusMasters, type MsiMessage, type RegisterFile, type Width } from '@vmexit/core'
import { GuestMemory } from '@vmexit/memory'
import { ConfigMechanism1, PciBus, type PciBusOptions } from '../src/index.ts'

/** What a test sees of a board. */
export interface Board {
  readonly ports: Bus
  readonly mmio: Bus
  readonly memory: GuestMemory
  readonly busMasters: BusMasters
  readonly bus: PciBus
  readonly mechanism: ConfigMechanism1
  /** Levels of the four interrupt wires, as `1000`. */
  wires(): string
  /** Messages that were sent since the last call, as `address:data`. */
  messages(): string[]
  /** How often the reset control register has reset the machine. */
  resets(): number
  /** Reads configuration space through the ports; function · 0x100 may be added to the offset. */
  get(device: number, offset: number, width?: Width): number
  /** Writes configuration space through the ports. */
  put(device: number, offset: number, value: number, width?: Width): void
}

/** A board with 1 MiB of RAM. */
export function board(options: Partial<PciBusOptions> = {}): Board {
  const ports = new Bus({ name: 'ports', addressBits: 16 })
  const mmio = new Bus({ name: 'mmio', addressBits: 52 })
  const memory = new GuestMemory({ ranges: [{ kind: 'ram', start: 0, bytes: 1 << 20 }], mmio })
  const busMasters = new BusMasters()
  const levels = [0, 0, 0, 0]
  const line = (i: number) => ({ set: (level: boolean) => void (levels[i] = level ? 1 : 0) })
  let sent: string[] = []
  let resets = 0
  busMasters.connect({
    memory: memory.dma,
    messages: {
      deliver({ address, data }: MsiMessage) {
        sent.push(`${address.toString(16)}:${data.toString(16)}`)
        return true
      },
    },
  })
  const interrupts = [line(0), line(1), line(2), line(3)] as const
  const bus = new PciBus({ ports, mmio, busMasters, memory, interrupts, ...options })
  const mechanism = new ConfigMechanism1({ bus, onReset: () => void resets++ })
  ports.claim('pci', 0xcf8, mechanism.regions.registers)
  const select = (device: number, offset: number) => {
    ports.write(0xcf8, 4, 0x8000_0000 + device * 0x800 + (offset & 0x7fc))
    return 0xcfc + (offset & 3)
  }
  return {
    ports,
    mmio,
    memory,
    busMasters,
    bus,
    mechanism,
    wires: () => levels.join(''),
    messages() {
      const taken = sent
      sent = []
      return taken
    },
    resets: () => resets,
    get: (device, offset, width = 4) => ports.read(select(device, offset), width),
    put: (device, offset, value, width = 4) => ports.write(select(device, offset), width, value),
  }
}

/** Registers that read as `fill` everywhere. */
export function filled(size: number, fill: number): RegisterFile {
  return { size, split: true, read: () => fill * 0x0101_0101, write() {} }
}

/** A generator of numbers below a bound, the same for the same seed. */
export function generator(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}
