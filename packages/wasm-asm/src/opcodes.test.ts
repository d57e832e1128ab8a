import { expect, test } from 'vitest'
import { instantiate } from '../test/instance.ts'
import { bigintToF32, popcount, pseudoRandomBytes, roundHalfEven, truncSat } from '../test/reference.ts'
import { Load, ModuleBuilder, Op, Store, type ValueType } from './index.ts'

type Value = number | bigint
type Scalar = Exclude<ValueType, 'v128'>
// biome-ignore lint/suspicious/noExplicitAny: each function takes the operands that its own row says
type Row = readonly [params: readonly Scalar[], result: Scalar, compute: (...operands: any[]) => Value | boolean]

const OPERANDS: Record<Scalar, readonly Value[]> = {
  i32: [0, 1, -1, 2, 7, 31, 32, 33, 63, 127, 128, 255, 32767, 32768, 0x12345678, -0x12345678, 2 ** 31 - 1, -(2 ** 31)],
  i64: [
    0n,
    1n,
    -1n,
    3n,
    63n,
    64n,
    65n,
    128n,
    32768n,
    0x80000000n,
    0xffffffffn,
    (1n << 53n) + 1n,
    0x123456789abcdef0n,
  ].concat([-0x123456789abcdef0n, (1n << 62n) + (1n << 38n) + 1n, (1n << 63n) - 1n, -(1n << 63n)]),
  f32: [
    0,
    -0,
    0.5,
    -0.5,
    1,
    1.5,
    2.5,
    -2.5,
    -3.7,
    2 ** 24 + 2,
    2 ** 31,
    -(2 ** 31),
    2 ** 32,
    2 ** 63,
    -(2 ** 63),
    1e-45,
  ]
    .concat([2 ** 64, 3.4e38, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN])
    .map(Math.fround),
  f64: [
    0,
    -0,
    0.5,
    -0.5,
    1,
    1.5,
    2.5,
    -2.5,
    -3.7,
    -0.99,
    2 ** 31 - 0.5,
    -(2 ** 31) - 0.5,
    2 ** 32 - 0.5,
    2 ** 32,
    1e-320,
  ]
    .concat([2 ** 53 - 1, 2 ** 63 - 1024, 2 ** 63, -(2 ** 63), 2 ** 64, Number.MAX_VALUE, 1.1754943508222875e-38])
    .concat([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN]),
}

const BITS = { i32: 32, i64: 64 } as const
const trap = (why: string): never => {
  throw new RangeError(why)
}

/** Rows of an integer type; all is computed on bigints. */
function integer<T extends 'i32' | 'i64'>(type: T): Record<string, Row> {
  const bits = BITS[type]
  const u = (x: Value): bigint => BigInt.asUintN(bits, BigInt(x))
  const s = (x: Value): bigint => BigInt.asIntN(bits, BigInt(x))
  const back = (x: bigint): Value => (type === 'i32' ? Number(BigInt.asIntN(32, x)) : BigInt.asIntN(64, x))
  const unary = (f: (x: bigint) => bigint): Row => [[type], type, (x: Value) => back(f(u(x)))]
  const binary = (view: (x: Value) => bigint, f: (x: bigint, y: bigint) => bigint): Row => [
    [type, type],
    type,
    (x: Value, y: Value) => back(f(view(x), view(y))),
  ]
  const compare = (view: (x: Value) => bigint, f: (x: bigint, y: bigint) => boolean): Row => [
    [type, type],
    'i32',
    (x: Value, y: Value) => f(view(x), view(y)),
  ]
  const count = (y: bigint): bigint => y % BigInt(bits)
  const padded = (x: bigint): string => x.toString(2).padStart(bits, '0')
  const rotate = (x: bigint, by: bigint): bigint => (x << by) | (x >> (BigInt(bits) - by))
  const divide = (x: bigint, y: bigint): bigint => (y === 0n ? trap('zero') : x / y)
  const remainder = (x: bigint, y: bigint): bigint => (y === 0n ? trap('zero') : x % y)
  const rows: Record<string, Row> = {
    Eqz: [[type], 'i32', (x: Value) => u(x) === 0n],
    Eq: compare(u, (x, y) => x === y),
    Ne: compare(u, (x, y) => x !== y),
    LtS: compare(s, (x, y) => x < y),
    LtU: compare(u, (x, y) => x < y),
    GtS: compare(s, (x, y) => x > y),
    GtU: compare(u, (x, y) => x > y),
    LeS: compare(s, (x, y) => x <= y),
    LeU: compare(u, (x, y) => x <= y),
    GeS: compare(s, (x, y) => x >= y),
    GeU: compare(u, (x, y) => x >= y),
    Clz: unary((x) =>
      BigInt(
        padded(x)
          .padEnd(bits + 1, '1')
          .indexOf('1'),
      ),
    ),
    Ctz: unary((x) => BigInt([...padded(x)].reverse().concat('1').indexOf('1'))),
    Popcnt: unary((x) => BigInt(popcount(x))),
    Add: binary(u, (x, y) => x + y),
    Sub: binary(u, (x, y) => x - y),
    Mul: binary(u, (x, y) => x * y),
    DivS: binary(s, (x, y) => (y === -1n && x === -(1n << BigInt(bits - 1)) ? trap('overflow') : divide(x, y))),
    DivU: binary(u, divide),
    RemS: binary(s, remainder),
    RemU: binary(u, remainder),
    And: binary(u, (x, y) => x & y),
    Or: binary(u, (x, y) => x | y),
    Xor: binary(u, (x, y) => x ^ y),
    Shl: binary(u, (x, y) => x << count(y)),
    ShrU: binary(u, (x, y) => x >> count(y)),
    ShrS: [[type, type], type, (x: Value, y: Value) => back(s(x) >> count(u(y)))],
    Rotl: binary(u, (x, y) => rotate(x, count(y))),
    Rotr: binary(u, (x, y) => rotate(x, count(BigInt(bits) - count(y)))),
    Extend8S: unary((x) => BigInt.asIntN(8, x)),
    Extend16S: unary((x) => BigInt.asIntN(16, x)),
  }
  for (const from of ['F32', 'F64'] as const) {
    for (const sign of ['S', 'U'] as const) {
      const least = sign === 'S' ? -(1n << BigInt(bits - 1)) : 0n
      const greatest = least + (1n << BigInt(bits)) - 1n
      const source = from === 'F32' ? 'f32' : 'f64'
      rows[`TruncSat${from}${sign}`] = [[source], type, (x: number) => back(truncSat(x, least, greatest))]
      rows[`Trunc${from}${sign}`] = [
        [source],
        type,
        (x: number) => {
          if (!Number.isFinite(x)) return trap('no integer')
          const whole = BigInt(Math.trunc(x))
          return whole < least || whole > greatest ? trap('overflow') : back(whole)
        },
      ]
    }
  }
  return rows
}

