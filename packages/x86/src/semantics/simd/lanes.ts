/** Lanes of floating-point vectors, and routines of one lane made to work on all of them. */
import type { Ops, Routine, ValueType } from '../../ops/ops.ts'

/** Width of a lane, its shape as a number and as an integer, its type and how many a register has. */
export interface Lanes {
  readonly bits: 32 | 64
  readonly float: 'f32x4' | 'f64x2'
  readonly shape: 'i32x4' | 'i64x2'
  readonly type: ValueType
  readonly count: number
}
/** Single precision, and doublewords. */
export const single: Lanes = { bits: 32, float: 'f32x4', shape: 'i32x4', type: 'i32', count: 4 }
/** Double precision, and quadwords. */
export const double: Lanes = { bits: 64, float: 'f64x2', shape: 'i64x2', type: 'i64', count: 2 }

/** A v128 of `values`, and zeros where there are fewer than the shape has. */
function gather<V>(o: Ops<V>, { shape, count }: Lanes, values: readonly V[]): V {
  const [first, ...others] = values
  const base = values.length === count ? o.splat(shape, first) : o.replaceLane(shape, o.v128(0n, 0n), 0, first)
  return others.reduce((vector, value, i) => o.replaceLane(shape, vector, i + 1, value), base)
}

/** `vector` with its low lane from the low lane of `low`. */
export function withLow<V>(o: Ops<V>, { bits }: Lanes, low: V, vector: V): V {
  const lanes = Array.from({ length: 16 }, (_, byte) => (byte < bits / 8 ? byte : 16 + byte))
  return o.shuffle(low, vector, lanes)
}

/** What {@link vectorRoutine} makes. */
export interface VectorRoutine {
  readonly name: string
  /** Vectors that it takes. */
  readonly operands: 1 | 2
  readonly from: Lanes
  readonly to: Lanes
  /** (a lane of each vector, MXCSR) → (value, flags). */
  readonly lane: Routine
  /** How many lanes are computed, when not all of `from`. */
  readonly count?: number
}

/** (v128 …, MXCSR) → (v128, flags of all lanes): `lane` on the low lanes, zeros above them. */
export function vectorRoutine({ name, operands, from, to, lane, count = from.count }: VectorRoutine): Routine {
  const vectors: ValueType[] = operands === 2 ? ['v128', 'v128'] : ['v128']
  return {
    name,
    params: [...vectors, 'i32'],
    results: ['v128', 'i32'],
    body: (o, ...params) => {
      const control = params[operands]
      const results = Array.from({ length: count }, (_, i) => {
        const values = params.slice(0, operands).map((vector) => o.extractLane(from.shape, vector, i))
        return o.call(lane, ...values, control)
      })
      const flags = results.map((result) => result[1]).reduce((all, found) => o.or(all, found))
      const values = results.map((result) => result[0])
      return [gather(o, to, values), flags]
    },
  }
}
