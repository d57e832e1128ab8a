/** A VMCS region: 4 KiB of memory with the fields of one virtual CPU (SDM vol. 3C, chapter 24). */
import type { GuestMemory } from '@vmexit/memory'
import { isHighHalf, offsetOf, widthOf } from './fields.ts'

/** Bits 30:0 of a region's first four bytes, and of IA32_VMX_BASIC. */
export const REVISION = 0x766d
const PAGE = 0x1000
/** Where in a region the launch state is; the manual leaves the place to the processor. */
const LAUNCHED_AT = 8

/**
 * One region, named by {@link select}. What is read and written lies in memory at once, so that a dump shows it. Offsets of fields come from
 * `offsetOf`; natural-width fields are read as numbers, in 32-bit fields the rest of the slot is 0.
 */
export class Vmcs {
  readonly #memory: GuestMemory
  /** Physical address of the region; −1 if none is current. */
  address = -1
  /** The region: a view of host memory, or a copy where stores to the page are not plain. */
  #words: Int32Array
  #unsigned: Uint32Array
  #at = 0
  #copy: Uint8Array<ArrayBuffer> | undefined

  constructor(memory: GuestMemory) {
    this.#memory = memory
    this.#words = new Int32Array(0)
    this.#unsigned = new Uint32Array(0)
  }

  /** Makes the region at `address` the one; −1 for none. */
  select(address: number): void {
    this.address = address
  }

  /** To be called before fields are read or written: the page may have moved since. */
  open(): void {
    const { host } = this.#memory
    const pfn = Math.floor(this.address / PAGE)
    const page = this.#memory.prepareWrite(pfn, 0, PAGE)
    if (page !== 0) {
      this.#copy = undefined
      this.#words = host.i32
      this.#unsigned = host.u32
      this.#at = page >> 2
      return
    }
    this.#copy ??= new Uint8Array(PAGE)
    this.#memory.readBytes(this.address, this.#copy)
    this.#words = new Int32Array(this.#copy.buffer)
    this.#unsigned = new Uint32Array(this.#copy.buffer)
    this.#at = 0
  }

  /** To be called after fields were written: what is watched, or not memory at all, is written as anything else is. */
  close(): void {
    if (this.#copy !== undefined) this.#memory.writeBytes(this.address, this.#copy)
  }

  get revision(): number {
    return this.#words[this.#at]!
  }
  get launched(): boolean {
    return this.#words[this.#at + LAUNCHED_AT / 4] === 1
  }
  set launched(value: boolean) {
    this.#words[this.#at + LAUNCHED_AT / 4] = value ? 1 : 0
  }
  /** VMX-abort indicator (24.2). */
  set abort(indicator: number) {
    this.#words[this.#at + 1] = indicator
  }

  /** The low 32 bits of a field, signed. */
  get32(encoding: number): number {
    return this.#words[this.#at + (offsetOf(encoding) >> 2)]!
  }
  set32(encoding: number, value: number): void {
    const at = this.#at + (offsetOf(encoding) >> 2)
    this.#words[at] = value
    this.#words[at + 1] = 0
  }
  /** A 64-bit or natural-width field, unsigned; exact up to 2^53. */
  getNumber(encoding: number): number {
    const at = this.#at + (offsetOf(encoding) >> 2)
    return this.#unsigned[at + 1]! * 0x1_0000_0000 + this.#unsigned[at]!
  }
  setNumber(encoding: number, value: number): void {
    const at = this.#at + (offsetOf(encoding) >> 2)
    this.#unsigned[at] = value
    this.#unsigned[at + 1] = value < 0x1_0000_0000 ? 0 : Math.floor(value / 0x1_0000_0000)
  }
  /** All 64 bits, unsigned. */
  get64(encoding: number): bigint {
    const at = this.#at + (offsetOf(encoding) >> 2)
    return (BigInt(this.#unsigned[at + 1]!) << 32n) | BigInt(this.#unsigned[at]!)
  }
  set64(encoding: number, value: bigint): void {
    const at = this.#at + (offsetOf(encoding) >> 2)
    this.#unsigned[at] = Number(value & 0xffff_ffffn)
    this.#unsigned[at + 1] = Number((value >> 32n) & 0xffff_ffffn)
  }

  /** VMREAD: a field, or the high half of one, unsigned; undefined for an encoding that means nothing. */
  read(encoding: number): bigint | undefined {
    if (offsetOf(encoding) === 0) return undefined
    const value = this.get64(encoding)
    return isHighHalf(encoding) ? value >> 32n : value
  }
  /** VMWRITE: the same; what a field has no bits for is lost. The kind of the field is the caller's to look at. */
  write(encoding: number, value: bigint): void {
    const width = widthOf(encoding)
    if (isHighHalf(encoding)) this.set64(encoding, (this.get64(encoding) & 0xffff_ffffn) | (value << 32n))
    else this.set64(encoding, BigInt.asUintN(width, value))
  }
}