/** Rows of a floating-point type: double precision, rounded once. */
function float(type: 'f32' | 'f64'): Record<string, Row> {
  const round = type === 'f32' ? Math.fround : (x: number): number => x
  const unary = (f: (x: number) => number): Row => [[type], type, (x: number) => round(f(x))]
  const binary = (f: (x: number, y: number) => number): Row => [
    [type, type],
    type,
    (x: number, y: number) => round(f(x, y)),
  ]
  const compare = (f: (x: number, y: number) => boolean): Row => [[type, type], 'i32', f]
  const negative = (x: number): boolean => x < 0 || Object.is(x, -0)
  return {
    Eq: compare((x, y) => x === y),
    Ne: compare((x, y) => x !== y),
    Lt: compare((x, y) => x < y),
    Gt: compare((x, y) => x > y),
    Le: compare((x, y) => x <= y),
    Ge: compare((x, y) => x >= y),
    Abs: unary(Math.abs),
    Neg: unary((x) => -x),
    Ceil: unary(Math.ceil),
    Floor: unary(Math.floor),
    Trunc: unary(Math.trunc),
    Nearest: unary(roundHalfEven),
    Sqrt: unary(Math.sqrt),
    Add: binary((x, y) => x + y),
    Sub: binary((x, y) => x - y),
    Mul: binary((x, y) => x * y),
    Div: binary((x, y) => x / y),
    Min: binary(Math.min),
    Max: binary(Math.max),
    Copysign: binary((x, y) => (negative(x) === negative(y) ? x : -x)),
    ConvertI32S: [['i32'], type, round],
    ConvertI32U: [['i32'], type, (x: number) => round(x >>> 0)],
    ConvertI64S: [['i64'], type, (x: bigint) => (type === 'f32' ? bigintToF32(x) : Number(x))],
    ConvertI64U: [
      ['i64'],
      type,
      (x: bigint) => {
        const unsigned = BigInt.asUintN(64, x)
        return type === 'f32' ? bigintToF32(unsigned) : Number(unsigned)
      },
    ],
  }
}

const named = (type: Scalar, rows: Record<string, Row>): [string, Row][] =>
  Object.entries(rows).map(([suffix, row]) => [type + suffix, row])
const bits = new DataView(new ArrayBuffer(8))

const reference: Record<string, Row> = Object.fromEntries([
  ...named('i32', integer('i32')),
  ...named('i64', integer('i64')),
  ...named('f32', float('f32')),
  ...named('f64', float('f64')),
  ['i64Extend32S', [['i64'], 'i64', (x: bigint) => BigInt.asIntN(32, x)]],
  ['i32WrapI64', [['i64'], 'i32', (x: bigint) => Number(BigInt.asIntN(32, x))]],
  ['i64ExtendI32S', [['i32'], 'i64', (x: number) => BigInt(x)]],
  ['i64ExtendI32U', [['i32'], 'i64', (x: number) => BigInt(x >>> 0)]],
  ['f32DemoteF64', [['f64'], 'f32', Math.fround]],
  ['f64PromoteF32', [['f32'], 'f64', (x: number) => x]],
  ['i32ReinterpretF32', [['f32'], 'i32', (x: number) => (bits.setFloat32(0, x), bits.getInt32(0))]],
  ['i64ReinterpretF64', [['f64'], 'i64', (x: number) => (bits.setFloat64(0, x), bits.getBigInt64(0))]],
  ['f32ReinterpretI32', [['i32'], 'f32', (x: number) => (bits.setInt32(0, x), bits.getFloat32(0))]],
  ['f64ReinterpretI64', [['i64'], 'f64', (x: bigint) => (bits.setBigInt64(0, x), bits.getFloat64(0))]],
] as [string, Row][])

