/**
 * Instructions that concern neither blocks nor locals, emitted as bytes (core specification, section 5.4). Nothing is
 * kept per instruction, and types of operands are left to the engine's validation.
 */
import type { CodeBuffer } from './code.ts'
import { WasmAsmError, type WasmAsmErrorCode } from './error.ts'
import { laneCount, naturalAlignment } from './immediates.ts'
import type { Load, Op, Store } from './opcodes.ts'
import type { Lane, LoadLane, Simd, StoreLane } from './simd.ts'
import {
  beginV128Const,
  type Owner,
  writeF32Bits,
  writeF32Const,
  writeF64Bits,
  writeF64Const,
  writeI32Const,
  writeI64Const,
  writeV128Const,
} from './value.ts'

/** Every method throws `WasmAsmError` with `immediate-out-of-range` for an immediate that the format cannot hold. */
export abstract class Instructions implements Owner {
  /** The function, as error messages name it. */
  abstract get owner(): string
  /** Where instructions go now. */
  protected abstract code: CodeBuffer

  // Values

  drop(): this {
    return this.byte(0x1a)
  }

  select(): this {
    return this.byte(0x1b)
  }

  /** -2^31 … 2^32-1; from 2^31 on it stands for the same 32 bits. */
  i32Const(value: number): this {
    writeI32Const(this.code, value, this)
    return this
  }

  /** A safe integer, or a bigint of -2^63 … 2^64-1; from 2^63 on it stands for the same 64 bits. */
  i64Const(value: number | bigint): this {
    writeI64Const(this.code, value, this)
    return this
  }

  /** Rounded to single precision. A NaN is the canonical one: `f32Bits` keeps a payload. */
  f32Const(value: number): this {
    writeF32Const(this.code, value)
    return this
  }

  /** A NaN is the canonical one: `f64Bits` keeps a payload. */
  f64Const(value: number): this {
    writeF64Const(this.code, value)
    return this
  }

  /** `f32.const` of 32 raw bits. */
  f32Bits(bits: number): this {
    writeF32Bits(this.code, bits)
    return this
  }

  /** `f64.const` of 64 raw bits: the low and the high 32. */
  f64Bits(low: number, high: number): this {
    writeF64Bits(this.code, low, high)
    return this
  }

  /** Sixteen bytes, the lowest lane first. */
  v128Const(bytes: Uint8Array): this {
    writeV128Const(this.code, bytes, this)
    return this
  }

  /** A `v128.const` of four lanes of 32 raw bits, the lowest first. */
  v128Bits(lane0: number, lane1: number, lane2: number, lane3: number): this {
    const code = this.code
    beginV128Const(code)
    code.fixed32(lane0)
    code.fixed32(lane1)
    code.fixed32(lane2)
    code.fixed32(lane3)
    return this
  }

  /** A numeric instruction. */
  op(code: Op): this {
    if (code > 0xff) this.code.prefixed(code)
    else this.code.u8(code)
    return this
  }

  /** A vector instruction without immediates. */
  simd(code: Simd): this {
    this.code.prefixed(code)
    return this
  }

  /** Extracts or replaces a lane. */
  lane(code: Lane, lane: number): this {
    this.code.prefixed(code)
    this.code.u8(this.checkedLane(lane, laneCount(code)))
    return this
  }

  /** `i8x16.shuffle`: for each byte of the result, 0 … 15 from the first operand, 16 … 31 from the second. */
  shuffle(lanes: ArrayLike<number>): this {
    if (lanes.length !== 16) throw this.outOfRange(`shuffle takes 16 lanes, not ${lanes.length}`)
    this.code.prefixed(0xfd_0d)
    for (let i = 0; i < 16; i++) this.code.u8(this.checkedLane(lanes[i], 32))
    return this
  }

  globalGet(index: number): this {
    return this.indexed(0x23, index)
  }

  globalSet(index: number): this {
    return this.indexed(0x24, index)
  }

