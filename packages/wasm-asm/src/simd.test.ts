import { expect, test } from 'vitest'
import { instantiate } from '../test/instance.ts'
import { clamp, popcount, pseudoRandomBytes, roundHalfEven, truncSat } from '../test/reference.ts'
import { type FunctionBuilder, Lane, Load, LoadLane, ModuleBuilder, Op, Simd, Store, StoreLane } from './index.ts'

type Vector = Uint8Array<ArrayBuffer>
type Signature = 'v→v' | 'vv→v' | 'vvv→v' | 'v→i' | 'vi→v' | 's→v'
type Compute = (a: Vector, b: Vector, c: Vector, count: number) => Vector | number
interface Row {
  readonly signature: Signature
  readonly compute: Compute
  /** Lanes in which NaNs of any payload are alike. */
  readonly float?: 'f32' | 'f64'
}

/** Lanes of up to 32 bits, signed and unsigned. */
const INTEGERS = {
  i8x16: [Int8Array, Uint8Array, 8],
  i16x8: [Int16Array, Uint16Array, 16],
  i32x4: [Int32Array, Uint32Array, 32],
} as const
const LONG = [BigInt64Array, BigUint64Array] as const
const FLOATS = { f32x4: Float32Array, f64x2: Float64Array } as const

interface Lanes<N> {
  readonly buffer: ArrayBufferLike
  readonly length: number
  [lane: number]: N
}
interface LaneType<N> {
  new (length: number): Lanes<N>
  new (buffer: ArrayBuffer): Lanes<N>
  readonly BYTES_PER_ELEMENT: number
}

const lanes = <N>(type: LaneType<N>, vector: Vector): Lanes<N> => new type(vector.buffer)

/** A vector of the given lanes: what each holds follows from its number. */
function build<N>(type: LaneType<N>, lane: (i: number) => N): Vector {
  const result = new type(16 / type.BYTES_PER_ELEMENT)
  for (let i = 0; i < result.length; i++) result[i] = lane(i)
  return new Uint8Array(result.buffer as ArrayBuffer)
}

type Shape<N> = { from: LaneType<N>; float?: 'f32' | 'f64' }

const unary = <N>({ from, float }: Shape<N>, f: (x: N) => N): Row => ({
  signature: 'v→v',
  ...(float && { float }),
  compute: (a) => build(from, (i) => f(lanes(from, a)[i])),
})
const binary = <N>({ from, float }: Shape<N>, f: (x: N, y: N) => N): Row => ({
  signature: 'vv→v',
  ...(float && { float }),
  compute: (a, b) => build(from, (i) => f(lanes(from, a)[i], lanes(from, b)[i])),
})
/** `mask` is the type of the result's lanes: all ones where the relation holds. */
const compare = <N, M>(from: LaneType<N>, mask: LaneType<M>, ones: M, zero: M, f: (x: N, y: N) => boolean): Row => ({
  signature: 'vv→v',
  compute: (a, b) => build(mask, (i) => (f(lanes(from, a)[i], lanes(from, b)[i]) ? ones : zero)),
})
const shift = <N>(from: LaneType<N>, f: (x: N, count: number) => N): Row => ({
  signature: 'vi→v',
  compute: (a, _b, _c, count) => build(from, (i) => f(lanes(from, a)[i], count)),
})
const reduce = <N>(from: LaneType<N>, f: (all: readonly N[]) => number): Row => ({
  signature: 'v→i',
  compute: (a) => f(Array.from(lanes(from, a))),
})
/** A conversion: `f` gives the lane `i` of the result from all lanes of the operands. */
const convert = <N, M>(from: LaneType<N>, to: LaneType<M>, f: (x: Lanes<N>, i: number, y: Lanes<N>) => M): Row => ({
  signature: 'v→v',
  compute: (a, b) => build(to, (i) => f(lanes(from, a), i, lanes(from, b))),
})
const convert2 = <N, M>(...row: Parameters<typeof convert<N, M>>): Row => ({ ...convert(...row), signature: 'vv→v' })

