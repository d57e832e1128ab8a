/** IDE drives in a machine, and what a driver does with their registers. */
import { definePart } from '@vmexit/core'
import { PciBus } from '@vmexit/pci'
import { type IdeOptions, ide, pic } from '../src/index.ts'
import { idleMachine } from './idle-machine.ts'

/** A PCI bus without bridges, whose windows of I/O begin at 0xc000. */
const pci = () =>
  definePart({
    name: 'pci',
    needs: ['ports', 'mmio', 'busMasters'],
    gives: ['pci'],
    build: (services) => ({
      pci: new PciBus({
        ...services,
        assignment: { memory: [0xe000_0000, 0xefff_ffff], io: [0xc000, 0xffff], interruptLine: () => 0 },
      }),
    }),
  })

/** Registers of the channels, by port. */
export const port = {
  data: 0x1f0,
  error: 0x1f1,
  count: 0x1f2,
  low: 0x1f3,
  mid: 0x1f4,
  high: 0x1f5,
  device: 0x1f6,
  status: 0x1f7,
  control: 0x3f6,
} as const
const secondary = 0x80

/** Bits of the status register. */
export const bit = { busy: 0x80, ready: 0x40, data: 0x08, error: 0x01 } as const

/** The bus master's registers. */
export const bus = { command: 0xc000, status: 0xc002, table: 0xc004 } as const

/** Where tests put descriptors and data. */
export const memoryAt = { table: 0x1000, data: 0x2_0000 } as const

/** A sector as a command is given it. */
export interface Command {
  readonly lba?: number
  readonly count?: number
  readonly slave?: boolean
  readonly features?: number
}

/** Composes a machine; the primary channel's registers unless `channel` is 1. */
export async function ideMachine(options: IdeOptions, channel: 0 | 1 = 0) {
  const part = ide(options)
  const m = await idleMachine([pic(), pci(), part])
  const { machine } = m
  const api = machine.of(part)
  const ports = machine.get('ports')
  const shift = channel === 0 ? 0 : secondary
  const at = (number: number) => (number < 0xc000 ? number - shift : number + channel * 8)
  const out = (number: number, ...values: number[]) => m.out(at(number), ...values)
  const in8 = (number: number) => m.in8(at(number))
  // Interrupts 14 and 15 have vectors 0x76 and 0x77.
  m.out(0x20, 0x11)
  m.out(0x21, 0x08, 0x04, 0x01, 0)
  m.out(0xa0, 0x11)
  m.out(0xa1, 0x70, 0x02, 0x01, 0)
  api.function.writeConfig(4, 2, 5)
  const master = machine.get('busMasters').create(0xfffe, 'test')
  const memory = {
    write: (address: number, bytes: Uint8Array) => master.write(address, bytes),
    read(address: number, count: number) {
      const into = new Uint8Array(count)
      master.read(address, into)
      return into
    },
  }
  /** The interrupts since it was asked last, acknowledged and ended. */
  const interrupts = () => {
    const vectors = m.vectors()
    for (const _ of vectors) m.out(0xa0, 0x20), m.out(0x20, 0x20)
    return vectors
  }
  /** Writes 28-bit registers and the command. */
  const command = (code: number, { lba = 0, count = 1, slave = false, features = 0 }: Command = {}) => {
    out(port.device, 0xe0 | (slave ? 0x10 : 0) | ((lba / 2 ** 24) & 0xf))
    out(port.error, features)
    out(port.count, count & 0xff)
    out(port.low, lba & 0xff)
    out(port.mid, (lba >> 8) & 0xff)
    out(port.high, (lba >> 16) & 0xff)
    out(port.status, code)
  }
  /** Writes 48-bit registers and the command. */
  const command48 = (code: number, { lba = 0, count = 1, slave = false }: Command = {}) => {
    const byte = (value: number, i: number) => Math.floor(value / 256 ** i) & 0xff
    out(port.device, 0x40 | (slave ? 0x10 : 0))
    out(port.count, byte(count, 1), byte(count, 0))
    out(port.low, byte(lba, 3), byte(lba, 0))
    out(port.mid, byte(lba, 4), byte(lba, 1))
    out(port.high, byte(lba, 5), byte(lba, 2))
    out(port.status, code)
  }
  const readData = (bytes: number, width: 1 | 2 | 4 = 2) => {
    const into = new Uint8Array(bytes)
    for (let i = 0; i < bytes; i += width) {
      const value = ports.read(at(port.data), width)
      for (let j = 0; j < width && i + j < bytes; j++) into[i + j] = value >>> (8 * j)
    }
    return into
  }
  const writeData = (bytes: Uint8Array, width: 1 | 2 | 4 = 2) => {
    for (let i = 0; i < bytes.length; i += width) {
      let value = 0
      for (let j = 0; j < width; j++) value |= (bytes[i + j] ?? 0) << (8 * j)
      ports.write(at(port.data), width, value >>> 0)
    }
  }
  /** Sets up descriptors: address and bytes of each, the last marked. */
  const describe = (...regions: readonly (readonly [address: number, bytes: number])[]) => {
    const table = new DataView(new ArrayBuffer(8 * regions.length))
    for (const [i, [address, bytes]] of regions.entries()) {
      table.setUint32(8 * i, address, true)
      table.setUint32(8 * i + 4, (bytes & 0xffff) + (i === regions.length - 1 ? 0x8000_0000 : 0), true)
    }
    memory.write(memoryAt.table, new Uint8Array(table.buffer))
    ports.write(at(bus.table), 4, memoryAt.table)
  }
  /** Sends a packet, by bus master or not. */
  const packet = (bytes: readonly number[], { dma = false, limit = 0xfffe, slave = false } = {}) => {
    command(0xa0, { slave, lba: (limit & 0xff) * 256 + (limit >> 8) * 65536, features: dma ? 1 : 0 })
    writeData(Uint8Array.from({ length: 12 }, (_, i) => bytes[i] ?? 0))
  }
  /** Reads what a packet command answers, until the drive has no more. */
  const answer = () => {
    const bytes: number[] = []
    while (in8(port.status) & bit.data && bytes.length < 1 << 20) {
      bytes.push(...readData(in8(port.mid) | (in8(port.high) << 8)))
    }
    return Uint8Array.from(bytes)
  }
  return {
    ...m,
    api,
    out,
    in8,
    ports,
    memory,
    interrupts,
    command,
    command48,
    readData,
    writeData,
    describe,
    packet,
    answer,
  }
}
