/**
 * A 128-bit value as lanes: a `Uint8Array` of 16 bytes, lane 0 first, little-endian. Values are never written to once made;
 * every result is fresh.
 */
import type { Shape } from './ops.ts'

/** A value of the immediate evaluator: i32 (signed), i64 (signed) or v128. */
export type SimdValue = number | bigint | Uint8Array

/** 16 bytes. */
export type Vector = Uint8Array
/** What typed arrays have in common. */
export interface Lanes<T> {
  readonly length: number
  [lane: number]: T
}
/** The lanes of a value, to read; of a fresh one, to write. */
export type View<T> = (value: Vector) => Lanes<T>

const start = (value: Vector): Vector => (value.byteOffset & 7 ? value.slice() : value)
const view = <T>(
  make: new (buffer: ArrayBufferLike, offset: number, length: number) => Lanes<T>,
  count: number,
): View<T> => {
  return (value) => {
    const aligned = start(value)
    return new make(aligned.buffer, aligned.byteOffset, count)
  }
}
/** Lanes by width and kind: signed, unsigned, floating-point. */
export const s8: View<number> = view(Int8Array, 16)
export const u8: View<number> = (value) => value
export const s16: View<number> = view(Int16Array, 8)
export const u16: View<number> = view(Uint16Array, 8)
export const s32: View<number> = view(Int32Array, 4)
export const u32: View<number> = view(Uint32Array, 4)
export const s64: View<bigint> = view(BigInt64Array, 2)
export const u64: View<bigint> = view(BigUint64Array, 2)
export const f32: View<number> = view(Float32Array, 4)
export const f64: View<number> = view(Float64Array, 2)

/** Integers of a shape, signed and unsigned. */
export const numbers: Readonly<
  Record<Exclude<Shape, 'i64x2'>, readonly [signed: View<number>, unsigned: View<number>]>
> = { i8x16: [s8, u8], i16x8: [s16, u16], i32x4: [s32, u32] }

/** `i8x16.shuffle`: byte `i` of the result is byte `lanes[i]` (0–31) of `a` followed by `b`. */
export function shuffle(a: Uint8Array, b: Uint8Array, lanes: readonly number[]): Uint8Array {
  const result = new Uint8Array(16)
  for (let i = 0; i < 16; i++) result[i] = lanes[i] < 16 ? a[lanes[i]] : b[lanes[i] - 16]
  return result
}

/** Every lane of `shape` the low bits of `value`: i64 (bigint) for `i64x2`, else i32 (number). */
export function splat(shape: Shape, value: number | bigint): Uint8Array {
  const result = new Uint8Array(16)
  if (shape === 'i64x2') s64(result)[0] = s64(result)[1] = value as bigint
  else {
    const lanes = numbers[shape][0](result)
    for (let i = 0; i < lanes.length; i++) lanes[i] = value as number
  }
  return result
}

/** Lane `lane` of `value`: bigint for `i64x2`, else a signed int32, lanes of 8 and 16 bits zero-extended unless `signed`. */
export function extractLane(shape: Shape, value: Uint8Array, lane: number, signed = false): number | bigint {
  if (shape === 'i64x2') return s64(value)[lane]
  if (shape === 'i32x4') return s32(value)[lane]
  return numbers[shape][signed ? 0 : 1](value)[lane]
}

/** `value` with lane `lane` replaced by the low bits of `laneValue` (bigint for `i64x2`, else number). */
export function replaceLane(shape: Shape, value: Uint8Array, lane: number, laneValue: number | bigint): Uint8Array {
  const result = value.slice()
  if (shape === 'i64x2') s64(result)[lane] = laneValue as bigint
  else numbers[shape][0](result)[lane] = laneValue as number
  return result
}
