/**
 * Pushing and popping on a stack that may not be the current one yet: registers change only when all has gone well.
 * SDM vol. 1, 6.2.
 */
import { Seg } from '@vmexit/x86-decoder'
import { Layout, Vector } from '../state/layout.ts'
import { Gpr } from '../state/state.ts'
import type { Core } from './core.ts'
import {
  Attribute,
  attributesOf,
  baseOf,
  type Descriptor,
  dplOf,
  isPresent,
  isWritableData,
  limitOf,
  selectorError,
} from './descriptor.ts'
import { raise } from './fault.ts'
import { usesDescriptors } from './mode.ts'
import { withinLimit } from './segments.ts'

export class Stack {
  /** Stack pointer as it will be: unsigned, with the upper half that a 16-bit stack leaves alone; signed and canonical at 64 bits. */
  pointer: number
  /** Width of the stack pointer. */
  readonly bits: 16 | 32 | 64
  readonly #core: Core
  readonly #base: number
  readonly #limit: number
  readonly #attributes: number
  /** Error code of the #SS that an overflow raises: the new stack's selector while a switch to it is under way, else 0. */
  readonly #error: number
  readonly #user: boolean

  private constructor(
    core: Core,
    bits: 16 | 32 | 64,
    base: number,
    limit: number,
    attributes: number,
    error: number,
    pointer: number,
  ) {
    this.#core = core
    this.bits = bits
    this.#base = base
    this.#limit = limit
    this.#attributes = attributes
    this.#error = error
    this.#user = dplOf(attributes) === 3
    this.pointer = pointer
  }

  /** The stack that SS:ESP names now. */
  static current(core: Core): Stack {
    const { state } = core
    const attributes = state.attributes(Seg.ss)
    const bits = state.stackBits
    const pointer = bits === 64 ? Number(state.reg64(Gpr.sp)) : state.reg32(Gpr.sp) >>> 0
    return new Stack(
      core,
      bits,
      bits === 64 ? 0 : state.segBase(Seg.ss),
      state.segLimit(Seg.ss),
      attributes,
      0,
      pointer,
    )
  }

  /** A stack about to be switched to. On a 16-bit stack the upper half of ESP stays as it is. */
  static within(
    core: Core,
    descriptor: Descriptor,
    pointer: number,
    error: number = selectorError(descriptor.selector),
  ): Stack {
    const attributes = attributesOf(descriptor)
    const wide = (attributes & Attribute.big) !== 0
    const sp = wide ? pointer >>> 0 : ((core.state.reg32(Gpr.sp) & 0xffff_0000) | (pointer & 0xffff)) >>> 0
    return new Stack(core, wide ? 32 : 16, baseOf(descriptor), limitOf(descriptor), attributes, error, sp)
  }

  /** `pointer` moved by `by` bytes, wrapped to the stack's width. */
  moved(pointer: number, by: number): number {
    if (this.bits === 16) return ((pointer & 0xffff_0000) | ((pointer + by) & 0xffff)) >>> 0
    return this.bits === 32 ? (pointer + by) >>> 0 : pointer + by
  }

  /** Offset in the segment that a pointer stands for. */
  #offset(pointer: number): number {
    return this.bits === 16 ? pointer & 0xffff : pointer
  }

  #check(pointer: number, bytes: number, write: boolean): number {
    if (this.bits === 64) {
      if (pointer < -(2 ** 47) || pointer + bytes - 1 >= 2 ** 47) raise(Vector.SS, this.#error)
      return pointer
    }
    const offset = this.#offset(pointer)
    const usable =
      isPresent(this.#attributes) && (!write || isWritableData(this.#attributes) || !usesDescriptors(this.#core))
    if (!usable || !withinLimit(this.#attributes, this.#limit, offset, bytes)) raise(Vector.SS, this.#error)
    return (this.#base + offset) >>> 0
  }

  /** Alignment is checked at CPL 3 only, where the stack is the current one. */
  #checkAlignment(linear: number, bytes: number): void {
    if (this.#user && this.#core.state.get32(Layout.alignmentCheck) !== 0 && (linear & (bytes - 1)) !== 0)
      raise(Vector.AC, 0)
  }

  /** Is there room for `count` items of `bits`? @throws Fault #SS before anything is written. */
  reserve(bits: number, count: number): void {
    const bytes = bits >> 3
    let pointer = this.pointer
    for (let i = 0; i < count; i++) {
      pointer = this.moved(pointer, -bytes)
      this.#check(pointer, bytes, true)
    }
  }

  /** `bits` 16, 32 or 64; a value of 64 bits that does not fit a number comes as bigint. @throws Fault #SS, #PF, #AC. */
  push(bits: number, value: number | bigint): void {
    const bytes = bits >> 3
    const pointer = this.moved(this.pointer, -bytes)
    const linear = this.#check(pointer, bytes, true)
    this.#checkAlignment(linear, bytes)
    const memory = this.#core.linear
    if (bits === 16) memory.write16(linear, Number(value) & 0xffff, this.#user)
    else if (bits === 32) memory.write32(linear, Number(value) | 0, this.#user)
    else memory.write64(linear, BigInt(value), this.#user)
    this.pointer = pointer
  }

  /** Zero-extended; of 64 bits the low half. @throws Fault #SS, #PF, #AC. */
  pop(bits: number): number {
    const value = this.read(bits, 0)
    this.pointer = this.moved(this.pointer, bits >> 3)
    return value
  }

  /** What lies `distance` bytes above the top, zero-extended; of 64 bits the low half. @throws Fault #SS, #PF, #AC. */
  read(bits: number, distance: number): number {
    const linear = this.#check(this.moved(this.pointer, distance), bits >> 3, false)
    this.#checkAlignment(linear, bits >> 3)
    const memory = this.#core.linear
    if (bits === 16) return memory.read16(linear, this.#user)
    if (bits === 32) return memory.read32(linear, this.#user) >>> 0
    return Number(BigInt.asUintN(32, memory.read64(linear, this.#user)))
  }

  /** The 64 bits `distance` bytes above the top, signed. @throws Fault #SS, #PF, #AC. */
  read64(distance: number): bigint {
    const linear = this.#check(this.moved(this.pointer, distance), 8, false)
    this.#checkAlignment(linear, 8)
    return this.#core.linear.read64(linear, this.#user)
  }

  /** Could an item of `bits` be written at the pointer? @throws Fault #SS, #PF. */
  probe(bits: number): void {
    const bytes = bits >> 3
    this.#core.linear.probe(this.#check(this.pointer, bytes, true), bytes, true, this.#user)
  }

  /** Release `bytes` without reading them. */
  drop(bytes: number): void {
    this.pointer = this.moved(this.pointer, bytes)
  }

  /** Make the pointer the stack pointer. */
  commit(): void {
    const { state } = this.#core
    if (this.bits === 64) state.setReg64(Gpr.sp, BigInt(this.pointer))
    else state.setReg32(Gpr.sp, this.pointer)
  }
}
