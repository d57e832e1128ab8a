/** Value types and constant instructions (core specification, sections 5.3 and 5.4). */
import type { ByteWriter } from './bytes.ts'
import { WasmAsmError } from './error.ts'

/** A number or vector type. */
export type ValueType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128'

/** The byte that stands for each type in the binary format. */
export const TYPE_CODE: Readonly<Record<ValueType, number>> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b }

const I32_CONST = 0x41
const I64_CONST = 0x42
const F32_CONST = 0x43
const F64_CONST = 0x44
const V128_CONST = 0xfd_0c

const scratch = new DataView(new ArrayBuffer(8))

/** The function or module that a constant is for; asked for its name only when something is wrong. */
export interface Owner {
  readonly owner: string
}

function outOfRange(owner: Owner, instruction: string, value: unknown, range: string): WasmAsmError {
  return new WasmAsmError('immediate-out-of-range', owner.owner, `${instruction} takes ${range}, not ${String(value)}`)
}

/** `i32.const`; an unsigned value of 32 bits stands for the same bits. */
export function writeI32Const(out: ByteWriter, value: number, owner: Owner): void {
  const signed = value | 0
  if (signed !== value && value >>> 0 !== value)
    throw outOfRange(owner, 'i32.const', value, 'an integer of -2^31 … 2^32-1')
  out.u8(I32_CONST)
  out.s32(signed)
}

/** `i64.const` of a safe integer, or of a bigint of 64 bits, signed or unsigned. */
export function writeI64Const(out: ByteWriter, value: number | bigint, owner: Owner): void {
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value))
      throw outOfRange(owner, 'i64.const', value, 'a safe integer or a bigint of 64 bits')
    out.u8(I64_CONST)
    out.s64(value | 0, Math.floor(value / 0x1_0000_0000) | 0)
    return
  }
  if (BigInt.asIntN(64, value) !== value && BigInt.asUintN(64, value) !== value) {
    throw outOfRange(owner, 'i64.const', value, 'a bigint of -2^63 … 2^64-1')
  }
  out.u8(I64_CONST)
  out.s64(Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)))
}

/** `f32.const` of a number, rounded to single precision; every NaN is written as the canonical one. */
export function writeF32Const(out: ByteWriter, value: number): void {
  scratch.setFloat32(0, value)
  writeF32Bits(out, Number.isNaN(value) ? 0x7fc0_0000 : scratch.getInt32(0))
}

/** `f32.const` of 32 raw bits. */
export function writeF32Bits(out: ByteWriter, bits: number): void {
  out.u8(F32_CONST)
  out.fixed32(bits)
}

/** `f64.const` of a number; every NaN is written as the canonical one. */
export function writeF64Const(out: ByteWriter, value: number): void {
  scratch.setFloat64(0, value)
  const canonical = Number.isNaN(value)
  writeF64Bits(out, canonical ? 0 : scratch.getInt32(4), canonical ? 0x7ff8_0000 : scratch.getInt32(0))
}

/** `f64.const` of 64 raw bits in two halves. */
export function writeF64Bits(out: ByteWriter, low: number, high: number): void {
  out.u8(F64_CONST)
  out.fixed32(low)
  out.fixed32(high)
}

/** Opens a `v128.const`: sixteen bytes, the lowest lane first, are to follow. */
export function beginV128Const(out: ByteWriter): void {
  out.u8(V128_CONST >> 8)
  out.u8(V128_CONST & 0xff)
}

/** `v128.const` of sixteen bytes, the lowest lane first. */
export function writeV128Const(out: ByteWriter, bytes: Uint8Array, owner: Owner): void {
  if (bytes.length !== 16) throw outOfRange(owner, 'v128.const', `${bytes.length} bytes`, '16 bytes')
  beginV128Const(out)
  out.raw(bytes)
}
