/**
 * The vector instructions an instruction's meaning may be written in: their WebAssembly opcodes, and what they compute.
 * WebAssembly core specification, sections 4.3.4 (vector operations) and 5.4.8 (vector instructions).
 *
 * Rows of the table are `name: [opcode after the prefix FD, computation]`.
 */
import {
  f32,
  f64,
  type Lanes,
  numbers,
  type SimdValue,
  s8,
  s16,
  s32,
  s64,
  u8,
  u16,
  u32,
  u64,
  type Vector,
  type View,
} from './lanes.ts'
import type { SimdName } from './ops.ts'

export { extractLane, replaceLane, type SimdValue, shuffle, splat } from './lanes.ts'

/** What one vector instruction computes from its operands. */
export type SimdFunction = (...operands: SimdValue[]) => SimdValue

type Pair = (a: number, b: number) => number
type WidePair = (a: bigint, b: bigint) => bigint

const floats = { f32x4: [f32, s32], f64x2: [f64, s64] } as const

function each<A, R>(from: View<A>, to: View<R>, compute: (a: A) => R, first = 0): SimdFunction {
  return (a) => {
    const result = new Uint8Array(16)
    const x = from(a as Vector)
    const r = to(result)
    for (let i = 0; i < r.length && first + i < x.length; i++) r[i] = compute(x[first + i])
    return result
  }
}

function zip<A, R>(from: View<A>, to: View<R>, compute: (a: A, b: A) => R, first = 0): SimdFunction {
  return (a, b) => {
    const result = new Uint8Array(16)
    const x = from(a as Vector)
    const y = from(b as Vector)
    const r = to(result)
    for (let i = 0; i < r.length; i++) r[i] = compute(x[first + i], y[first + i])
    return result
  }
}

function compare<T>(from: View<T>, compute: (a: T, b: T) => boolean): SimdFunction {
  return (a, b) => {
    const result = new Uint8Array(16)
    const x = from(a as Vector)
    const y = from(b as Vector)
    const bytes = 16 / x.length
    for (let i = 0; i < x.length; i++) if (compute(x[i], y[i])) result.fill(255, i * bytes, (i + 1) * bytes)
    return result
  }
}

/** Of two lanes the first or, where `second` says so, the other: bits are copied, so that no NaN changes. */
function choose<T, B>(from: View<T>, bits: View<B>, second: (a: T, b: T) => boolean): SimdFunction {
  return (a, b) => {
    const result = new Uint8Array(16)
    const x = from(a as Vector)
    const y = from(b as Vector)
    const r = bits(result)
    for (let i = 0; i < x.length; i++) r[i] = bits((second(x[i], y[i]) ? b : a) as Vector)[i]
    return result
  }
}

const bytes1 = (compute: (a: number) => number): SimdFunction => each(u8, u8, compute)
const bytes2 = (compute: Pair): SimdFunction => zip(u8, u8, compute)

const clamp = (low: number, high: number, value: number): number => Math.min(Math.max(value, low), high)
const signed8 = (value: number): number => clamp(-128, 127, value)
const unsigned8 = (value: number): number => clamp(0, 255, value)
const signed16 = (value: number): number => clamp(-32768, 32767, value)
const unsigned16 = (value: number): number => clamp(0, 65535, value)
const signed32 = (value: number): number => clamp(-0x8000_0000, 0x7fff_ffff, Math.trunc(value) || 0)

const add: Pair = (a, b) => a + b
const sub: Pair = (a, b) => a - b
const mul: Pair = (a, b) => a * b
const div: Pair = (a, b) => a / b
const min: Pair = (a, b) => Math.min(a, b)
const max: Pair = (a, b) => Math.max(a, b)
const average: Pair = (a, b) => (a + b + 1) >>> 1
const wideAdd: WidePair = (a, b) => a + b
const wideSub: WidePair = (a, b) => a - b
const wideMul: WidePair = (a, b) => a * b
const same = (a: number): number => a
const wide = (a: number): bigint => BigInt(a)

