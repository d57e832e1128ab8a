/**
 * Immediate evaluation of the abstract operations: i32 is a number (kept as int32), i64 a bigint (kept signed),
 * v128 a `Uint8Array` of 16 bytes that nobody changes. The second oracle: no code is generated anywhere.
 */
import type { Ops, Routine, Shape, SimdName, ValueType, Variable } from './ops.ts'
import { evaluateSimd, extractLane, replaceLane, shuffle, splat } from './simd.ts'

export type Value = number | bigint | Uint8Array

/** Views of the host memory that values are read from; the owner replaces them when the memory grows. */
export interface HostViews {
  readonly view: DataView
  readonly u8: Uint8Array
}

const M64 = 0xffff_ffff_ffff_ffffn
const s64 = (a: bigint): bigint => BigInt.asIntN(64, a)
const u64 = (a: bigint): bigint => a & M64
const bit = (a: boolean): number => (a ? 1 : 0)

/** Evaluates {@link Ops} on one CPU's state at `base`. */
export class Evaluator implements Ops<Value> {
  readonly host: HostViews
  readonly base: number

  constructor(host: HostViews, base: number) {
    this.host = host
    this.base = base
  }

  i32(value: number): Value {
    return value | 0
  }
  i64(value: bigint): Value {
    return s64(value)
  }
  let(value: Value): Value {
    return value
  }

  add(a: Value, b: Value): Value {
    return typeof a === 'number' ? (a + (b as number)) | 0 : s64((a as bigint) + (b as bigint))
  }
  sub(a: Value, b: Value): Value {
    return typeof a === 'number' ? (a - (b as number)) | 0 : s64((a as bigint) - (b as bigint))
  }
  mul(a: Value, b: Value): Value {
    return typeof a === 'number' ? Math.imul(a, b as number) : s64((a as bigint) * (b as bigint))
  }
  and(a: Value, b: Value): Value {
    return typeof a === 'number' ? a & (b as number) : (a as bigint) & (b as bigint)
  }
  or(a: Value, b: Value): Value {
    return typeof a === 'number' ? a | (b as number) : (a as bigint) | (b as bigint)
  }
  xor(a: Value, b: Value): Value {
    return typeof a === 'number' ? a ^ (b as number) : (a as bigint) ^ (b as bigint)
  }
  shl(a: Value, n: Value): Value {
    return typeof a === 'number' ? a << (n as number) : s64((a as bigint) << ((n as bigint) & 63n))
  }
  shr(a: Value, n: Value): Value {
    return typeof a === 'number' ? (a >>> (n as number)) | 0 : s64(u64(a as bigint) >> ((n as bigint) & 63n))
  }
  sar(a: Value, n: Value): Value {
    return typeof a === 'number' ? a >> (n as number) : (a as bigint) >> ((n as bigint) & 63n)
  }
  rotl(a: Value, n: Value): Value {
    if (typeof a === 'number') {
      const k = (n as number) & 31
      return k === 0 ? a : (a << k) | (a >>> (32 - k))
    }
    const k = (n as bigint) & 63n
    const x = u64(a as bigint)
    return s64((x << k) | (x >> (64n - k)))
  }
  rotr(a: Value, n: Value): Value {
    return typeof a === 'number' ? this.rotl(a, -(n as number) & 31) : this.rotl(a, -(n as bigint) & 63n)
  }
  divU(a: Value, b: Value): Value {
    return typeof a === 'number' ? ((a >>> 0) / ((b as number) >>> 0)) | 0 : s64(u64(a as bigint) / u64(b as bigint))
  }
  remU(a: Value, b: Value): Value {
    return typeof a === 'number' ? ((a >>> 0) % ((b as number) >>> 0)) | 0 : s64(u64(a as bigint) % u64(b as bigint))
  }
  divS(a: Value, b: Value): Value {
    return typeof a === 'number' ? (a / (b as number)) | 0 : s64((a as bigint) / (b as bigint))
  }
  remS(a: Value, b: Value): Value {
    return typeof a === 'number' ? (a % (b as number)) | 0 : s64((a as bigint) % (b as bigint))
  }
  clz(a: Value): Value {
    if (typeof a === 'number') return Math.clz32(a)
    const x = u64(a as bigint)
    const high = Number(x >> 32n)
    return BigInt(high ? Math.clz32(high) : 32 + Math.clz32(Number(x & 0xffffffffn)))
  }
  ctz(a: Value): Value {
    if (typeof a === 'number') return a === 0 ? 32 : 31 - Math.clz32(a & -a)
    const x = u64(a as bigint)
    if (x === 0n) return 64n
    const low = Number(x & 0xffffffffn) | 0
    const part = low !== 0 ? low : Number(x >> 32n) | 0
    return BigInt((low !== 0 ? 0 : 32) + 31 - Math.clz32(part & -part))
  }
  popcnt(a: Value): Value {
    if (typeof a === 'number') return popcount(a)
    const x = u64(a as bigint)
    return BigInt(popcount(Number(x & 0xffffffffn)) + popcount(Number(x >> 32n)))
  }

