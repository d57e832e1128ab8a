/** Linear memory of one CPU: translation by the paging unit, then guest-physical memory, page by page. */

import type { LinearMemory } from '../system/core.ts'
import { raisePageFault } from '../system/fault.ts'

/** The paging unit's data side: see `@vmexit/paging`. */
export interface Translator {
  /** Physical byte address of `linear`, or −1 with {@link errorCode} set. `access`: `Access` bits. */
  translate(linear: number, access: number): number
  /** The same, without a trace, as far as the modelled TLB has it; else −1. */
  find(linear: number, access: number): number
  /** Page-fault error code of the last failed translation. */
  readonly errorCode: number
}

/** What a translation is for; the bits can be joined. Those of `@vmexit/paging`. */
export const Access = { read: 0, write: 2, user: 4, execute: 16 } as const

/** Guest-physical memory: RAM, ROM and everything else behind one choke point. */
export interface PhysicalMemory {
  read8(address: number): number
  read16(address: number): number
  /** int32 or uint32: the caller takes the bits. */
  read32(address: number): number
  write8(address: number, value: number): void
  write16(address: number, value: number): void
  write32(address: number, value: number): void
  /** Host address of a physical page for plain loads, and for plain stores; 0 where there is more to them. */
  readPage(pfn: number): number
  writePage(pfn: number): number
}

/** Told of every data access while data breakpoints are armed. */
export interface Watchpoints {
  /** Some breakpoint on data or I/O is enabled. */
  armed: boolean
  access(linear: number, bytes: number, write: boolean): void
}

/** Linear memory: translation, then guest-physical memory; a page crossing translates both pages before a byte moves. */
export class TranslatedMemory implements LinearMemory {
  readonly #paging: Translator
  readonly #memory: PhysicalMemory
  readonly #watch: Watchpoints
  /** The linear address after 0xFFFFFFFF is 0 outside 64-bit mode. */
  wrap32 = true

  constructor(paging: Translator, memory: PhysicalMemory, watch: Watchpoints) {
    this.#paging = paging
    this.#memory = memory
    this.#watch = watch
  }

  #physical(linear: number, access: number): number {
    const physical = this.#paging.translate(linear, access)
    if (physical < 0) raisePageFault(this.#paging.errorCode, linear)
    return physical
  }
  #next(linear: number, by: number): number {
    const next = linear + by
    return this.wrap32 && next > 0xffff_ffff ? next - 0x1_0000_0000 : next
  }

  read8(linear: number, user: boolean): number {
    const value = this.#memory.read8(this.#physical(linear, user ? Access.user : 0))
    if (this.#watch.armed) this.#watch.access(linear, 1, false)
    return value
  }
  read16(linear: number, user: boolean): number {
    if ((linear & 0xfff) === 0xfff) return Number(this.#readAcross(linear, 2, user))
    const value = this.#memory.read16(this.#physical(linear, user ? Access.user : 0))
    if (this.#watch.armed) this.#watch.access(linear, 2, false)
    return value
  }
  read32(linear: number, user: boolean): number {
    if ((linear & 0xfff) > 0xffc) return Number(BigInt.asIntN(32, this.#readAcross(linear, 4, user)))
    const value = this.#memory.read32(this.#physical(linear, user ? Access.user : 0)) | 0
    if (this.#watch.armed) this.#watch.access(linear, 4, false)
    return value
  }
  read64(linear: number, user: boolean): bigint {
    if ((linear & 0xfff) > 0xff8) return BigInt.asIntN(64, this.#readAcross(linear, 8, user))
    const physical = this.#physical(linear, user ? Access.user : 0)
    const low = this.#memory.read32(physical) >>> 0
    const high = this.#memory.read32(physical + 4) | 0
    if (this.#watch.armed) this.#watch.access(linear, 8, false)
    return (BigInt(high) << 32n) | BigInt(low)
  }

  write8(linear: number, value: number, user: boolean): void {
    this.#memory.write8(this.#physical(linear, user ? Access.user | Access.write : Access.write), value)
    if (this.#watch.armed) this.#watch.access(linear, 1, true)
  }
  write16(linear: number, value: number, user: boolean): void {
    if ((linear & 0xfff) === 0xfff) {
      this.#writeAcross(linear, 2, BigInt(value & 0xffff), user)
      return
    }
    this.#memory.write16(this.#physical(linear, user ? Access.user | Access.write : Access.write), value)
    if (this.#watch.armed) this.#watch.access(linear, 2, true)
  }
  write32(linear: number, value: number, user: boolean): void {
    if ((linear & 0xfff) > 0xffc) {
      this.#writeAcross(linear, 4, BigInt(value >>> 0), user)
      return
    }
    this.#memory.write32(this.#physical(linear, user ? Access.user | Access.write : Access.write), value)
    if (this.#watch.armed) this.#watch.access(linear, 4, true)
  }
  write64(linear: number, value: bigint, user: boolean): void {
    if ((linear & 0xfff) > 0xff8) {
      this.#writeAcross(linear, 8, BigInt.asUintN(64, value), user)
      return
    }
    const physical = this.#physical(linear, user ? Access.user | Access.write : Access.write)
    this.#memory.write32(physical, Number(BigInt.asIntN(32, value)))
    this.#memory.write32(physical + 4, Number(BigInt.asIntN(32, value >> 32n)))
    if (this.#watch.armed) this.#watch.access(linear, 8, true)
  }

  plain(linear: number, bytes: number, write: boolean, user: boolean): number {
    const offset = linear & 0xfff
    if (this.#watch.armed || offset + bytes > 0x1000) return 0
    const physical = this.#paging.find(linear, (user ? Access.user : 0) | (write ? Access.write : 0))
    if (physical < 0) return 0
    const pfn = Math.floor(physical / 0x1000)
    const host = write ? this.#memory.writePage(pfn) : this.#memory.readPage(pfn)
    return host === 0 ? 0 : host + offset
  }

  /** Both pages are translated, lower first, before a byte moves. */
  #readAcross(linear: number, bytes: number, user: boolean): bigint {
    const access = user ? Access.user : 0
    const head = 0x1000 - (linear & 0xfff)
    const first = this.#physical(linear, access)
    const second = this.#physical(this.#next(linear, head), access)
    let value = 0n
    for (let i = bytes - 1; i >= 0; i--) {
      const at = i < head ? first + i : second + i - head
      value = (value << 8n) | BigInt(this.#memory.read8(at))
    }
    if (this.#watch.armed) this.#watch.access(linear, bytes, false)
    return value
  }
  #writeAcross(linear: number, bytes: number, value: bigint, user: boolean): void {
    const access = user ? Access.user | Access.write : Access.write
    const head = 0x1000 - (linear & 0xfff)
    const first = this.#physical(linear, access)
    const second = this.#physical(this.#next(linear, head), access)
    for (let i = 0; i < bytes; i++) {
      const at = i < head ? first + i : second + i - head
      this.#memory.write8(at, Number((value >> BigInt(8 * i)) & 0xffn))
    }
    if (this.#watch.armed) this.#watch.access(linear, bytes, true)
  }

  probe(linear: number, bytes: number, write: boolean, user: boolean): void {
    const access = (user ? Access.user : 0) | (write ? Access.write : 0)
    this.#physical(linear, access)
    const head = 0x1000 - (((linear % 0x1000) + 0x1000) % 0x1000)
    for (let at = head; at < bytes; at += 0x1000) this.#physical(this.#next(linear, at), access)
  }
}
