/** The ISA bridge of a PC: PIIX3, 82371SB, function 0 (82371SB datasheet, 290550, 2.3). */
import type { PciFunctionOptions } from './function.ts'
import { notRouted, type PirqRouter } from './pirq-router.ts'

/** How an ISA bridge is made. */
export interface IsaBridgeOptions {
  readonly router: PirqRouter
  /** The ISA interrupts of PIRQA–PIRQD after reset; none unless stated. */
  readonly routes?: readonly number[] | undefined
}

/** Function 1.0. */
export function isaBridge({ router, routes = [] }: IsaBridgeOptions): PciFunctionOptions {
  const wires = Array.from({ length: 4 }, (_, wire) => {
    const value = routes[wire] ?? notRouted
    router.route(wire, value)
    return {
      name: `PIRQ${'ABCD'[wire]} route`,
      offset: 0x60 + wire,
      bytes: 1,
      value,
      writable: 0x8f,
      onWrite: (written: number) => router.route(wire, written),
    } as const
  })
  const stored = (name: string, offset: number, bytes: 1 | 2, value: number, writable: number) => ({
    name,
    offset,
    bytes,
    value,
    writable,
  })
  return {
    name: 'isa-bridge',
    at: { device: 1 },
    vendorId: 0x8086,
    deviceId: 0x7000,
    classCode: 0x06_0100,
    command: { value: 0x0007, writable: 0x0008 },
    config: [
      stored('ISA recovery timer', 0x4c, 1, 0x4d, 0x7f),
      stored('X-bus chip select', 0x4e, 2, 0x0003, 0x01ff),
      ...wires,
      stored('top of memory', 0x69, 1, 0x02, 0xfe),
      stored('miscellaneous status', 0x6a, 2, 0, 0x8080),
      stored('motherboard interrupt route', 0x70, 1, 0x80, 0xef),
      stored('APIC base', 0x80, 1, 0, 0x7f),
      stored('deterministic latency', 0x82, 1, 0, 0x0f),
    ],
  }
}
