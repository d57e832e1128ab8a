/** RAM as a part of a machine or VM. */
import { definePart, type PartOf, VmexitError } from '@vmexit/core'
import type { DmaTarget } from './dma.ts'
import type { FramePool } from './frame-pool.ts'
import { GuestMemory } from './guest-memory.ts'
import { pcRanges } from './layout.ts'
import type { MemoryRange } from './page-map.ts'
import type { MemoryState } from './state.ts'

declare module '@vmexit/core' {
  interface Capabilities {
    /** Guest-physical memory with its frames, logs and watches: what CPUs and supervisors work on. */
    guestMemory: GuestMemory
  }
}

/** RAM in a machine: what `machine.of(part)` gives. */
export interface Ram {
  /** The machine's view: its size, and what bus masters reach. */
  readonly memory: DmaTarget & { readonly size: number }
  readonly guestMemory: GuestMemory
  save(): MemoryState
  restore(state: MemoryState): void
}

/** What {@link ram} is made of. */
export interface RamOptions {
  /** Bytes (a multiple of 4096), or text such as `'64 MiB'`. */
  readonly size?: number | string
  /** Ranges of your own, instead of a PC's layout of `size`. */
  readonly ranges?: readonly MemoryRange[]
  /** Frames shared with other memories. Default: a pool of its own. */
  readonly pool?: FramePool
}

const UNITS: Readonly<Record<string, number>> = {
  B: 1,
  KIB: 2 ** 10,
  K: 2 ** 10,
  MIB: 2 ** 20,
  M: 2 ** 20,
  GIB: 2 ** 30,
  G: 2 ** 30,
}

/**
 * Bytes of `'64 MiB'`, `'512K'`, `'2 GiB'`, or of a number.
 * @throws VmexitError `memory-size` for anything else.
 */
export function parseSize(size: number | string): number {
  if (typeof size === 'number') return size
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(size)
  const unit = match && UNITS[match[2]!.toUpperCase() || 'B']
  if (match && unit !== undefined && unit !== null) return Number(match[1]) * unit
  throw new VmexitError('memory-size', {
    problem: `'${size}' is not an amount of memory`,
    remedy: "give a number of bytes, or a number and B, KiB, MiB or GiB: '64 MiB'",
  })
}

/**
 * RAM for the slot `memory`: `ram('64 MiB')` laid out as a PC's, below 1 MiB all RAM where that is all there is, or
 * `ram({ ranges })`. What no range covers is the machine's `mmio` bus.
 */
export function ram(
  options: RamOptions | number | string,
): PartOf<'ram', 'mmio', never, Pick<import('@vmexit/core').Capabilities, 'memory' | 'guestMemory'>, never, Ram> {
  const given: RamOptions = typeof options === 'object' ? options : { size: options }
  return definePart({
    name: 'ram',
    needs: ['mmio'],
    gives: ['memory', 'guestMemory'],
    build({ mmio }): Ram {
      const ranges = given.ranges ?? rangesOf(parseSize(given.size ?? '64 MiB'))
      const guestMemory = new GuestMemory({
        ranges,
        mmio: {
          read: (address, width) => mmio.read(address, width),
          write: (address, width, value) => mmio.write(address, width, value),
        },
        ...(given.pool ? { pool: given.pool } : {}),
      })
      const size = ranges.reduce((sum, range) => sum + range.bytes, 0)
      const memory = {
        size,
        read: (address: number, into: Uint8Array) => guestMemory.dma.read(address, into),
        write: (address: number, from: Uint8Array) => guestMemory.dma.write(address, from),
      }
      return { memory, guestMemory, save: () => guestMemory.save(), restore: (state) => guestMemory.restore(state) }
    },
  })
}

/** Less than 1 MiB is one plain range from address 0. */
function rangesOf(bytes: number): readonly MemoryRange[] {
  if (bytes >= 2 ** 20) return pcRanges({ ram: bytes })
  if (bytes > 0 && bytes % 4096 === 0) return [{ kind: 'ram', start: 0, bytes }]
  throw new VmexitError('memory-size', {
    problem: `a machine cannot have ${bytes} bytes of RAM`,
    remedy: 'give a multiple of 4096',
  })
}
