/** What is computed plainly, without a routine, must be what the routine says, with no flag that is not there already. */
import { describe, expect, it } from 'vitest'
import { Evaluator, type Value } from '../../ops/evaluate.ts'
import { f32, f64 } from '../../softfloat/index.ts'
import { attemptScalar } from './float.ts'
import { double, type Lanes, single } from './lanes.ts'

/** Numbers of few bits, near each other. */
function shortNumbers({ bits }: Lanes): bigint[] {
  const [fraction, bias, short] = bits === 64 ? [52n, 1023n, 26n] : [23n, 127n, 12n]
  const all: bigint[] = []
  for (let distance = 0n; distance <= 2n * short; distance++)
    for (const length of [short - 2n, short - 1n, short, short + 1n]) {
      const ones = ((1n << length) - 1n) << (fraction - length)
      const last = 1n << (fraction - length)
      for (const f of [ones, last]) all.push(((bias + distance) << fraction) | f)
    }
  return all.flatMap((m) => [m, m | (1n << BigInt(bits - 1))])
}

const o = new Evaluator({} as never, 0)

/** Numbers at the edges of what is plain: zeros, denormals, the smallest and largest, infinite, NaNs; bits at both ends. */
function edges({ bits }: Lanes): bigint[] {
  const [fraction, special] = bits === 64 ? [52n, 0x7ffn] : [23n, 0xffn]
  const bias = special >> 1n
  const one = 1n << fraction
  const exponents = [
    0n,
    1n,
    2n,
    bias / 2n,
    bias / 2n + 1n,
    bias - 1n,
    bias,
    bias + 1n,
    bias + fraction,
    bias + fraction + 1n,
  ]
  const upper = [bias + bias / 2n, bias + bias / 2n + 1n, special - 2n, special - 1n, special]
  const half = 1n << (fraction / 2n)
  const fractions = [
    0n,
    1n,
    2n,
    3n,
    half,
    half << 1n,
    half | 1n,
    one >> 1n,
    one - half,
    one - half * 2n,
    one - 2n,
    one - 1n,
  ]
  const magnitudes = [...exponents, ...upper].flatMap((e) => fractions.map((f) => (e << fraction) | f))
  return magnitudes.flatMap((m) => [m, m | (1n << BigInt(bits - 1))])
}

/** Plain, precision's flag clear, DAZ and FTZ, other directions, masks clear. */
const CONTROLS = [0x1fa0, 0x1f80, 0x9fe0, 0x9fc0, 0x3fa0, 0x5fa0, 0x7fa0, 0x0f80, 0x0000]

describe.each([single, double])('scalars of $bits bits', (lanes) => {
  const routines = lanes === double ? f64 : f32
  const value = (bits: bigint): Value => (lanes.bits === 64 ? BigInt.asIntN(64, bits) : Number(BigInt.asIntN(32, bits)))
  const all = [...edges(lanes), ...shortNumbers(lanes)].map(value)
  const vectors = all.map((x) => o.replaceLane(lanes.shape, o.v128(0n, 0n), 0, x))
  it.each(['add', 'sub', 'mul', 'div'] as const)('%s', (operation) => {
    const wrong: string[] = []
    const trusted = new Set<number>()
    for (const control of CONTROLS)
      for (const [n, a] of all.entries())
        for (const [m, b] of all.entries()) {
          // Some of them.
          if ((n + m) % (control === 0x1fa0 || control === 0x1f80 ? 13 : 61) !== 0) continue
          const attempt = attemptScalar<Value>(o, operation, lanes, control, [vectors[n]!, vectors[m]!], [a, b])
          if (!attempt.trusted) continue
          trusted.add(control)
          const [exactly, flags] = o.call(routines[operation], a, b, control)
          const got = o.extractLane(lanes.shape, attempt.value, 0)
          if (got !== exactly || ((flags as number) & ~control) !== 0)
            wrong.push(`${a} ${b} ${control.toString(16)}: ${got} ${exactly} ${flags}`)
        }
    expect(wrong.slice(0, 8), `${wrong.length}`).toEqual([])
    expect(trusted.has(0x1fa0)).toBe(true)
    expect(trusted.has(0x1f80)).toBe(operation !== 'div')
  })
  it('sums, differences and products of small integers and zeros are plain before anything was rounded', () => {
    for (const operation of ['add', 'sub', 'mul'] as const)
      for (const [x, y] of [
        [3, 5],
        [0, 7],
        [-8, 0],
        [6, 6],
        [-0, -0],
        [4, -4],
        [2, 8],
      ]) {
        const low = (n: number): Value => {
          const view = new DataView(new ArrayBuffer(8))
          if (lanes === double) view.setFloat64(0, n)
          else view.setFloat32(0, n)
          return lanes === double ? view.getBigInt64(0) : view.getInt32(0)
        }
        const pair = [low(x!), low(y!)]
        const wide = pair.map((v) => o.replaceLane(lanes.shape, o.v128(0n, 0n), 0, v))
        expect(attemptScalar<Value>(o, operation, lanes, 0x1f80, wide, pair).trusted).toBe(1)
      }
  })
})