const bitmask = (all: readonly (number | bigint)[]): number =>
  all.reduce<number>((mask, x, i) => (x < 0 ? mask | (1 << i) : mask), 0)
const allTrue = (all: readonly (number | bigint)[]): number => Number(all.every((x) => x !== 0 && x !== 0n))

function relations<N extends number | bigint, M>(
  signed: LaneType<N>,
  unsigned: LaneType<N>,
  mask: LaneType<M>,
  ones: M,
  zero: M,
): Record<string, Row> {
  const both = (name: string, f: (x: N, y: N) => boolean): [string, Row][] => [
    [`${name}S`, compare(signed, mask, ones, zero, f)],
    [`${name}U`, compare(unsigned, mask, ones, zero, f)],
  ]
  return Object.fromEntries([
    ['Eq', compare(signed, mask, ones, zero, (x, y) => x === y)],
    ['Ne', compare(signed, mask, ones, zero, (x, y) => x !== y)],
    ...both('Lt', (x, y) => x < y),
    ...both('Gt', (x, y) => x > y),
    ...both('Le', (x, y) => x <= y),
    ...both('Ge', (x, y) => x >= y),
  ])
}

function integer(shape: keyof typeof INTEGERS): Record<string, Row> {
  const [signed, unsigned, bits] = INTEGERS[shape]
  const s: Shape<number> = { from: signed }
  const u: Shape<number> = { from: unsigned }
  const half = 2 ** (bits - 1)
  const saturateS = (x: number): number => clamp(x, -half, half - 1)
  const saturateU = (x: number): number => clamp(x, 0, 2 * half - 1)
  return {
    ...relations<number, number>(signed, unsigned, signed, -1, 0),
    Splat: { signature: 's→v', compute: (a) => build<number>(signed, () => lanes<number>(signed, a)[0]) },
    Abs: unary(s, Math.abs),
    Neg: unary(s, (x) => -x),
    Popcnt: unary(u, (x) => popcount(BigInt(x))),
    AllTrue: reduce<number>(signed, allTrue),
    Bitmask: reduce<number>(signed, bitmask),
    Shl: shift<number>(signed, (x, n) => x << (n % bits)),
    ShrS: shift<number>(signed, (x, n) => x >> (n % bits)),
    ShrU: shift<number>(unsigned, (x, n) => x >>> (n % bits)),
    Add: binary(s, (x, y) => x + y),
    Sub: binary(s, (x, y) => x - y),
    Mul: binary(s, Math.imul),
    AddSatS: binary(s, (x, y) => saturateS(x + y)),
    AddSatU: binary(u, (x, y) => saturateU(x + y)),
    SubSatS: binary(s, (x, y) => saturateS(x - y)),
    SubSatU: binary(u, (x, y) => saturateU(x - y)),
    MinS: binary(s, Math.min),
    MinU: binary(u, Math.min),
    MaxS: binary(s, Math.max),
    MaxU: binary(u, Math.max),
    AvgrU: binary(u, (x, y) => (x + y + 1) >>> 1),
    Q15mulrSatS: binary(s, (x, y) => saturateS((x * y + 0x4000) >> 15)),
    DotI16x8S: convert2<number, number>(
      Int16Array,
      Int32Array,
      (x, i, y) => x[2 * i] * y[2 * i] + x[2 * i + 1] * y[2 * i + 1],
    ),
  }
}