const eq = <T>(a: T, b: T): boolean => a === b
const ne = <T>(a: T, b: T): boolean => a !== b
const lt = <T>(a: T, b: T): boolean => a < b
const gt = <T>(a: T, b: T): boolean => a > b
const le = <T>(a: T, b: T): boolean => a <= b
const ge = <T>(a: T, b: T): boolean => a >= b

/** The nearest integer, ties to even; −0 stays. `value` is a binary64, or a binary32 widened. */
function nearest(value: number): number {
  const magnitude = Math.abs(value)
  if (!(magnitude < 2 ** 52)) return value
  const rounded = magnitude + 2 ** 52 - 2 ** 52
  return value < 0 || Object.is(value, -0) ? -rounded : rounded
}

function shift(from: View<number>, bits: number, compute: Pair): SimdFunction {
  return (a, count) => each(from, from, (lane) => compute(lane, (count as number) & (bits - 1)))(a)
}

function wideShift(from: View<bigint>, compute: WidePair): SimdFunction {
  return (a, count) => each(from, from, (lane) => compute(lane, BigInt((count as number) & 63)))(a)
}

function bitmask<T>(from: View<T>, zero: T): SimdFunction {
  return (a) => {
    const x = from(a as Vector)
    let mask = 0
    for (let i = 0; i < x.length; i++) if (x[i] < zero) mask |= 1 << i
    return mask
  }
}

function allTrue<T>(from: View<T>, zero: T): SimdFunction {
  return (a) => {
    const x = from(a as Vector)
    for (let i = 0; i < x.length; i++) if (x[i] === zero) return 0
    return 1
  }
}

/** Two vectors of wide lanes into one of narrow ones. */
function narrow(from: View<number>, to: View<number>, saturate: (a: number) => number): SimdFunction {
  return (a, b) => {
    const result = new Uint8Array(16)
    const x = from(a as Vector)
    const y = from(b as Vector)
    const r = to(result)
    for (let i = 0; i < x.length; i++) {
      r[i] = saturate(x[i])
      r[x.length + i] = saturate(y[i])
    }
    return result
  }
}

/** Each wide lane computed from two neighbouring narrow ones, of one vector or of two. */
function pairwise(
  from: View<number>,
  to: View<number>,
  compute: (x: Lanes<number>, y: Lanes<number>, i: number) => number,
): SimdFunction {
  return (a, b = a) => {
    const result = new Uint8Array(16)
    const x = from(a as Vector)
    const y = from(b as Vector)
    const r = to(result)
    for (let i = 0; i < r.length; i++) r[i] = compute(x, y, 2 * i)
    return result
  }
}
const sumOfTwo = (x: Lanes<number>, _: Lanes<number>, i: number): number => x[i] + x[i + 1]
const dotOfTwo = (x: Lanes<number>, y: Lanes<number>, i: number): number => x[i] * y[i] + x[i + 1] * y[i + 1]

function swizzle(a: SimdValue, lanes: SimdValue): Vector {
  const result = new Uint8Array(16)
  const source = a as Vector
  const index = lanes as Vector
  for (let i = 0; i < 16; i++) result[i] = index[i] < 16 ? source[index[i]] : 0
  return result
}

function bitselect(a: SimdValue, b: SimdValue, mask: SimdValue): Vector {
  const result = new Uint8Array(16)
  const [x, y, m] = [a as Vector, b as Vector, mask as Vector]
  for (let i = 0; i < 16; i++) result[i] = (x[i] & m[i]) | (y[i] & ~m[i])
  return result
}

type Row = readonly [opcode: number, compute: SimdFunction]

