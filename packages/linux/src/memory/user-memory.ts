/**
 * The memory of the program that calls, as handlers reach it: through the CPU's paging unit, with the program's rights, so
 * pages come as if the program had touched them.
 *
 * An address that the program may not use throws {@link BAD_ADDRESS}, which the system call turns into EFAULT; one whose
 * page is not there yet throws {@link PAGE_PENDING}, and the call is made again. (Handlers stay short, and what is thrown is no `Error`: it
 * costs a microsecond, in calls that are wrong anyway.) Whoever changes something reads first.
 */
import type { GuestMemory } from '@vmexit/memory'
import type { ByteString } from '@vmexit/vfs'
import type { CpuPaging } from '@vmexit/x86'
import { type AddressSpace, Fault } from './address-space.ts'
import { PAGE } from './frames.ts'

/** Thrown for an address that a program may not use. */
export const BAD_ADDRESS: unique symbol = Symbol('bad address')
/** Thrown for a page that is being fetched. */
export const PAGE_PENDING: unique symbol = Symbol('page pending')

const USER = 4
const WRITE = 2
const TOP = 0xc000_0000
/** Bytes that a file gives or takes at once. */
export const BOUNCE = 65_536

/** Access to the memory of the space that the CPU has. Addresses are unsigned. */
export class UserMemory {
  readonly #paging: CpuPaging
  readonly #memory: GuestMemory
  #bounce: Uint8Array<ArrayBuffer> | undefined
  /** The space that the CPU has. */
  space!: AddressSpace

  constructor(paging: CpuPaging, memory: GuestMemory) {
    this.#paging = paging
    this.#memory = memory
  }

  #physical(address: number, access: number): number {
    if (address >= TOP) throw BAD_ADDRESS
    for (;;) {
      const physical = this.#paging.translate(address, access)
      if (physical >= 0) return physical
      const outcome = this.space.fault(Math.floor(address / PAGE), (access & WRITE) !== 0)
      if (outcome === Fault.BLOCK) throw PAGE_PENDING
      if (outcome !== Fault.DONE) throw BAD_ADDRESS
    }
  }

  /** Host offset of bytes to be read, in one page; the caller knows that they are. */
  readable(address: number): number {
    const physical = this.#physical(address, USER)
    return this.#memory.readPage(Math.floor(physical / PAGE)) + (physical % PAGE)
  }

  /** Host offset of `length` bytes to be stored, in one page. */
  writable(address: number, length: number): number {
    const physical = this.#physical(address, USER | WRITE)
    return this.#memory.prepareWrite(Math.floor(physical / PAGE), physical % PAGE, length)
  }

  /** Sees to it that bytes can be stored. */
  check(address: number, length: number): void {
    for (let at = address; at < address + length; at += this.part(at, PAGE)) this.#physical(at, USER | WRITE)
  }

  /**
   * Zeros, 64 KiB at most, for what lies in several pages, on its way between memory and a file: theirs until the next one asks.
   * (New ones each time are the host's to map, clear and collect: 3 % of a gunzip into md5sum.)
   */
  bounce(length: number): Uint8Array<ArrayBuffer> {
    this.#bounce ??= new Uint8Array(BOUNCE)
    return this.#bounce.subarray(0, Math.min(length, BOUNCE)).fill(0)
  }

  /** Bytes from an address to the end of its page, at most `length`. */
  part(address: number, length: number): number {
    return Math.min(length, PAGE - (address % PAGE))
  }

  /** The bytes that host offsets are of. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#memory.host.u8
  }

  get8(address: number): number {
    return this.#memory.host.u8[this.readable(address)]!
  }
  get16(address: number): number {
    if (address % PAGE === PAGE - 1) return this.get8(address) | (this.get8(address + 1) << 8)
    return this.#memory.host.view.getUint16(this.readable(address), true)
  }
  /** Unsigned. */
  get32(address: number): number {
    if (address % PAGE > PAGE - 4) return (this.get16(address) | (this.get16(address + 2) << 16)) >>> 0
    return this.#memory.host.view.getUint32(this.readable(address), true)
  }
  /** Signed, as far as a double holds it. */
  get64(address: number): number {
    return this.get32(address) + (this.get32(address + 4) | 0) * 2 ** 32
  }
  set8(address: number, value: number): void {
    this.#memory.host.u8[this.writable(address, 1)] = value
  }
  set16(address: number, value: number): void {
    if (address % PAGE === PAGE - 1) {
      this.set8(address, value)
      this.set8(address + 1, value >>> 8)
    } else this.#memory.host.view.setUint16(this.writable(address, 2), value, true)
  }
  set32(address: number, value: number): void {
    if (address % PAGE > PAGE - 4) {
      this.set16(address, value)
      this.set16(address + 2, value >>> 16)
    } else this.#memory.host.view.setInt32(this.writable(address, 4), value | 0, true)
  }
  set64(address: number, value: number): void {
    this.set32(address, value % 2 ** 32)
    this.set32(address + 4, Math.floor(value / 2 ** 32))
  }

  /** Fills `into`. */
  read(address: number, into: Uint8Array): void {
    for (let done = 0; done < into.length; ) {
      const part = this.part(address + done, into.length - done)
      const at = this.readable(address + done)
      into.set(this.bytes.subarray(at, at + part), done)
      done += part
    }
  }

  /** Stores `from`; every page is asked for before the first byte is stored. */
  write(address: number, from: Uint8Array): void {
    this.check(address, from.length)
    for (let done = 0; done < from.length; ) {
      const part = this.part(address + done, from.length - done)
      this.bytes.set(from.subarray(done, done + part), this.writable(address + done, part))
      done += part
    }
  }

  fill(address: number, value: number, length: number): void {
    for (let done = 0; done < length; ) {
      const part = this.part(address + done, length - done)
      const at = this.writable(address + done, part)
      this.bytes.fill(value, at, at + part)
      done += part
    }
  }

  /** A string that ends in a zero, without it; undefined where it has more than `most` bytes. */
  string(address: number, most: number): ByteString | undefined {
    let text = ''
    for (let at = address; text.length <= most; ) {
      const part = this.part(at, most + 1 - text.length)
      const start = this.readable(at)
      const { bytes } = this
      let end = start
      while (end < start + part && bytes[end] !== 0) end++
      // (Most strings are paths, for which this takes less than half of what a view and a spread take.)
      for (let from = start; from < end; from++) text += String.fromCharCode(bytes[from]!)
      if (end < start + part) return text
      if (part === 0) break
      at += part
    }
    return undefined
  }
}
