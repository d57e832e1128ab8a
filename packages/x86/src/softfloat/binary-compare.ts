/** Comparison, minimum and maximum of a binary format (SDM vol. 2: COMISS, UCOMISS, CMPPS, MINPS, MAXPS). */
import type { Ops, Routine } from '../ops/ops.ts'
import { Exception } from './arithmetic.ts'
import {
  type BinaryFormat,
  countsAsZero,
  denormalFlag,
  floatConst,
  isNan,
  isSignalling,
  signBit,
  signOf,
} from './format.ts'

/** EFLAGS images of the four outcomes. */
export const Relation = { greater: 0, less: 1, equal: 0x40, unordered: 0x45 } as const

/** {@link Relation} of two operands that are not NaNs. */
function relation<V>(o: Ops<V>, f: BinaryFormat, mxcsr: V, a: V, b: V): V {
  const zeros = o.and(countsAsZero(o, f, mxcsr, a), countsAsZero(o, f, mxcsr, b))
  const equal = o.or(o.eq(a, b), zeros)
  // Encodings of negative numbers order backwards. A zero's sign only matters against the other zero: equal, above.
  const x = o.let(dazValue(o, f, mxcsr, a))
  const y = o.let(dazValue(o, f, mxcsr, b))
  const bothNegative = o.and(signOf(o, f, x), signOf(o, f, y))
  const less = o.select(bothNegative, o.gtU(x, y), o.ltS(x, y))
  return o.select(equal, o.i32(Relation.equal), less)
}

/** The operand, or a zero of its sign when it is a denormal and DAZ is set. */
function dazValue<V>(o: Ops<V>, f: BinaryFormat, mxcsr: V, x: V): V {
  return o.select(countsAsZero(o, f, mxcsr, x), o.and(x, floatConst(o, f, signBit(f))), x)
}

/** (a: float, b: float, mxcsr) → ({@link Relation}, flags). `signalling`: a quiet NaN is invalid too. */
export function compareRoutine(f: BinaryFormat, signalling: boolean): Routine {
  return {
    name: `${f.name}Compare${signalling ? '' : 'Quiet'}`,
    params: [f.float, f.float, 'i32'],
    results: ['i32', 'i32'],
    body<V>(o: Ops<V>, a: V, b: V, mxcsr: V): readonly V[] {
      const answer = o.variable(o.i32(Relation.unordered))
      const flags = o.variable(o.i32(Exception.invalid))
      o.if(
        o.or(isNan(o, f, a), isNan(o, f, b)),
        () => {
          if (!signalling) o.set(flags, o.or(isSignalling(o, f, a), isSignalling(o, f, b)))
        },
        () => {
          o.set(answer, relation(o, f, mxcsr, a, b))
          o.set(flags, denormalFlag(o, f, mxcsr, a, b))
        },
      )
      return [o.get(answer), o.get(flags)]
    },
  }
}

/** (a: float, b: float, mxcsr) → (float, flags): b unless a is the lesser (greater); b too when either is a NaN. */
export function extremeRoutine(f: BinaryFormat, wanted: 'min' | 'max'): Routine {
  return {
    name: `${f.name}${wanted === 'min' ? 'Min' : 'Max'}`,
    params: [f.float, f.float, 'i32'],
    results: [f.float, 'i32'],
    body<V>(o: Ops<V>, a: V, b: V, mxcsr: V): readonly V[] {
      const result = o.variable(dazValue(o, f, mxcsr, b))
      const flags = o.variable(o.i32(Exception.invalid))
      o.if(o.eqz(o.or(isNan(o, f, a), isNan(o, f, b))), () => {
        const first = wanted === 'min' ? Relation.less : Relation.greater
        const chosen = o.select(o.eq(relation(o, f, mxcsr, a, b), o.i32(first)), a, b)
        o.set(result, dazValue(o, f, mxcsr, o.let(chosen)))
        o.set(flags, denormalFlag(o, f, mxcsr, a, b))
      })
      return [o.get(result), o.get(flags)]
    },
  }
}

/** Whether CMPxx with the predicate `imm8 & 7` finds a quiet NaN invalid: `compare`, else `compareQuiet`. */
export function comparisonIsSignalling(predicate: number): boolean {
  return [1, 2, 5, 6].includes(predicate & 7)
}

/**
 * i32 0 or 1: the predicate EQ LT LE UNORD NEQ NLT NLE ORD (`imm8 & 7`, SDM vol. 2, CMPPD, table 3-1) holds for the
 * `relation` that `compare` or `compareQuiet` returned. `relation` is used twice at most: pass a `let`.
 */
export function comparisonHolds<V>(o: Ops<V>, predicate: number, relation: V): V {
  const is = (outcome: number): V => o.eq(relation, o.i32(outcome))
  const base = predicate & 3
  const holds =
    base === 0
      ? is(Relation.equal)
      : base === 1
        ? is(Relation.less)
        : base === 2
          ? o.or(is(Relation.less), is(Relation.equal))
          : is(Relation.unordered)
  return predicate & 4 ? o.eqz(holds) : holds
}