  eqz(a: Value): Value {
    return bit(typeof a === 'number' ? a === 0 : a === 0n)
  }
  eq(a: Value, b: Value): Value {
    return bit(a === b)
  }
  ne(a: Value, b: Value): Value {
    return bit(a !== b)
  }
  ltU(a: Value, b: Value): Value {
    return bit(typeof a === 'number' ? a >>> 0 < (b as number) >>> 0 : u64(a as bigint) < u64(b as bigint))
  }
  ltS(a: Value, b: Value): Value {
    return bit(a < b)
  }
  leU(a: Value, b: Value): Value {
    return bit(typeof a === 'number' ? a >>> 0 <= (b as number) >>> 0 : u64(a as bigint) <= u64(b as bigint))
  }
  leS(a: Value, b: Value): Value {
    return bit(a <= b)
  }
  gtU(a: Value, b: Value): Value {
    return this.ltU(b, a)
  }
  gtS(a: Value, b: Value): Value {
    return bit(a > b)
  }
  geU(a: Value, b: Value): Value {
    return this.leU(b, a)
  }
  geS(a: Value, b: Value): Value {
    return bit(a >= b)
  }

  wrap(a: Value): Value {
    return Number(BigInt.asIntN(32, a as bigint))
  }
  extendS(a: Value): Value {
    return BigInt(a as number)
  }
  extendU(a: Value): Value {
    return BigInt((a as number) >>> 0)
  }
  signExtend(a: Value, bits: number): Value {
    return typeof a === 'number' ? (a << (32 - bits)) >> (32 - bits) : BigInt.asIntN(bits, a as bigint)
  }
  zeroExtend(a: Value, bits: number): Value {
    return typeof a === 'number' ? (bits === 32 ? a : a & ((1 << bits) - 1)) : BigInt.asUintN(bits, a as bigint)
  }
  select(condition: Value, a: Value, b: Value): Value {
    return condition !== 0 ? a : b
  }

  if(condition: Value, then: () => void, otherwise?: () => void): void {
    if (condition !== 0) then()
    else if (otherwise) otherwise()
  }
  while(condition: () => Value, body: () => void): void {
    while (condition() !== 0) body()
  }
  variable(initial: Value): Variable<Value> {
    return { type: typeof initial === 'number' ? 'i32' : typeof initial === 'bigint' ? 'i64' : 'v128', value: initial }
  }
  get(variable: Variable<Value>): Value {
    return variable.value
  }
  set(variable: Variable<Value>, value: Value): void {
    variable.value = value
  }
  call(routine: Routine, ...args: Value[]): readonly Value[] {
    return routine.body(this as Ops<Value>, ...args)
  }

  peek(type: ValueType, address: Value, offset: number, bits: number, signed = false): Value {
    const at = (address as number) + offset
    const d = this.host.view
    if (type === 'v128') return this.host.u8.slice(at, at + 16)
    if (bits === 64) return d.getBigInt64(at, true)
    const v =
      bits === 32
        ? d.getInt32(at, true)
        : bits === 16
          ? signed
            ? d.getInt16(at, true)
            : d.getUint16(at, true)
          : signed
            ? d.getInt8(at)
            : d.getUint8(at)
    return type === 'i32' ? v : BigInt(signed ? v : v >>> 0)
  }
  poke(address: Value, offset: number, value: Value, bits: number): void {
    const at = (address as number) + offset
    const d = this.host.view
    if (bits === 128) this.host.u8.set(value as Uint8Array, at)
    else if (bits === 64) d.setBigInt64(at, value as bigint, true)
    else {
      const v = typeof value === 'number' ? value : Number(BigInt.asIntN(32, value as bigint))
      if (bits === 32) d.setInt32(at, v, true)
      else if (bits === 16) d.setInt16(at, v, true)
      else d.setInt8(at, v)
    }
  }
  state(): Value {
    return this.base
  }

  v128(low: bigint, high: bigint): Value {
    const out = new Uint8Array(16)
    const d = new DataView(out.buffer)
    d.setBigUint64(0, u64(low), true)
    d.setBigUint64(8, u64(high), true)
    return out
  }
  simd(name: SimdName, ...args: Value[]): Value {
    return evaluateSimd[name](...(args as never[])) as Value
  }
  shuffle(a: Value, b: Value, lanes: readonly number[]): Value {
    return shuffle(a as Uint8Array, b as Uint8Array, lanes)
  }
  splat(shape: Shape, value: Value): Value {
    return splat(shape, value as number | bigint)
  }
  extractLane(shape: Shape, value: Value, lane: number, signed = false): Value {
    return extractLane(shape, value as Uint8Array, lane, signed)
  }
  replaceLane(shape: Shape, value: Value, lane: number, laneValue: Value): Value {
    return replaceLane(shape, value as Uint8Array, lane, laneValue as number | bigint)
  }
}

function popcount(x: number): number {
  let v = x - ((x >>> 1) & 0x55555555)
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333)
  return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}