/** Integers from those of half or twice the width. */
function resized(shape: 'i16x8' | 'i32x4', halfShape: 'i8x16' | 'i16x8'): [string, Row][] {
  const suffix = halfShape.toUpperCase().replace('X', 'x')
  const rows: [string, Row][] = []
  for (const sign of ['S', 'U'] as const) {
    const from = INTEGERS[halfShape][sign === 'S' ? 0 : 1] as LaneType<number>
    const to = INTEGERS[shape][0] as LaneType<number>
    const count = 16 / to.BYTES_PER_ELEMENT
    for (const [half, base] of [
      ['Low', 0],
      ['High', count],
    ] as const) {
      rows.push([`${shape}Extend${half}${suffix}${sign}`, convert(from, to, (x, i) => x[base + i])])
      rows.push([`${shape}Extmul${half}${suffix}${sign}`, convert2(from, to, (x, i, y) => x[base + i] * y[base + i])])
    }
    rows.push([`${shape}ExtaddPairwise${suffix}${sign}`, convert(from, to, (x, i) => x[2 * i] + x[2 * i + 1])])
    const [signed, unsigned, bits] = INTEGERS[halfShape]
    const [least, greatest] = sign === 'S' ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1]
    const narrow = convert2<number, number>(to, sign === 'S' ? signed : unsigned, (x, i, y) =>
      clamp(i < count ? x[i] : y[i - count], least, greatest),
    )
    rows.push([`${halfShape}Narrow${shape.toUpperCase().replace('X', 'x')}${sign}`, narrow])
  }
  return rows
}

function long(): Record<string, Row> {
  const [signed, unsigned] = LONG
  const s: Shape<bigint> = { from: signed }
  const rows: Record<string, Row> = {
    ...relations<bigint, bigint>(signed, unsigned, signed, -1n, 0n),
    Splat: { signature: 's→v', compute: (a) => build<bigint>(signed, () => lanes<bigint>(signed, a)[0]) },
    Abs: unary(s, (x) => (x < 0n ? -x : x)),
    Neg: unary(s, (x) => -x),
    AllTrue: reduce<bigint>(signed, allTrue),
    Bitmask: reduce<bigint>(signed, bitmask),
    Shl: shift<bigint>(signed, (x, n) => x << BigInt(n % 64)),
    ShrS: shift<bigint>(signed, (x, n) => x >> BigInt(n % 64)),
    ShrU: shift<bigint>(unsigned, (x, n) => x >> BigInt(n % 64)),
    Add: binary(s, (x, y) => x + y),
    Sub: binary(s, (x, y) => x - y),
    Mul: binary(s, (x, y) => x * y),
  }
  for (const [sign, from] of [
    ['S', Int32Array],
    ['U', Uint32Array],
  ] as const) {
    for (const [half, base] of [
      ['Low', 0],
      ['High', 2],
    ] as const) {
      rows[`Extend${half}I32x4${sign}`] = convert<number, bigint>(from, signed, (x, i) => BigInt(x[base + i]))
      rows[`Extmul${half}I32x4${sign}`] = convert2<number, bigint>(
        from,
        signed,
        (x, i, y) => BigInt(x[base + i]) * BigInt(y[base + i]),
      )
    }
  }
  return rows
}