const operations = Object.entries(Op)

test('every numeric instruction has its reference, and no other', () => {
  expect(Object.keys(reference).sort()).toEqual(Object.keys(Op).sort())
})

const module = new ModuleBuilder()
for (const [name, code] of operations) {
  const [params, result] = reference[name]
  const fn = module.func(params, [result])
  for (const i of params.keys()) fn.localGet(i)
  fn.op(code)
  module.exportFunction(name, fn.index)
}
const run = instantiate(module)

const outcome = (compute: () => unknown): unknown => {
  try {
    const value = compute()
    return typeof value === 'boolean' ? Number(value) : value
  } catch (error) {
    if (error instanceof RangeError || error instanceof WebAssembly.RuntimeError) return 'trap'
    throw error
  }
}

test.each(operations.map(([name]) => name))('%s computes what the standard says', (name) => {
  const [params, , compute] = reference[name]
  for (const x of OPERANDS[params[0]]) {
    for (const y of params.length > 1 ? OPERANDS[params[1]] : [0]) {
      const operands = params.length > 1 ? [x, y] : [x]
      const got = outcome(() => run[name](...operands))
      const expected = outcome(() => compute(...operands))
      if (!Object.is(got, expected)) expect.fail(`${name}(${operands.join(', ')}) gives ${got}, not ${expected}`)
    }
  }
})

const OFFSET = 70_000
const content = pseudoRandomBytes(64)

type Reader = (at: number) => Value
const view = new DataView(content.buffer)
const readers: Record<string, Reader> = {
  i32Load: (at) => view.getInt32(at, true),
  i64Load: (at) => view.getBigInt64(at, true),
  f32Load: (at) => view.getFloat32(at, true),
  f64Load: (at) => view.getFloat64(at, true),
  i32Load8S: (at) => view.getInt8(at),
  i32Load8U: (at) => view.getUint8(at),
  i32Load16S: (at) => view.getInt16(at, true),
  i32Load16U: (at) => view.getUint16(at, true),
  i64Load8S: (at) => BigInt(view.getInt8(at)),
  i64Load8U: (at) => BigInt(view.getUint8(at)),
  i64Load16S: (at) => BigInt(view.getInt16(at, true)),
  i64Load16U: (at) => BigInt(view.getUint16(at, true)),
  i64Load32S: (at) => BigInt(view.getInt32(at, true)),
  i64Load32U: (at) => BigInt(view.getUint32(at, true)),
}

const typeOf = (name: string): Scalar => name.slice(0, 3) as Scalar
const scalar = <T>(table: Record<string, T>): [string, T][] =>
  Object.entries(table).filter(([name]) => !name.startsWith('v128'))

test.each(scalar(Load))('%s reads at address plus offset', (name, code) => {
  const loads = new ModuleBuilder()
  loads.memory({ initial: 2 })
  loads.data(OFFSET, content)
  const fn = loads.func(['i32'], [typeOf(name)])
  fn.localGet(0).load(code, OFFSET, 0)
  loads.exportFunction('load', fn.index)
  const { load } = instantiate(loads)
  for (let at = 0; at < 56; at++) expect(load(at)).toBe(readers[name](at))
})

test.each(scalar(Store))('%s writes its low bytes at address plus offset', (name, code) => {
  const type = typeOf(name)
  const width = Number(/\d+$/.exec(name)?.[0] ?? type.slice(1)) / 8
  const stores = new ModuleBuilder()
  stores.memory({ initial: 2 })
  stores.exportMemory('memory')
  const fn = stores.func(['i32', type], [])
  fn.localGet(0).localGet(1).store(code, OFFSET)
  stores.exportFunction('store', fn.index)
  const exports = instantiate(stores)
  const memory = new Uint8Array((exports.memory as unknown as WebAssembly.Memory).buffer, OFFSET, 16)
  const value = { i32: 0x8899aabb | 0, i64: 0x8899aabbccddeeffn, f32: Math.fround(1.1), f64: 1.1 }[type]
  const expected = new DataView(new ArrayBuffer(8))
  if (type === 'i32') expected.setInt32(0, value as number, true)
  if (type === 'i64') expected.setBigInt64(0, value as bigint, true)
  if (type === 'f32') expected.setFloat32(0, value as number, true)
  if (type === 'f64') expected.setFloat64(0, value as number, true)
  exports.store(3, value)
  expect([...memory.subarray(3, 3 + width)]).toEqual([...new Uint8Array(expected.buffer, 0, width)])
  expect([...memory.subarray(0, 3), ...memory.subarray(3 + width)].every((byte) => byte === 0)).toBe(true)
})
