/**
 * Every vector operation is executed by the host's WebAssembly and compared with the immediate evaluation: a wrong opcode
 * or a wrong lane here would make the reference engine and the generated engines disagree.
 */
import { describe, expect, it } from 'vitest'
import type { Shape, SimdName } from './ops.ts'
import { evaluateSimd, extractLane, replaceLane, type SimdValue, shuffle, simdOpcode, splat } from './simd.ts'

type Type = 'i32' | 'i64' | 'v128'
const typeCode = { i32: 0x7f, i64: 0x7e, v128: 0x7b }
const results = 0x100

const leb = (value: number): number[] => (value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >>> 7)])
const sized = (bytes: number[]): number[] => [...leb(bytes.length), ...bytes]
const section = (id: number, bytes: number[]): number[] => [id, ...sized(bytes)]

/** A function that runs `code` on operands, v128 ones at memory 0, 16, 32, numbers as parameters; a v128 result goes to 256. */
function compile(operands: Type[], result: Type, code: number[]): (...args: SimdValue[]) => SimdValue {
  const scalars = operands.filter((type) => type !== 'v128')
  const push = operands.map((type, i) => {
    const scalar = operands.slice(0, i).filter((other) => other !== 'v128').length
    return type === 'v128' ? [0x41, 0, 0xfd, 0, 0, ...leb(16 * i)] : [0x20, scalar]
  })
  const body = [...push.flat(), ...code]
  // A store takes its address from below the value.
  const whole = result === 'v128' ? [0x41, 0, ...body, 0xfd, 0x0b, 0, ...leb(results), 0x0b] : [...body, 0x0b]
  const signature = [
    0x60,
    ...sized(scalars.map((type) => typeCode[type])),
    ...sized(result === 'v128' ? [] : [typeCode[result]]),
  ]
  const bytes = [
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, ...signature]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, 1]),
    ...section(7, [2, 1, 0x66, 0, 0, 1, 0x6d, 2, 0]),
    ...section(10, [1, ...sized([0, ...whole])]),
  ]
  const exports = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(bytes))).exports
  const memory = new Uint8Array((exports['m'] as WebAssembly.Memory).buffer)
  const run = exports['f'] as (...args: (number | bigint)[]) => number | bigint
  return (...args) => {
    for (const [i, arg] of args.entries()) if (arg instanceof Uint8Array) memory.set(arg, 16 * i)
    const value = run(...args.filter((arg): arg is number | bigint => !(arg instanceof Uint8Array)))
    return result === 'v128' ? memory.slice(results, results + 16) : value
  }
}

/** xorshift32, from a fixed seed. */
function random(): () => number {
  let state = 0x2545f491
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
}
const next = random()
const special = [0, 1, 0x7f, 0x80, 0xff, 0xfe]
/** Half of the vectors are of extreme bytes, a quarter of small floating-point numbers. */
function vector(): Uint8Array {
  const kind = next() & 3
  if (kind === 0) return new Uint8Array(Float32Array.from({ length: 4 }, () => (next() % 64) / 4 - 8).buffer)
  const extreme = kind === 1
  return Uint8Array.from({ length: 16 }, () => (extreme ? special[next() % special.length] : next() & 255))
}

const floatNames = /^f(32x4|64x2)\.(add|sub|mul|div|sqrt|trunc|nearest|demote|promote)/
/** NaN lanes of floating-point results as one value. */
function comparable(name: string, value: SimdValue): unknown {
  if (!floatNames.test(name)) return value
  const lanes = name.startsWith('f32')
    ? new Float32Array((value as Uint8Array).slice().buffer)
    : new Float64Array((value as Uint8Array).slice().buffer)
  return [...lanes]
}

function operandsOf(name: SimdName): Type[] {
  if (/\.sh[lr]/.test(name)) return ['v128', 'i32']
  if (/\.bitselect/.test(name)) return ['v128', 'v128', 'v128']
  if (/\.(not|any_true|all_true|bitmask|neg|abs|sqrt|trunc|nearest|extend|extadd|convert|demote|promote)/.test(name))
    return ['v128']
  return ['v128', 'v128']
}

describe('vector operations', () => {
  const names = Object.keys(simdOpcode) as SimdName[]
  it('have one opcode each', () => {
    expect(new Set(Object.values(simdOpcode)).size).toBe(names.length)
  })

  it.each(names)('%s computes what WebAssembly computes', (name) => {
    const operands = operandsOf(name)
    const result = /any_true|all_true|bitmask/.test(name) ? 'i32' : 'v128'
    const run = compile(operands, result, [0xfd, ...leb(simdOpcode[name])])
    for (let i = 0; i < 300; i++) {
      const args = operands.map((type) => (type === 'v128' ? vector() : next() | 0))
      const before = structuredClone(args)
      const value = evaluateSimd[name](...args)
      expect(comparable(name, value), `${name} of ${args.join(' and ')}`).toEqual(comparable(name, run(...args)))
      expect(args).toEqual(before)
    }
  })

  it('shuffle, splat and lanes agree with WebAssembly', () => {
    const shapes: [Shape, number, number, number[], number][] = [
      ['i8x16', 16, 0x0f, [0x15, 0x16], 0x17],
      ['i16x8', 8, 0x10, [0x18, 0x19], 0x1a],
      ['i32x4', 4, 0x11, [0x1b, 0x1b], 0x1c],
      ['i64x2', 2, 0x12, [0x1d, 0x1d], 0x1e],
    ]
    for (let i = 0; i < 20; i++) {
      const lanes = Array.from({ length: 16 }, () => next() & 31)
      const [a, b] = [vector(), vector()]
      expect(shuffle(a, b, lanes)).toEqual(compile(['v128', 'v128'], 'v128', [0xfd, 0x0d, ...lanes])(a, b))
    }
    for (const [shape, count, splatCode, extractCodes, replaceCode] of shapes) {
      const type = shape === 'i64x2' ? 'i64' : 'i32'
      const scalar = type === 'i64' ? BigInt.asIntN(64, 0x8899_aabb_ccdd_eeffn) : 0x8899_aabb | 0
      expect(splat(shape, scalar)).toEqual(compile([type], 'v128', [0xfd, splatCode])(scalar))
      for (let lane = 0; lane < count; lane++) {
        const a = vector()
        for (const signed of [true, false]) {
          const run = compile(['v128'], type, [0xfd, extractCodes[signed ? 0 : 1], lane])
          expect(extractLane(shape, a, lane, signed)).toEqual(run(a))
        }
        const run = compile(['v128', type], 'v128', [0xfd, replaceCode, lane])
        expect(replaceLane(shape, a, lane, scalar)).toEqual(run(a, scalar))
      }
    }
  })

  it('takes vectors that lie anywhere in a buffer', () => {
    const bytes = new Uint8Array(40).map((_, i) => i)
    expect(evaluateSimd['i64x2.add'](bytes.subarray(3, 19), bytes.subarray(0, 16))).toEqual(
      evaluateSimd['i64x2.add'](bytes.slice(3, 19), bytes.slice(0, 16)),
    )
  })
})