function float(shape: keyof typeof FLOATS): Record<string, Row> {
  const from: LaneType<number> = FLOATS[shape]
  const f: Shape<number> = { from, float: shape === 'f32x4' ? 'f32' : 'f64' }
  const relation = (holds: (x: number, y: number) => boolean): Row =>
    shape === 'f32x4'
      ? compare<number, number>(from, Int32Array, -1, 0, holds)
      : compare<number, bigint>(from, BigInt64Array, -1n, 0n, holds)
  const sign = shape === 'f32x4' ? 3 : 7
  const bytewise = (change: (byte: number) => number): Row => ({
    signature: 'v→v',
    compute: (a) => a.map((byte, i) => (i % (sign + 1) === sign ? change(byte) : byte)),
  })
  return {
    Splat: { signature: 's→v', compute: (a) => build(Uint8Array as LaneType<number>, (i) => a[i % (sign + 1)]) },
    Eq: relation((x, y) => x === y),
    Ne: relation((x, y) => x !== y),
    Lt: relation((x, y) => x < y),
    Gt: relation((x, y) => x > y),
    Le: relation((x, y) => x <= y),
    Ge: relation((x, y) => x >= y),
    Abs: bytewise((byte) => byte & 0x7f),
    Neg: bytewise((byte) => byte ^ 0x80),
    Ceil: unary(f, Math.ceil),
    Floor: unary(f, Math.floor),
    Trunc: unary(f, Math.trunc),
    Nearest: unary(f, roundHalfEven),
    Sqrt: unary(f, Math.sqrt),
    Add: binary(f, (x, y) => x + y),
    Sub: binary(f, (x, y) => x - y),
    Mul: binary(f, (x, y) => x * y),
    Div: binary(f, (x, y) => x / y),
    Min: binary(f, Math.min),
    Max: binary(f, Math.max),
    Pmin: binary(f, (x, y) => [x, y][Number(y < x)]),
    Pmax: binary(f, (x, y) => [x, y][Number(x < y)]),
  }
}

const saturated =
  (sign: 'S' | 'U') =>
  (x: number): number => {
    const least = sign === 'S' ? -(1n << 31n) : 0n
    return Number(truncSat(x, least, least + (1n << 32n) - 1n))
  }
const conversions: Record<string, Row> = {
  f32x4ConvertI32x4S: convert<number, number>(Int32Array, Float32Array, (x, i) => x[i]),
  f32x4ConvertI32x4U: convert<number, number>(Uint32Array, Float32Array, (x, i) => x[i]),
  f64x2ConvertLowI32x4S: convert<number, number>(Int32Array, Float64Array, (x, i) => x[i]),
  f64x2ConvertLowI32x4U: convert<number, number>(Uint32Array, Float64Array, (x, i) => x[i]),
  f64x2PromoteLowF32x4: { ...convert<number, number>(Float32Array, Float64Array, (x, i) => x[i]), float: 'f64' },
  f32x4DemoteF64x2Zero: {
    ...convert<number, number>(Float64Array, Float32Array, (x, i) => (i < 2 ? x[i] : 0)),
    float: 'f32',
  },
  i32x4TruncSatF32x4S: convert<number, number>(Float32Array, Int32Array, (x, i) => saturated('S')(x[i])),
  i32x4TruncSatF32x4U: convert<number, number>(Float32Array, Uint32Array, (x, i) => saturated('U')(x[i])),
  i32x4TruncSatF64x2SZero: convert<number, number>(Float64Array, Int32Array, (x, i) =>
    i < 2 ? saturated('S')(x[i]) : 0,
  ),
  i32x4TruncSatF64x2UZero: convert<number, number>(Float64Array, Uint32Array, (x, i) =>
    i < 2 ? saturated('U')(x[i]) : 0,
  ),
}

const bytes: Shape<number> = { from: Uint8Array }
const bitwise: Record<string, Row> = {
  v128Not: unary(bytes, (x) => ~x),
  v128And: binary(bytes, (x, y) => x & y),
  v128Andnot: binary(bytes, (x, y) => x & ~y),
  v128Or: binary(bytes, (x, y) => x | y),
  v128Xor: binary(bytes, (x, y) => x ^ y),
  v128Bitselect: { signature: 'vvv→v', compute: (a, b, c) => a.map((x, i) => (x & c[i]) | (b[i] & ~c[i])) },
  v128AnyTrue: reduce<number>(Uint8Array, (all) => Number(all.some((x) => x !== 0))),
  i8x16Swizzle: { signature: 'vv→v', compute: (a, b) => b.map((from) => (from < 16 ? a[from] : 0)) },
}

const shaped = (shape: string, rows: Record<string, Row>): [string, Row][] =>
  Object.entries(rows).map(([suffix, row]) => [shape + suffix, row])