/** Comparisons and what else the shapes of lanes up to 32 bits have in common, from the opcodes where each group starts. */
function integers<S extends keyof typeof numbers>(
  shape: S,
  comparisons: number,
  unary: number,
  arithmetic: number,
  bits: number,
) {
  const [s, u] = numbers[shape]
  const rows = {
    eq: [comparisons, compare(s, eq)],
    ne: [comparisons + 1, compare(s, ne)],
    lt_s: [comparisons + 2, compare(s, lt)],
    lt_u: [comparisons + 3, compare(u, lt)],
    gt_s: [comparisons + 4, compare(s, gt)],
    gt_u: [comparisons + 5, compare(u, gt)],
    le_s: [comparisons + 6, compare(s, le)],
    le_u: [comparisons + 7, compare(u, le)],
    ge_s: [comparisons + 8, compare(s, ge)],
    ge_u: [comparisons + 9, compare(u, ge)],
    abs: [unary, each(s, s, Math.abs)],
    neg: [unary + 1, each(s, s, (a) => -a)],
    all_true: [unary + 3, allTrue(s, 0)],
    bitmask: [unary + 4, bitmask(s, 0)],
    shl: [unary + 11, shift(s, bits, (a, count) => a << count)],
    shr_s: [unary + 12, shift(s, bits, (a, count) => a >> count)],
    shr_u: [unary + 13, shift(u, bits, (a, count) => a >>> count)],
    add: [unary + 14, zip(s, s, add)],
    sub: [unary + 17, zip(s, s, sub)],
    min_s: [arithmetic, zip(s, s, min)],
    min_u: [arithmetic + 1, zip(u, u, min)],
    max_s: [arithmetic + 2, zip(s, s, max)],
    max_u: [arithmetic + 3, zip(u, u, max)],
  } as const
  return prefixed(shape, rows)
}

function floating<S extends keyof typeof floats>(
  shape: S,
  comparisons: number,
  arithmetic: number,
  rounding: readonly [number, number],
) {
  const [f, bits] = floats[shape] as readonly [View<number>, View<number>]
  const rows = {
    eq: [comparisons, compare(f, eq)],
    ne: [comparisons + 1, compare(f, ne)],
    lt: [comparisons + 2, compare(f, lt)],
    gt: [comparisons + 3, compare(f, gt)],
    le: [comparisons + 4, compare(f, le)],
    ge: [comparisons + 5, compare(f, ge)],
    sqrt: [arithmetic + 3, each(f, f, Math.sqrt)],
    add: [arithmetic + 4, zip(f, f, add)],
    sub: [arithmetic + 5, zip(f, f, sub)],
    mul: [arithmetic + 6, zip(f, f, mul)],
    div: [arithmetic + 7, zip(f, f, div)],
    pmin: [arithmetic + 10, choose(f, bits, (a, b) => b < a)],
    pmax: [arithmetic + 11, choose(f, bits, (a, b) => a < b)],
    trunc: [rounding[0], each(f, f, Math.trunc)],
    nearest: [rounding[1], each(f, f, nearest)],
  } as const
  return prefixed(shape, rows)
}

type Prefixed<S extends string, R> = { readonly [K in keyof R as K extends string ? `${S}.${K}` : never]: Row }

function prefixed<S extends string, R extends Readonly<Record<string, Row>>>(shape: S, rows: R): Prefixed<S, R> {
  const named = Object.entries(rows).map(([name, row]) => [`${shape}.${name}`, row])
  return Object.fromEntries(named) as Prefixed<S, R>
}

