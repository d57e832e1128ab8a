import { Bus, BusMasters, type RegisterFile } from '@vmexit/core'
import { expect, test } from 'vitest'
import { ConfigMechanism1, PciBus } from './index.ts'

const bytes = (size: number, fill: number): RegisterFile => ({
  size,
  split: true,
  read: () => fill * 0x0101_0101,
  write() {},
})

function board() {
  const ports = new Bus({ name: 'ports', addressBits: 16 })
  const mmio = new Bus({ name: 'mmio', addressBits: 52 })
  const busMasters = new BusMasters()
  const level = [false, false, false, false]
  const interrupts = [0, 1, 2, 3].map((i) => ({ set: (high: boolean) => void (level[i] = high) }))
  const bus = new PciBus({ ports, mmio, busMasters, interrupts: interrupts as never })
  const mechanism = new ConfigMechanism1({ bus, onReset() {} })
  ports.claim('pci', 0xcf8, mechanism.regions.registers)
  const at = (device: number, offset: number) => {
    ports.write(0xcf8, 4, 0x8000_0000 + device * 0x800 + (offset & 0xfc))
    return 0xcfc + (offset & 3)
  }
  return {
    ports,
    mmio,
    busMasters,
    bus,
    level,
    get: (device: number, offset: number, width: 1 | 2 | 4 = 4) => ports.read(at(device, offset), width),
    put: (device: number, offset: number, value: number, width: 1 | 2 | 4 = 4) =>
      ports.write(at(device, offset), width, value),
  }
}

test('a device is found, sized, placed and reached', () => {
  const { bus, get, put, mmio, ports, level } = board()
  const fn = bus.add({
    name: 'dice',
    vendorId: 0x1234,
    deviceId: 0x5678,
    classCode: 0xff0000,
    at: { device: 5 },
    bars: [
      { index: 0, space: 'memory', registers: bytes(0x1000, 0x11) },
      { index: 1, space: 'io', registers: bytes(8, 0x22) },
    ],
    interruptPin: 1,
  })
  expect([get(5, 0), get(4, 0), get(5, 8)]).toEqual([0x5678_1234, 0xffff_ffff, 0xff00_0000])
  put(5, 0x10, 0xffff_ffff)
  put(5, 0x14, 0xffff_ffff)
  expect([get(5, 0x10), get(5, 0x14), get(5, 0x18)]).toEqual([0xffff_f000, 0xffff_fff9, 0])
  put(5, 0x10, 0xfe00_0000)
  put(5, 0x14, 0xc100)
  expect([mmio.read(0xfe00_0000, 4), ports.read(0xc100, 1)]).toEqual([0xffff_ffff, 0xff])
  put(5, 4, 3, 2)
  expect([mmio.read(0xfe00_0000, 4), ports.read(0xc107, 1)]).toEqual([0x1111_1111, 0x22])
  fn.interrupt.set(true)
  expect([level, get(5, 6, 2)]).toEqual([[true, false, false, false], 0x0208])
  put(5, 4, 0x403, 2)
  expect(level).toEqual([false, false, false, false])
})
