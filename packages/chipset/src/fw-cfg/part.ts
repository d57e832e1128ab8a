/** fw_cfg as a part, at 0x510 and 0x514, with what SeaBIOS asks for. */
import { definePart, type Part } from '@vmexit/core'
import { type PcMemory, ramOf, splitRam } from '../pc-memory.ts'
import { FwCfg, type FwCfgState } from './fw-cfg.ts'
import { fwCfgKey } from './keys.ts'
import { type LinuxItems, linuxItems } from './linux-items.ts'

declare module '@vmexit/core' {
  interface Capabilities {
    /** fw_cfg: parts add items and files to it when they are built. */
    fwCfg: FwCfg
  }
}

/** What firmware is told. */
export interface FwCfgOptions extends Partial<PcMemory> {
  /** CPUs; 1 unless stated. */
  readonly cpus?: number
  /** Files by name: `{ bootorder: … }`. */
  readonly files?: Readonly<Record<string, Uint8Array>>
  /** Items by key. */
  readonly items?: Readonly<Record<number, Uint8Array>>
  /** A kernel for an option ROM to load. */
  readonly linux?: LinuxItems
}

/** What `machine.of(fwCfg)` is. */
export interface FwCfgApi {
  readonly fwCfg: FwCfg
  reset(): void
  save(): FwCfgState
  restore(state: FwCfgState): void
}

/** fw_cfg is no PCI function: it has the last requester ID there is. */
const requesterId = 0xffff

/** The interface to firmware. It tells of as much RAM as the machine has, unless `ram` is stated. */
export function fwCfg(options: FwCfgOptions = {}): Part<{
  name: 'fw-cfg'
  needs: 'ports' | 'memory' | 'busMasters'
  gives: 'fwCfg'
  api: FwCfgApi
}> {
  const { cpus = 1, files = {}, items = {}, linux, holeStart } = options
  return definePart({
    name: 'fw-cfg',
    needs: ['ports', 'memory', 'busMasters'],
    gives: ['fwCfg'],
    build({ ports, memory, busMasters }, _, { name }): FwCfgApi {
      const chip = new FwCfg(busMasters.create(requesterId, name))
      const ram = options.ram ?? ramOf(memory.size)
      const { low, high } = splitRam({ ram, holeStart })
      chip.setItem(fwCfgKey.uuid, new Uint8Array(16))
      chip.setNumber(fwCfgKey.ramSize, ram, 8)
      chip.setNumber(fwCfgKey.noGraphic, 0, 2)
      chip.setNumber(fwCfgKey.cpus, cpus, 2)
      chip.setNumber(fwCfgKey.maxCpus, cpus, 2)
      chip.setNumber(fwCfgKey.bootMenu, 0, 2)
      chip.setItem(fwCfgKey.numa, new Uint8Array(8 + 8 * cpus))
      chip.setNumber(fwCfgKey.irq0Override, 1, 4)
      chip.addFile('etc/e820', e820([0, low], [2 ** 32, high]))
      if (linux !== undefined) for (const [key, data] of linuxItems(linux, low)) chip.setItem(key, data)
      for (const [key, data] of Object.entries(items)) chip.setItem(Number(key), data)
      for (const [file, data] of Object.entries(files)) chip.addFile(file, data)
      ports.claim(name, 0x510, chip.regions.registers)
      ports.claim(name, 0x514, chip.regions.dma)
      return {
        fwCfg: chip,
        reset: () => chip.reset(),
        save: () => chip.save(),
        restore: (state) => chip.restore(state),
      }
    },
  })
}

/** The RAM as entries of a memory map: address and length in 64 bits, type 1. */
function e820(...ranges: readonly (readonly [start: number, bytes: number])[]): Uint8Array {
  const used = ranges.filter(([, bytes]) => bytes > 0)
  const table = new DataView(new ArrayBuffer(20 * used.length))
  for (const [i, [start, bytes]] of used.entries()) {
    table.setBigUint64(20 * i, BigInt(start), true)
    table.setBigUint64(20 * i + 8, BigInt(bytes), true)
    table.setUint32(20 * i + 16, 1, true)
  }
  return new Uint8Array(table.buffer)
}
