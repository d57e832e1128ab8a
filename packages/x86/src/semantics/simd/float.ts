/**
 * SSE and SSE2 floating-point arithmetic, packed and scalar (SDM vol. 1, 10.4.1 and 11.4.1).
 * Where plain arithmetic will not do, each lane goes through a softfloat routine; the flags of all lanes are delivered together.
 */
import { Kind } from '@vmexit/x86-decoder'
import type { Ops, Routine } from '../../ops/ops.ts'
import { f32, f64 } from '../../softfloat/index.ts'
import type { Semantics, SemanticsTable } from '../processor.ts'
import { double, type Lanes, single, vectorRoutine, withLow } from './lanes.ts'
import { mxcsr } from './mxcsr.ts'
import {
  type Attempt,
  areNormal,
  areShort,
  type Extent,
  holds,
  holdsNowhere,
  isExact,
  isNormal,
  isPlainMode,
  isSpecial,
  orElse,
} from './plain.ts'
import { enter, lowLane, readLow, readVector, setXmm, xmm, xmmLow } from './registers.ts'

type Arithmetic = 'add' | 'sub' | 'mul' | 'div'
type Operation = Arithmetic | 'sqrt' | 'min' | 'max'

/** Destination `a` and source `b`, both used more than once. */
function attempt<V>(o: Ops<V>, operation: Operation, lanes: Lanes, extent: Extent, control: V, a: V, b: V): Attempt<V> {
  const { float } = lanes
  if (operation === 'min' || operation === 'max') {
    const special = o.simd('v128.or', isSpecial(o, lanes, a), isSpecial(o, lanes, b))
    return {
      value: o.simd(`${float}.p${operation}`, b, a),
      trusted: holdsNowhere(o, lanes, special, extent),
    }
  }
  const value = o.let(operation === 'sqrt' ? o.simd(`${float}.sqrt`, b) : o.simd(`${float}.${operation}`, a, b))
  const normal = isNormal(o, lanes, operation === 'sqrt' ? [b] : [a, b], value)
  return { value, trusted: o.and(isPlainMode(o, control), holds(o, lanes, normal, extent)) }
}

/** `op xmm1, xmm2/m128`. */
function packed(operation: Operation, lanes: Lanes, lane: Routine): Semantics {
  const operands = operation === 'sqrt' ? 1 : 2
  const name = `${operation}${lanes === single ? 'ps' : 'pd'}`
  const routine = vectorRoutine({ name, operands, from: lanes, to: lanes, lane })
  return (c, insn) => {
    enter(c, insn)
    const { reg } = insn.operands[0]
    const b = readVector(c, insn, 1)
    const a = xmm(c, reg)
    const control = mxcsr(c)
    const exactly = () => (operands === 2 ? c.call(routine, a, b, control) : c.call(routine, b, control))
    setXmm(c, reg, orElse(c, control, attempt(c, operation, lanes, 'all', control, a, b), exactly))
  }
}

/** The same of the low lane alone. */
export function attemptScalar<V>(
  o: Ops<V>,
  operation: Arithmetic,
  lanes: Lanes,
  control: V,
  [a, b]: readonly V[],
  [x, y]: readonly V[],
): Attempt<V> {
  const value = o.let(o.simd(`${lanes.float}.${operation}`, a, b))
  const low = o.let(o.extractLane(lanes.shape, value, 0))
  const trusted = o.variable(o.i32(0))
  o.if(
    isPlainMode(o, control),
    () => o.set(trusted, areNormal(o, lanes, [x, y], low)),
    () => {
      if (operation !== 'div') o.set(trusted, areShort(o, lanes, operation, control, x, y))
    },
  )
  if (operation !== 'div') {
    const all = { a, b, value, low: { a: x, b: y, value: low } }
    const look = (): void => o.set(trusted, isExact(o, lanes, operation, control, all))
    o.if(o.eqz(o.get(trusted)), look, undefined, false)
  }
  return { value, trusted: o.get(trusted) }
}

/** `op xmm1, xmm2/m32` or `m64`: the low lane. */
function scalar(operation: Operation, lanes: Lanes, routine: Routine): Semantics {
  return (c, insn) => {
    enter(c, insn)
    const { reg } = insn.operands[0]
    const y = readLow(c, insn, 1, lanes.bits)
    const b = insn.operands[1].kind === Kind.xmm ? xmm(c, insn.operands[1].reg) : c.let(lowLane(c, lanes.bits, y))
    const a = xmm(c, reg)
    const x = xmmLow(c, reg, lanes.bits)
    const control = mxcsr(c)
    const isArithmetic = operation === 'add' || operation === 'sub' || operation === 'mul' || operation === 'div'
    const { value, trusted } = isArithmetic
      ? attemptScalar(c, operation, lanes, control, [a, b], [x, y])
      : attempt(c, operation, lanes, 'low', control, a, b)
    const result = orElse(c, control, { value: withLow(c, lanes, value, a), trusted }, () => {
      const [low, flags] = operation === 'sqrt' ? c.call(routine, y, control) : c.call(routine, x, y, control)
      return [c.replaceLane(lanes.shape, a, 0, low), flags]
    })
    setXmm(c, reg, result)
  }
}

/** The four forms of one operation: `addps`, `addss`, `addpd`, `addsd`. */
function forms(operation: Operation): SemanticsTable {
  return {
    [`${operation}ps`]: packed(operation, single, f32[operation]),
    [`${operation}ss`]: scalar(operation, single, f32[operation]),
    [`${operation}pd`]: packed(operation, double, f64[operation]),
    [`${operation}sd`]: scalar(operation, double, f64[operation]),
  }
}

/** Arithmetic with two operands, square roots, minima and maxima. */
export const floatArithmetic: SemanticsTable = {
  ...forms('add'),
  ...forms('sub'),
  ...forms('mul'),
  ...forms('div'),
  ...forms('sqrt'),
  ...forms('min'),
  ...forms('max'),
}