const table: Readonly<Record<SimdName, Row>> = {
  'v128.not': [0x4d, bytes1((a) => ~a)],
  'v128.and': [0x4e, bytes2((a, b) => a & b)],
  'v128.andnot': [0x4f, bytes2((a, b) => a & ~b)],
  'v128.or': [0x50, bytes2((a, b) => a | b)],
  'v128.xor': [0x51, bytes2((a, b) => a ^ b)],
  'v128.bitselect': [0x52, bitselect],
  'v128.any_true': [0x53, (a) => Number((a as Vector).some((byte) => byte !== 0))],

  ...integers('i8x16', 0x23, 0x60, 0x76, 8),
  'i8x16.swizzle': [0x0e, swizzle],
  'i8x16.narrow_i16x8_s': [0x65, narrow(s16, s8, signed8)],
  'i8x16.narrow_i16x8_u': [0x66, narrow(s16, u8, unsigned8)],
  'i8x16.add_sat_s': [0x6f, zip(s8, s8, (a, b) => signed8(a + b))],
  'i8x16.add_sat_u': [0x70, zip(u8, u8, (a, b) => unsigned8(a + b))],
  'i8x16.sub_sat_s': [0x72, zip(s8, s8, (a, b) => signed8(a - b))],
  'i8x16.sub_sat_u': [0x73, zip(u8, u8, (a, b) => unsigned8(a - b))],
  'i8x16.avgr_u': [0x7b, zip(u8, u8, average)],

  ...integers('i16x8', 0x2d, 0x80, 0x96, 16),
  'i16x8.extadd_pairwise_i8x16_s': [0x7c, pairwise(s8, s16, sumOfTwo)],
  'i16x8.extadd_pairwise_i8x16_u': [0x7d, pairwise(u8, u16, sumOfTwo)],
  'i16x8.narrow_i32x4_s': [0x85, narrow(s32, s16, signed16)],
  'i16x8.narrow_i32x4_u': [0x86, narrow(s32, u16, unsigned16)],
  'i16x8.extend_low_i8x16_s': [0x87, each(s8, s16, same)],
  'i16x8.extend_high_i8x16_s': [0x88, each(s8, s16, same, 8)],
  'i16x8.extend_low_i8x16_u': [0x89, each(u8, u16, same)],
  'i16x8.extend_high_i8x16_u': [0x8a, each(u8, u16, same, 8)],
  'i16x8.add_sat_s': [0x8f, zip(s16, s16, (a, b) => signed16(a + b))],
  'i16x8.add_sat_u': [0x90, zip(u16, u16, (a, b) => unsigned16(a + b))],
  'i16x8.sub_sat_s': [0x92, zip(s16, s16, (a, b) => signed16(a - b))],
  'i16x8.sub_sat_u': [0x93, zip(u16, u16, (a, b) => unsigned16(a - b))],
  'i16x8.mul': [0x95, zip(s16, s16, mul)],
  'i16x8.avgr_u': [0x9b, zip(u16, u16, average)],
  'i16x8.extmul_low_i8x16_s': [0x9c, zip(s8, s16, mul)],
  'i16x8.extmul_high_i8x16_s': [0x9d, zip(s8, s16, mul, 8)],
  'i16x8.extmul_low_i8x16_u': [0x9e, zip(u8, u16, mul)],
  'i16x8.extmul_high_i8x16_u': [0x9f, zip(u8, u16, mul, 8)],

  ...integers('i32x4', 0x37, 0xa0, 0xb6, 32),
  'i32x4.extadd_pairwise_i16x8_s': [0x7e, pairwise(s16, s32, sumOfTwo)],
  'i32x4.extadd_pairwise_i16x8_u': [0x7f, pairwise(u16, u32, sumOfTwo)],
  'i32x4.extend_low_i16x8_s': [0xa7, each(s16, s32, same)],
  'i32x4.extend_high_i16x8_s': [0xa8, each(s16, s32, same, 4)],
  'i32x4.extend_low_i16x8_u': [0xa9, each(u16, u32, same)],
  'i32x4.extend_high_i16x8_u': [0xaa, each(u16, u32, same, 4)],
  'i32x4.mul': [0xb5, zip(s32, s32, Math.imul)],
  'i32x4.dot_i16x8_s': [0xba, pairwise(s16, s32, dotOfTwo)],
  'i32x4.extmul_low_i16x8_s': [0xbc, zip(s16, s32, mul)],
  'i32x4.extmul_high_i16x8_s': [0xbd, zip(s16, s32, mul, 4)],
  'i32x4.extmul_low_i16x8_u': [0xbe, zip(u16, u32, mul)],
  'i32x4.extmul_high_i16x8_u': [0xbf, zip(u16, u32, mul, 4)],
  'i32x4.trunc_sat_f32x4_s': [0xf8, each(f32, s32, signed32)],
  'i32x4.trunc_sat_f64x2_s_zero': [0xfc, each(f64, s32, signed32)],

  'i64x2.abs': [0xc0, each(s64, s64, (a) => (a < 0n ? -a : a))],
  'i64x2.neg': [0xc1, each(s64, s64, (a) => -a)],
  'i64x2.all_true': [0xc3, allTrue(s64, 0n)],
  'i64x2.bitmask': [0xc4, bitmask(s64, 0n)],
  'i64x2.extend_low_i32x4_s': [0xc7, each(s32, s64, wide)],
  'i64x2.extend_high_i32x4_s': [0xc8, each(s32, s64, wide, 2)],
  'i64x2.extend_low_i32x4_u': [0xc9, each(u32, u64, wide)],
  'i64x2.extend_high_i32x4_u': [0xca, each(u32, u64, wide, 2)],
  'i64x2.shl': [0xcb, wideShift(s64, (a, count) => a << count)],
  'i64x2.shr_s': [0xcc, wideShift(s64, (a, count) => a >> count)],
  'i64x2.shr_u': [0xcd, wideShift(u64, (a, count) => a >> count)],
  'i64x2.add': [0xce, zip(s64, s64, wideAdd)],
  'i64x2.sub': [0xd1, zip(s64, s64, wideSub)],
  'i64x2.mul': [0xd5, zip(s64, s64, wideMul)],
  'i64x2.eq': [0xd6, compare(s64, eq)],
  'i64x2.ne': [0xd7, compare(s64, ne)],
  'i64x2.lt_s': [0xd8, compare(s64, lt)],
  'i64x2.gt_s': [0xd9, compare(s64, gt)],
  'i64x2.le_s': [0xda, compare(s64, le)],
  'i64x2.ge_s': [0xdb, compare(s64, ge)],
  'i64x2.extmul_low_i32x4_s': [0xdc, zip(s32, s64, (a, b) => BigInt(a) * BigInt(b))],
  'i64x2.extmul_high_i32x4_s': [0xdd, zip(s32, s64, (a, b) => BigInt(a) * BigInt(b), 2)],
  'i64x2.extmul_low_i32x4_u': [0xde, zip(u32, u64, (a, b) => BigInt(a) * BigInt(b))],
  'i64x2.extmul_high_i32x4_u': [0xdf, zip(u32, u64, (a, b) => BigInt(a) * BigInt(b), 2)],

  ...floating('f32x4', 0x41, 0xe0, [0x69, 0x6a]),
  'f32x4.convert_i32x4_s': [0xfa, each(s32, f32, same)],
  'f32x4.demote_f64x2_zero': [0x5e, each(f64, f32, same)],

  ...floating('f64x2', 0x47, 0xec, [0x7a, 0x94]),
  'f64x2.convert_low_i32x4_s': [0xfe, each(s32, f64, same)],
  'f64x2.promote_low_f32x4': [0x5f, each(f32, f64, same)],
}

const column = <T>(select: (row: Row) => T): Readonly<Record<SimdName, T>> =>
  Object.fromEntries(Object.entries(table).map(([name, row]) => [name, select(row)])) as Record<SimdName, T>

/** Opcode of each instruction after the prefix FD, 0–255, as an unsigned LEB128 number of the binary format. */
export const simdOpcode: Readonly<Record<SimdName, number>> = column((row) => row[0])

/**
 * What each instruction computes. Operands and results by the instruction's type: v128 as `Uint8Array` of 16 bytes; shift
 * counts, `bitmask`, `any_true` and `all_true` as signed int32 numbers. Shift counts are taken modulo the lane's width.
 * Bits of a NaN that floating-point arithmetic or a conversion makes are not defined; `pmin` and `pmax` copy bits.
 */
export const evaluateSimd: Readonly<Record<SimdName, SimdFunction>> = column((row) => row[1])