const known = Object.fromEntries([
  ...shaped('i8x16', integer('i8x16')),
  ...shaped('i16x8', integer('i16x8')),
  ...shaped('i32x4', integer('i32x4')),
  ...shaped('i64x2', long()),
  ...shaped('f32x4', float('f32x4')),
  ...shaped('f64x2', float('f64x2')),
  ...resized('i16x8', 'i8x16'),
  ...resized('i32x4', 'i16x8'),
  ...Object.entries(conversions),
  ...Object.entries(bitwise),
])

test('the tables hold the 236 instructions of the fixed-width set, and no opcode twice', () => {
  const vector = [Simd, Lane, LoadLane, StoreLane].flatMap((table) => Object.values<number>(table))
  const whole = [Load, Store].flatMap((table) => Object.values<number>(table)).filter((code) => code >> 8 === 0xfd)
  expect(vector.length + whole.length + ['v128.const', 'i8x16.shuffle'].length).toBe(236)
  const all = [Op, Load, Store, Simd, Lane, LoadLane, StoreLane].flatMap((table) => Object.values<number>(table))
  expect(new Set(all).size).toBe(all.length)
})

test('every vector instruction has its reference', () => {
  expect(Object.keys(Simd).filter((name) => known[name] === undefined)).toEqual([])
})

/** Where test modules find operands and leave results. */
const A = 0
const B = 16
const C = 32
const COUNT = 48
const RESULT = 64

interface Bench {
  readonly memory: Uint8Array
  readonly run: () => void
}

function bench(emit: (fn: FunctionBuilder) => void): Bench {
  const module = new ModuleBuilder()
  module.memory({ initial: 1 })
  module.exportMemory('memory')
  const fn = module.func([], [])
  emit(fn)
  module.exportFunction('run', fn.index)
  const exports = instantiate(module)
  return { memory: new Uint8Array((exports.memory as unknown as WebAssembly.Memory).buffer), run: exports.run }
}

const loadVector = (fn: FunctionBuilder, address: number): FunctionBuilder => fn.i32Const(address).load(Load.v128Load)
const SCALAR_LOADS: Record<string, Load> = { i64: Load.i64Load, f32: Load.f32Load, f64: Load.f64Load }

function emitRow(fn: FunctionBuilder, name: keyof typeof Simd, signature: Signature): void {
  fn.i32Const(RESULT)
  if (signature === 's→v') fn.i32Const(A).load(SCALAR_LOADS[name.slice(0, 3)] ?? Load.i32Load)
  else loadVector(fn, A)
  if (signature.startsWith('vv')) loadVector(fn, B)
  if (signature.startsWith('vvv')) loadVector(fn, C)
  if (signature.startsWith('vi')) fn.i32Const(COUNT).load(Load.i32Load)
  fn.simd(Simd[name]).store(signature === 'v→i' ? Store.i32Store : Store.v128Store)
}

const vectorOf = (...numbers: number[]): Vector => new Uint8Array(Float32Array.from(numbers).buffer)
const random = pseudoRandomBytes(512)
const OPERANDS: readonly Vector[] = [
  new Uint8Array(16),
  new Uint8Array(16).fill(0xff),
  new Uint8Array(16).fill(0x80),
  Uint8Array.from({ length: 16 }, (_, i) => (i % 2 === 0 ? 0 : 0x80)),
  Uint8Array.from({ length: 16 }, (_, i) => (i % 4 === 3 ? 0x80 : 0)),
  Uint8Array.from({ length: 16 }, (_, i) => (i % 8 === 7 ? 0x80 : 0)),
  Uint8Array.from({ length: 16 }, (_, i) => (i % 4 === 3 ? 0x7f : 0xff)),
  Uint8Array.from({ length: 16 }, (_, i) => 15 - i),
  vectorOf(1.5, -2.5, Number.NaN, -0),
  vectorOf(0.5, 3e9, -3e9, Number.POSITIVE_INFINITY),
  new Uint8Array(new Float64Array([2.5, -2147483649.5]).buffer),
  new Uint8Array(new Float64Array([Number.NaN, 4294967295.5]).buffer),
  new Uint8Array(new Float64Array([-0, 1e300]).buffer),
  ...Array.from({ length: 16 }, (_, i) => Uint8Array.from(random.subarray(16 * i, 16 * i + 16))),
  new Uint8Array(new Float64Array([0, 1]).buffer),
]

