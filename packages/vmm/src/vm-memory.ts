/**
 * Memory of a VM on a machine: guest-physical pages that lie in pages of the machine's RAM. A page gets its place when it is first
 * written, or when the guest reaches for it.
 */

import type { Capabilities } from '@vmexit/core'
import { definePart, type PartOf } from '@vmexit/core'
import {
  GuestMemory,
  type MemoryRange,
  type MmioHandler,
  PAGE_BYTES,
  PageFlag,
  parseSize,
  pcRanges,
} from '@vmexit/memory'
import { HostPages } from './host-pages.ts'

declare module '@vmexit/core' {
  interface Capabilities {
    /** Memory of a VM that lies in the machine's: what MMU strategies map. */
    vmMemory: VmMemory
  }
}

/** What a guest finds at an address. */
export type Backing = 'writable' | 'read-only' | 'nothing'

/** Guest-physical memory over a machine's. All that writes to it besides the guest itself goes through it. */
export class VmMemory extends GuestMemory {
  readonly machine: HostPages
  /** Page numbers of the machine, by guest page number. */
  readonly #places = new Map<number, number>()

  constructor(host: HostPages, ranges: readonly MemoryRange[], mmio: MmioHandler) {
    super({ ranges, pool: host.memory.pool, mmio })
    this.machine = host
  }

  /** The machine's page that guest page `page` lies in; −1 while it has none. */
  placeOf(page: number): number {
    return this.#places.get(page) ?? -1
  }

  /** The same, given a place if it has memory and none yet. −1 where there is no memory. @throws VmexitError `machine-memory`. */
  place(page: number): number {
    const known = this.#places.get(page)
    if (known !== undefined) return known
    const slot = this.pages.slot(page)
    if (this.pages.frame[slot] === 0) return -1
    const place = this.machine.allocate()
    this.#places.set(page, place)
    this.#follow(page, slot, place)
    return place
  }

  /** What guest page `page` is to its guest. */
  backing(page: number): Backing {
    const flags = this.flagsOf(page)
    if ((flags & PageFlag.HOLE) !== 0) return 'nothing'
    return (flags & PageFlag.ROM) !== 0 ? 'read-only' : 'writable'
  }

  /** Pages that have a place. */
  get placed(): number {
    return this.#places.size
  }

  /** Makes the page's frame the machine's, which may have changed: what is read here is what the guest has written. */
  #follow(page: number, slot: number, place: number): void {
    const frame = this.machine.memory.prepareWrite(place, 0, PAGE_BYTES)
    const before = this.pages.frame[slot]!
    if (frame === before) return
    // What was there is zeros: every store has given the page a place first.
    this.pool.retain(frame)
    this.pool.release(before)
    this.pages.frame[slot] = frame
    this.pages.flags[slot] |= PageFlag.SHARED
    void page
  }

  protected override admit(page: number, slot: number, offset: number, length: number): void {
    const place = this.place(page)
    this.machine.memory.prepareWrite(place, offset, length)
    this.#follow(page, slot, place)
    const shared = this.pages.flags[slot]! & PageFlag.SHARED
    // Not a frame of its own: it is the machine's.
    this.pages.flags[slot] &= ~PageFlag.SHARED
    super.admit(page, slot, offset, length)
    this.pages.flags[slot] |= shared | PageFlag.SHARED
  }

  /** The page reads as zeros; its place stays. */
  override unmapFrame(page: number): void {
    if (this.placeOf(page) >= 0) this.writeBytes(page * PAGE_BYTES, new Uint8Array(PAGE_BYTES))
  }
}

/** What `vm.of(part)` gives. */
export interface VmRam {
  readonly memory: Capabilities['memory']
  readonly guestMemory: VmMemory
  readonly vmMemory: VmMemory
  save(): ReturnType<GuestMemory['save']>
  restore(state: Parameters<GuestMemory['restore']>[0]): void
}

/** Memory for the slot `memory` of a VM whose pages lie in the machine's: `vmMemory('64 MiB')`, laid out as a PC's. */
export function vmMemory(
  size: number | string,
): PartOf<'vm-memory', 'mmio', 'guestMemory', Pick<Capabilities, 'memory' | 'guestMemory' | 'vmMemory'>, never, VmRam> {
  return definePart({
    name: 'vm-memory',
    needs: ['mmio'],
    hardware: ['guestMemory'],
    gives: ['memory', 'guestMemory', 'vmMemory'],
    build({ mmio }, hardware): VmRam {
      const bytes = parseSize(size)
      const memory = new VmMemory(HostPages.of(hardware.guestMemory), pcRanges({ ram: bytes }), {
        read: (address, width) => mmio.read(address, width),
        write: (address, width, value) => mmio.write(address, width, value),
      })
      return {
        memory: {
          size: bytes,
          read: (address, into) => memory.dma.read(address, into),
          write: (address, from) => memory.dma.write(address, from),
        },
        guestMemory: memory,
        vmMemory: memory,
        save: () => memory.save(),
        restore: (state) => memory.restore(state),
      }
    },
  })
}
