import { Bus, BusMasters, type RegisterFile } from '@vmexit/core'
import { PciBus, type PciFunctionOptions } from '@vmexit/pci'
import { describe, expect, test } from 'vitest'
import { failures } from '../test/failures.ts'
import { type PciFunctionUnderTest, pciFunctionConformance } from './pci.ts'

const registers = (size: number): RegisterFile => ({ size, read: () => 0, write() {} })

const cards: Readonly<Record<string, Partial<PciFunctionOptions>>> = {
  plain: {},
  'with everything': {
    bars: [
      { index: 0, space: 'memory', registers: registers(0x1000) },
      { index: 1, space: 'io', registers: registers(0x20) },
      { index: 2, space: 'memory', registers: registers(0x1_0000), wide: true, prefetchable: true },
    ],
    interruptPin: 1,
    msi: { messages: 4 },
    rom: new Uint8Array(3000),
    capabilities: [{ id: 9, bytes: 16, registers: [] }],
  },
}

function ours(
  options: Partial<PciFunctionOptions>,
  change: (fn: PciFunctionUnderTest) => Partial<PciFunctionUnderTest> = () => ({}),
) {
  return pciFunctionConformance(() => {
    const bus = new PciBus({
      ports: new Bus({ name: 'ports', addressBits: 16 }),
      mmio: new Bus({ name: 'mmio', addressBits: 52 }),
      busMasters: new BusMasters(),
    })
    const fn = bus.add({ name: 'card', vendorId: 0x1234, deviceId: 0x5678, classCode: 0x02_0000, ...options })
    const subject: PciFunctionUnderTest = {
      read: (offset, width) => fn.readConfig(offset, width),
      write: (offset, width, value) => fn.writeConfig(offset, width, value),
    }
    return { ...subject, ...change(subject) }
  })
}

for (const [name, options] of Object.entries(cards)) {
  describe(name, () => {
    for (const { name, run } of ours(options)) test(name, run)
  })
}

test('what is broken fails', () => {
  const everything = cards['with everything']!
  const broken = (change: (fn: PciFunctionUnderTest) => Partial<PciFunctionUnderTest>) =>
    failures(ours(everything, change))
  // A vendor ID that can be written.
  let vendor = 0
  const writable = broken(({ read, write }) => ({
    read: (offset, width) => (offset === 0 && width === 4 ? read(0, 4) ^ vendor : read(offset, width)),
    write: (offset, width, value) => (offset === 0 ? void (vendor = value & 1) : write(offset, width, value)),
  }))
  expect(writable).toContain('what a function is cannot be written')
  // Windows that take any address: they have no size.
  const anywhere = broken(({ read, write }) => {
    let bar = 0
    return {
      read: (offset, width) => (offset === 0x10 && width === 4 ? bar : read(offset, width)),
      write: (offset, width, value) => (offset === 0x10 ? void (bar = value) : write(offset, width, value)),
    }
  })
  expect(anywhere).toContain('windows tell their size, a power of two, and take an address')
  // A list that is a circle.
  const circle = broken(({ read }) => ({
    read: (offset, width) =>
      width === 1 && offset > 0x40 && read(offset - 1, 1) === 9 ? offset - 1 : read(offset, width),
  }))
  expect(circle).toContain('capabilities are a list that ends, beyond the header')
  // Byte writes that are done as double words, and an interrupt line that is fixed.
  const wide = broken(({ write }) => ({ write: (offset, _, value) => write(offset & ~3, 4, value) }))
  expect(wide).toContain('a byte that is written changes no other')
  const fixed = broken(({ read }) => ({
    read: (offset, width) => (offset === 0x3c && width === 1 ? 9 : read(offset, width)),
  }))
  expect(fixed).toContain('the interrupt line is kept for drivers, the pin is what it is')
  // More messages can be enabled than are offered? No: what software writes changes the offer.
  const offer = broken(({ read }) => ({
    read: (offset, width) =>
      width === 2 && read(offset & ~3, 1) === 5
        ? read(offset, width) ^ ((read(offset, 2) & 1) << 1)
        : read(offset, width),
  }))
  expect(offer).toContain('messages: as many as are offered, at an address of double words')
})