/** The lanes' bits, with every NaN made the same one. */
function canonical(vector: Vector, floats: Row['float']): string {
  if (floats === undefined) return vector.join()
  const [values, bits] = floats === 'f32' ? [Float32Array, Uint32Array] : [Float64Array, BigUint64Array]
  const raw = new bits(vector.buffer)
  return Array.from(new values(vector.buffer), (x, i) => (Number.isNaN(x) ? 'NaN' : String(raw[i]))).join()
}

test.each(Object.keys(Simd) as (keyof typeof Simd)[])('%s computes what the standard says', (name) => {
  const { signature, compute, float: floats } = known[name]
  const { memory, run } = bench((fn) => emitRow(fn, name, signature))
  const counts = signature === 'vi→v' ? [0, 1, 7, 8, 15, 31, 32, 63, 64] : [0]
  for (const a of OPERANDS) {
    for (const b of signature.startsWith('vv') ? OPERANDS : OPERANDS.slice(0, 1)) {
      for (const count of counts) {
        const c = OPERANDS[20]
        memory.set(a, A)
        memory.set(b, B)
        memory.set(c, C)
        memory[COUNT] = count
        run()
        const expected = compute(a, b, c, count)
        const got = Uint8Array.from(memory.subarray(RESULT, RESULT + 16))
        if (typeof expected === 'number') expect(new DataView(got.buffer).getInt32(0, true)).toBe(expected)
        else if (canonical(got, floats) !== canonical(expected, floats)) {
          expect.fail(`${name}(${a} | ${b} | ${count}) gives ${got}, not ${expected}`)
        }
      }
    }
  }
})

const [first, second] = [OPERANDS[15], OPERANDS[16]]

test.each(Object.entries(Lane))('%s reaches each lane', (name, code) => {
  const width = { i8: 1, i1: 2, i3: 4, i6: 8, f3: 4, f6: 8 }[name.slice(0, 2)] as number
  const scalar = width === 8 ? (name.startsWith('f') ? 'f64' : 'i64') : name.startsWith('f') ? 'f32' : 'i32'
  const loadOf = { i32: Load.i32Load, i64: Load.i64Load, f32: Load.f32Load, f64: Load.f64Load }[scalar]
  const storeOf = { i32: Store.i32Store, i64: Store.i64Store, f32: Store.f32Store, f64: Store.f64Store }[scalar]
  const replaces = name.includes('Replace')
  for (let lane = 0; lane < 16 / width; lane++) {
    const { memory, run } = bench((fn) => {
      loadVector(fn.i32Const(RESULT), A)
      if (replaces) fn.i32Const(B).load(loadOf)
      fn.lane(code, lane).store(replaces ? Store.v128Store : storeOf)
    })
    memory.set(first, A)
    memory.set(second, B)
    run()
    const source = [...first.subarray(lane * width, (lane + 1) * width)]
    const negative = name.endsWith('S') && source[width - 1] > 127
    const extended = source.concat(new Array(Math.max(4 - width, 0)).fill(negative ? 255 : 0))
    const replaced = [...first].map((byte, i) => (Math.floor(i / width) === lane ? second[i % width] : byte))
    const expected = replaces ? replaced : extended
    expect([...memory.subarray(RESULT, RESULT + expected.length)]).toEqual(expected)
  }
})

