import { describe, expect, it } from 'vitest'
import { divideU128, mulHighU } from '../semantics/integer/multiply.ts'
import { Evaluator, type Value } from './evaluate.ts'
import type { Ops, Routine, ValueType } from './ops.ts'
import { RoutineLibrary } from './routines.ts'

const memory = new Uint8Array(64)
const evaluator = new Evaluator({ view: new DataView(memory.buffer), u8: memory }, 0)

let seed = 12345
const random32 = (): number => {
  seed = (Math.imul(seed ^ (seed >>> 15), 0x2c1b3c6d) + 0x9e3779b9) | 0
  return seed ^ (seed >>> 13)
}
const edges32 = [0, 1, -1, 0x7fffffff, -0x80000000, 15, 16, 31, 32, 255]
const edges64 = [0n, 1n, -1n, 0x7fffffffffffffffn, -0x8000000000000000n, 63n, 64n, 0xffffffffn, 0x100000000n]
const pick = (type: ValueType): number | bigint => {
  const edge = random32() & 1
  if (type === 'i32') return edge ? edges32[(random32() >>> 0) % edges32.length]! : random32()
  if (edge) return edges64[(random32() >>> 0) % edges64.length]!
  return BigInt.asIntN(64, (BigInt(random32()) << 32n) | BigInt(random32() >>> 0))
}

/** Evaluate and run as WebAssembly; both must agree on every input. */
function agree(routine: Routine, rounds = 300, usable: (args: (number | bigint)[]) => boolean = () => true): void {
  const library = new RoutineLibrary()
  library.require([routine])
  const compiled = library.functions[routine.name] as (...args: (number | bigint)[]) => unknown
  for (let i = 0; i < rounds; i++) {
    const args = routine.params.map(pick)
    if (!usable(args)) continue
    const expected = routine.body(evaluator as Ops<Value>, ...args)
    const result = compiled(...args)
    expect(routine.results.length === 1 ? [result] : result, `${routine.name}(${args.join(', ')})`).toEqual([
      ...expected,
    ])
  }
}

type Binary = 'add' | 'sub' | 'mul' | 'and' | 'or' | 'xor' | 'shl' | 'shr' | 'sar' | 'rotl' | 'rotr'
type Compare = 'eq' | 'ne' | 'ltU' | 'ltS' | 'leU' | 'leS' | 'gtU' | 'gtS' | 'geU' | 'geS'

describe('emitted and evaluated operations agree', () => {
  const binary: Binary[] = ['add', 'sub', 'mul', 'and', 'or', 'xor', 'shl', 'shr', 'sar', 'rotl', 'rotr']
  const compare: Compare[] = ['eq', 'ne', 'ltU', 'ltS', 'leU', 'leS', 'gtU', 'gtS', 'geU', 'geS']
  for (const type of ['i32', 'i64'] as const) {
    for (const name of binary)
      it(`${type}.${name}`, () =>
        agree({ name, params: [type, type], results: [type], body: (o, a, b) => [o[name](a, b)] }))
    for (const name of compare)
      it(`${type}.${name}`, () =>
        agree({ name, params: [type, type], results: ['i32'], body: (o, a, b) => [o[name](a, b)] }))
    for (const name of ['clz', 'ctz', 'popcnt'] as const)
      it(`${type}.${name}`, () => agree({ name, params: [type], results: [type], body: (o, a) => [o[name](a)] }))
    for (const name of ['divU', 'remU', 'divS', 'remS'] as const)
      it(`${type}.${name}`, () =>
        agree(
          { name, params: [type, type], results: [type], body: (o, a, b) => [o[name](a, b)] },
          300,
          ([a, b]) =>
            b !== 0 && b !== 0n && !((b === -1 || b === -1n) && (a === -0x80000000 || a === -0x8000000000000000n)),
        ))
    for (const bits of type === 'i32' ? [8, 16] : [8, 16, 32]) {
      it(`${type}.signExtend${bits}`, () =>
        agree({ name: 'sx', params: [type], results: [type], body: (o, a) => [o.signExtend(a, bits)] }))
      it(`${type}.zeroExtend${bits}`, () =>
        agree({ name: 'zx', params: [type], results: [type], body: (o, a) => [o.zeroExtend(a, bits)] }))
    }
  }
  it('conversions', () => {
    agree({ name: 'wrap', params: ['i64'], results: ['i32'], body: (o, a) => [o.wrap(a)] })
    agree({ name: 'xs', params: ['i32'], results: ['i64'], body: (o, a) => [o.extendS(a)] })
    agree({ name: 'xu', params: ['i32'], results: ['i64'], body: (o, a) => [o.extendU(a)] })
  })
  it('a variable keeps the value it had when it was read', () => {
    agree({
      name: 'swap',
      params: ['i32', 'i32'],
      results: ['i32', 'i32'],
      body: (o, a, b) => {
        const x = o.variable(a)
        const before = o.get(x)
        o.if(
          o.ltS(a, b),
          () => o.set(x, b),
          () => o.set(x, o.add(b, o.i32(1))),
        )
        return [before, o.get(x)]
      },
    })
  })
  it('64 × 64 → 128 and 128 ÷ 64', () => {
    agree(mulHighU)
    agree(
      divideU128,
      300,
      ([high, , divisor]) => BigInt.asUintN(64, high as bigint) < BigInt.asUintN(64, divisor as bigint),
    )
    const [q, r] = divideU128.body(evaluator as Ops<Value>, 5n, 7n, 100n) as bigint[]
    const dividend = (5n << 64n) + 7n
    expect([BigInt.asUintN(64, q!), r]).toEqual([dividend / 100n, dividend % 100n])
    expect(mulHighU.body(evaluator as Ops<Value>, -1n, -1n)).toEqual([-2n])
  })
})
