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
import { HostPages, isMachineFull } from './host-pages.ts'

declare module '@vmexit/core' {
  interface Capabilities {
    /** Memory of a VM that lies in the machine's: what MMU strategies map. */
    vmMemory: VmMemory
  }
}

/** What a guest finds at an address. */
export type Backing = 'writable' | 'read-only' | 'nothing'

/** Stores to such pages must be seen. */
const SEEN = PageFlag.LOGGED | PageFlag.WATCHED

/** Guest-physical memory over a machine's. All that writes to it besides the guest itself goes through it. */
export class VmMemory extends GuestMemory {
  readonly machine: HostPages
  /** Page numbers of the machine, by guest page number. */
  readonly #places = new Map<number, number>()

  /**
   * Pages that get their places together, in a row and aligned: 1, or 512 where they are to be mapped as large pages. Only what is memory
   * throughout gets them so, and only while the machine has such rows.
   */
  blockPages: 1 | 512 = 1

  /** The machine had no page left when the guest, or a device for it, needed one: the guest cannot go on. See {@link release}. */
  exhausted = false

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
    if (this.blockPages > 1 && this.#placeBlock(page)) return this.#places.get(page)!
    const place = this.machine.allocate()
    this.#places.set(page, place)
    this.#follow(slot, place)
    return place
  }

  /** Gives the whole block around `page` places in a row. False if part of it is not plain memory, or has a place, or there is no such row. */
  #placeBlock(page: number): boolean {
    const first = page - (page % this.blockPages)
    for (let each = first; each < first + this.blockPages; each++)
      if (this.#places.has(each) || this.backing(each) !== 'writable') return false
    const place = this.machine.allocateBlock(this.blockPages)
    if (place < 0) return false
    for (let n = 0; n < this.blockPages; n++) {
      this.#places.set(first + n, place + n)
      this.#follow(this.pages.slot(first + n), place + n)
    }
    return true
  }

  /** What guest page `page` is to its guest. */
  backing(page: number): Backing {
    const flags = this.flagsOf(page)
    if ((flags & PageFlag.HOLE) !== 0) return 'nothing'
    return (flags & PageFlag.ROM) !== 0 ? 'read-only' : 'writable'
  }

  /**
   * How a guest may have `page` mapped after an access to it, which for a store is done with here: dirty logs are told. `write` and not
   * writable: each store must come by, or be lost on ROM.
   */
  grant(page: number, write: boolean): Backing {
    const backing = this.backing(page)
    if (backing === 'nothing') return 'nothing'
    if (write) return this.prepareWrite(page, 0, PAGE_BYTES) !== 0 ? 'writable' : 'read-only'
    return backing === 'writable' && (this.flagsOf(page) & SEEN) === 0 ? 'writable' : 'read-only'
  }

  /** Pages that have a place. */
  get placed(): number {
    return this.#places.size
  }

  /** Makes the page's frame the machine's, which may have changed: what is read here is what the guest has written. */
  #follow(slot: number, place: number): void {
    const frame = this.machine.memory.prepareWrite(place, 0, PAGE_BYTES)
    const before = this.pages.frame[slot]!
    if (frame === before) return
    // What was there is zeros: every store has given the page a place first.
    this.pool.retain(frame)
    this.pool.release(before)
    this.pages.frame[slot] = frame
    this.pages.flags[slot] |= PageFlag.SHARED
  }

  protected override admit(page: number, slot: number, offset: number, length: number): void {
    const place = this.place(page)
    this.machine.memory.prepareWrite(place, offset, length)
    this.#follow(slot, place)
    // Not a frame of its own: it is the machine's.
    this.pages.flags[slot] &= ~PageFlag.SHARED
    super.admit(page, slot, offset, length)
    this.pages.flags[slot] |= PageFlag.SHARED
  }

  /** The page reads as zeros, and the machine has its place back; but a block stays whole. */
  override unmapFrame(page: number): void {
    if (this.blockPages === 1) this.#giveBack(page)
    else if (this.#places.has(page)) this.writeBytes(page * PAGE_BYTES, new Uint8Array(PAGE_BYTES))
  }

  #giveBack(page: number): void {
    super.unmapFrame(page)
    const place = this.#places.get(page)
    if (place === undefined) return
    this.#places.delete(page)
    this.machine.free(place)
  }

  /** Gives every place back: all of the memory reads as zeros. */
  release(): void {
    for (const page of [...this.#places.keys()]) this.#giveBack(page)
  }

  override [Symbol.dispose](): void {
    this.release()
  }

  /** What a bus master stores. False, as on a bus where nobody answers, if the machine has no page for it: then the memory is exhausted. */
  writeFromBus(address: number, from: Uint8Array): boolean {
    try {
      return this.dma.write(address, from)
    } catch (error) {
      if (!isMachineFull(error)) throw error
      this.exhausted = true
      return false
    }
  }
}

/** What `vm.of(part)` gives. */
export interface VmRam {
  readonly memory: Capabilities['memory']
  readonly guestMemory: VmMemory
  readonly vmMemory: VmMemory
  save(): ReturnType<GuestMemory['save']>
  restore(state: Parameters<GuestMemory['restore']>[0]): void
  reset(): void
  [Symbol.dispose](): void
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
          write: (address, from) => memory.writeFromBus(address, from),
        },
        guestMemory: memory,
        vmMemory: memory,
        save: () => memory.save(),
        restore: (state) => memory.restore(state),
        reset: () => {
          memory.exhausted = false
        },
        [Symbol.dispose]: () => memory[Symbol.dispose](),
      }
    },
  })
}