  // Memory

  /**
   * Loads from the address on the stack plus `offset`. `align` is log2 of the bytes the address is promised to be a
   * multiple of: a promise about speed only, at most (and by default) the natural one.
   */
  load(code: Load, offset = 0, align: number = naturalAlignment(code)): this {
    return this.access(code, offset, align)
  }

  /** Stores; `offset` and `align` as for `load`. */
  store(code: Store, offset = 0, align: number = naturalAlignment(code)): this {
    return this.access(code, offset, align)
  }

  /** Loads one lane of the vector on the stack. */
  loadLane(code: LoadLane, lane: number, offset = 0, align: number = naturalAlignment(code)): this {
    return this.laneAccess(code, lane, offset, align)
  }

  /** Stores one lane of the vector on the stack. */
  storeLane(code: StoreLane, lane: number, offset = 0, align: number = naturalAlignment(code)): this {
    return this.laneAccess(code, lane, offset, align)
  }

  /** Size in pages of 64 KB. */
  memorySize(): this {
    return this.indexed(0x3f, 0)
  }

  /** Grows by as many pages as are on the stack; leaves the old size, or -1. */
  memoryGrow(): this {
    return this.indexed(0x40, 0)
  }

  /** Takes destination, source and byte count. */
  memoryCopy(): this {
    this.code.prefixed(0xfc_0a)
    this.code.u8(0)
    this.code.u8(0)
    return this
  }

  /** Takes destination, byte value and byte count. */
  memoryFill(): this {
    this.code.prefixed(0xfc_0b)
    this.code.u8(0)
    return this
  }

  // Calls

  return_(): this {
    return this.byte(0x0f)
  }

  unreachable(): this {
    return this.byte(0x00)
  }

  call(func: number): this {
    return this.indexed(0x10, func)
  }

  /** Calls the table's entry whose number is on the stack; `type` is an index from `ModuleBuilder.type`. */
  callIndirect(type: number, table = 0): this {
    this.indexed(0x11, type)
    this.code.u32(this.checkedIndex(table))
    return this
  }

  returnCall(func: number): this {
    return this.indexed(0x12, func)
  }

  returnCallIndirect(type: number, table = 0): this {
    this.indexed(0x13, type)
    this.code.u32(this.checkedIndex(table))
    return this
  }

  protected byte(code: number): this {
    this.code.u8(code)
    return this
  }

  protected indexed(code: number, index: number): this {
    this.code.indexed(code, this.checkedIndex(index))
    return this
  }

  private access(code: number, offset: number, align: number): this {
    const out = this.code
    if (offset >>> 0 !== offset) throw this.outOfRange(`an offset is an integer of 0 … 2^32-1, not ${offset}`)
    if (!(align >= 0 && align <= naturalAlignment(code))) {
      throw this.outOfRange(`the alignment (log2 of bytes) is 0 … ${naturalAlignment(code)} here, not ${align}`)
    }
    if (code > 0xff) out.prefixed(code)
    else out.u8(code)
    out.u8(align)
    out.u32(offset)
    return this
  }

  private laneAccess(code: number, lane: number, offset: number, align: number): this {
    this.access(code, offset, align)
    this.code.u8(this.checkedLane(lane, laneCount(code)))
    return this
  }

  protected checkedIndex(index: number): number {
    if (index >>> 0 !== index) throw this.outOfRange(`an index is an integer of 0 … 2^32-1, not ${index}`)
    return index
  }

  private checkedLane(lane: number, count: number): number {
    if (!(lane >= 0 && lane < count)) throw this.outOfRange(`a lane is 0 … ${count - 1} here, not ${lane}`)
    return lane
  }

  protected error(code: WasmAsmErrorCode, cause: string): WasmAsmError {
    return new WasmAsmError(code, this.owner, cause)
  }

  private outOfRange(cause: string): WasmAsmError {
    return this.error('immediate-out-of-range', cause)
  }
}
