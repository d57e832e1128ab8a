/** An adapter by itself, on buses, as tests use it. */
import { Bus, Clock } from '@vmexit/core'
import { createVideoMemory, Screen, Vga } from '../src/index.ts'

/** An adapter at the addresses of a PC, and short ways to reach it. */
export interface TestVga {
  readonly clock: Clock
  readonly vga: Vga
  readonly screen: Screen
  readonly ports: Bus
  readonly mmio: Bus
  /** Writes a byte to a port. */
  out(port: number, value: number): void
  in8(port: number): number
  /** Writes registers behind an index port: sequencer 0x3c4, graphics controller 0x3ce, CRT controller 0x3d4. */
  index(port: number, registers: Readonly<Record<number, number>>): void
  /** Writes registers of the attribute controller, and shows the palette. */
  attribute(registers: Readonly<Record<number, number>>): void
  /** Writes registers of the VBE display interface. */
  dispi(registers: readonly (readonly [index: number, value: number])[]): void
  /** Sets an entry of the DAC. */
  colour(entry: number, red: number, green: number, blue: number): void
  poke(address: number, ...bytes: number[]): void
  peek(address: number): number
}

/** Makes one; `frequency` is the clock's. */
export function testVga({ bytes = 2 ** 18, frequency = 1e9 } = {}): TestVga {
  const clock = new Clock({ frequency })
  const vga = new Vga({ clock, memory: createVideoMemory(bytes) })
  const ports = new Bus({ name: 'ports', addressBits: 16 })
  const mmio = new Bus({ name: 'mmio', addressBits: 52 })
  const { regions } = vga
  ports.claim('vga', 0x1ce, regions.dispi)
  ports.claim('vga', 0x3b4, regions.monochromeCrtc)
  ports.claim('vga', 0x3ba, regions.monochromeStatus)
  ports.claim('vga', 0x3c0, regions.common)
  ports.claim('vga', 0x3d4, regions.colourCrtc)
  ports.claim('vga', 0x3da, regions.colourStatus)
  mmio.claim('vga', 0xa0000, regions.window)
  mmio.claim('vga', 0xf000_0000, regions.mapped)
  const out = (port: number, value: number) => ports.write(port, 1, value)
  const in8 = (port: number) => ports.read(port, 1)
  return {
    clock,
    vga,
    screen: new Screen(vga),
    ports,
    mmio,
    out,
    in8,
    index(port, registers) {
      for (const [index, value] of Object.entries(registers)) ports.write(port, 2, Number(index) | (value << 8))
    },
    attribute(registers) {
      in8(0x3da)
      for (const [index, value] of Object.entries(registers)) {
        out(0x3c0, Number(index))
        out(0x3c0, value)
      }
      out(0x3c0, 0x20)
    },
    dispi(registers) {
      for (const [index, value] of registers) {
        ports.write(0x1ce, 2, index)
        ports.write(0x1cf, 2, value)
      }
    },
    colour(entry, red, green, blue) {
      out(0x3c8, entry)
      for (const level of [red, green, blue]) out(0x3c9, level)
    },
    poke: (address, ...bytes) => {
      for (const [i, byte] of bytes.entries()) mmio.write(address + i, 1, byte)
    },
    peek: (address) => mmio.read(address, 1),
  }
}

/** Whole numbers below `limit`, the same for the same seed (xorshift32). */
export function random(seed: number): (limit: number) => number {
  let x = seed | 1
  return (limit) => {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    return (x >>> 0) % limit
  }
}