test.each(Object.entries(LoadLane))('%s loads into each lane', (name, code) => {
  const width = Number.parseInt(name.slice('v128Load'.length), 10) / 8
  for (let lane = 0; lane < 16 / width; lane++) {
    const { memory, run } = bench((fn) => {
      loadVector(fn.i32Const(RESULT).i32Const(0), A)
        .loadLane(code, lane, B + 1, 0)
        .store(Store.v128Store)
    })
    memory.set(first, A)
    memory.set(second, B)
    run()
    const expected = [...first].map((byte, i) => (Math.floor(i / width) === lane ? second[1 + (i % width)] : byte))
    expect([...memory.subarray(RESULT, RESULT + 16)]).toEqual(expected)
  }
})

test.each(Object.entries(StoreLane))('%s stores each lane', (name, code) => {
  const width = Number.parseInt(name.slice('v128Store'.length), 10) / 8
  for (let lane = 0; lane < 16 / width; lane++) {
    const { memory, run } = bench((fn) => loadVector(fn.i32Const(0), A).storeLane(code, lane, RESULT))
    memory.set(first, A)
    run()
    const expected = [...first.subarray(lane * width, (lane + 1) * width), ...new Array(16 - width).fill(0)]
    expect([...memory.subarray(RESULT, RESULT + 16)]).toEqual(expected)
  }
})

const half = (width: number, signed: boolean, i: number): number => {
  const [from, within] = [Math.floor(i / (2 * width)) * width, i % (2 * width)]
  return within < width ? first[from + within] : signed && first[from + width - 1] > 127 ? 255 : 0
}
const vectorLoads: Record<string, (i: number) => number> = {
  v128Load: (i) => first[i],
  v128Load8x8S: (i) => half(1, true, i),
  v128Load8x8U: (i) => half(1, false, i),
  v128Load16x4S: (i) => half(2, true, i),
  v128Load16x4U: (i) => half(2, false, i),
  v128Load32x2S: (i) => half(4, true, i),
  v128Load32x2U: (i) => half(4, false, i),
  v128Load8Splat: () => first[0],
  v128Load16Splat: (i) => first[i % 2],
  v128Load32Splat: (i) => first[i % 4],
  v128Load64Splat: (i) => first[i % 8],
  v128Load32Zero: (i) => (i < 4 ? first[i] : 0),
  v128Load64Zero: (i) => (i < 8 ? first[i] : 0),
}

test.each(Object.entries(Load).filter(([name]) => name.startsWith('v128')))('%s fills its lanes', (name, code) => {
  const { memory, run } = bench((fn) => fn.i32Const(RESULT).i32Const(0).load(code, A).store(Store.v128Store))
  memory.set(first, A)
  run()
  expect([...memory.subarray(RESULT, RESULT + 16)]).toEqual(Array.from({ length: 16 }, (_, i) => vectorLoads[name](i)))
})

test('shuffle picks bytes from both operands', () => {
  const picks = [31, 0, 16, 15, 1, 30, 2, 29, 3, 28, 4, 27, 5, 26, 6, 25]
  const { memory, run } = bench((fn) => {
    loadVector(loadVector(fn.i32Const(RESULT), A), B)
      .shuffle(picks)
      .store(Store.v128Store)
  })
  memory.set(first, A)
  memory.set(second, B)
  run()
  expect([...memory.subarray(RESULT, RESULT + 16)]).toEqual(picks.map((i) => [...first, ...second][i]))
})

test('vector constants are given as bytes or as four lanes of 32 bits', () => {
  const words = new Uint32Array(first.buffer)
  for (const emit of [
    (fn: FunctionBuilder) => fn.v128Const(first),
    (fn: FunctionBuilder) => fn.v128Bits(words[0], words[1], words[2], words[3]),
  ]) {
    const { memory, run } = bench((fn) => emit(fn.i32Const(RESULT)).store(Store.v128Store))
    run()
    expect([...memory.subarray(RESULT, RESULT + 16)]).toEqual([...first])
  }
})
