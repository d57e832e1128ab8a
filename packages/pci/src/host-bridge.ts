/**
 * The host bridge of a PC: 82441FX, which with its PIIX3 makes a 440FX (82441FX datasheet, 290549, 3.2).
 *
 * Its registers of DRAM timing and of errors are not there: nothing here has either. The attribute map's read enables are
 * kept and change nothing: where RAM is mapped below 1 MiB, firmware has been put into that very RAM.
 */
import type { ConfigCause } from './config-space.ts'
import type { PciFunctionOptions } from './function.ts'

/** What a host bridge does to the memory between 768 KiB and 1 MiB. */
export interface ShadowMemory {
  /** Makes `bytes` from `start` writable, or not. */
  setWritable(start: number, bytes: number, writable: boolean): void
}

/** How a host bridge is made. */
export interface HostBridgeOptions {
  readonly shadow: ShadowMemory
  /** Whether the memory between 768 KiB and 1 MiB is all readable and writable after reset; false unless stated. */
  readonly open?: boolean
}

const firstAttributeMap = 0x59
/** Areas of the programmable attribute map, two to a register, low half first; the first register has one, in its upper half. */
const areas: readonly (readonly [start: number, bytes: number])[] = [
  [0, 0],
  [0xf_0000, 0x1_0000],
  ...Array.from({ length: 12 }, (_, i) => [0xc_0000 + i * 0x4000, 0x4000] as const),
]
const writeEnable = 2

/** SMRAM control: what can be written until it is locked, and after that. */
const smram = { bits: 0x78, locked: 0x10, afterLock: 0x20, open: 0x40, initial: 0x02 } as const

/** Function 0.0. */
export function hostBridge({ shadow, open = false }: HostBridgeOptions): PciFunctionOptions {
  const attributeMap = Array.from({ length: 7 }, (_, i) => {
    const bits = i === 0 ? 0x30 : 0x33
    return {
      name: `PAM${i}`,
      offset: firstAttributeMap + i,
      bytes: 1,
      value: open ? bits : 0,
      writable: bits,
      onWrite: (value: number, cause: ConfigCause) => {
        // What was read-only is part of the saved state of memory.
        if (cause === 'restore') return
        for (const half of [0, 1]) {
          const [start, bytes] = areas[2 * i + half]!
          if (bytes > 0) shadow.setWritable(start, bytes, ((value >> (4 * half)) & writeEnable) !== 0)
        }
      },
    } as const
  })
  return {
    name: 'host-bridge',
    at: { device: 0 },
    vendorId: 0x8086,
    deviceId: 0x1237,
    classCode: 0x06_0000,
    revision: 2,
    command: { value: 0x0006, writable: 0x0140 },
    status: 0x0280,
    config: [
      ...attributeMap,
      {
        name: 'SMRAM control',
        offset: 0x72,
        bytes: 1,
        value: smram.initial,
        writable: smram.bits,
        filter: (next, before) => {
          if (before & smram.locked) return (before & ~smram.afterLock) | (next & smram.afterLock)
          return next & smram.locked ? next & ~smram.open : next
        },
      },
    ],
  }
}
