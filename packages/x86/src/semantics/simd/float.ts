/**
 * SSE and SSE2 floating-point arithmetic, packed and scalar (SDM vol. 1, 10.4.1 and 11.4.1).
 * Each lane goes through a softfloat routine; the flags of all lanes are delivered together.
 */
import type { Routine } from '../../ops/ops.ts'
import { f32, f64 } from '../../softfloat/index.ts'
import type { Semantics, SemanticsTable } from '../processor.ts'
import { double, type Lanes, single, vectorRoutine } from './lanes.ts'
import { mxcsr, report } from './mxcsr.ts'
import { enter, readLow, readVector, setXmm, setXmmLow, xmm, xmmLow } from './registers.ts'

/** `op xmm1, xmm2/m128` of two operands, or of the source alone. */
function packed(operands: 1 | 2, routine: Routine): Semantics {
  return (c, insn) => {
    enter(c, insn)
    const { reg } = insn.operands[0]
    const b = readVector(c, insn, 1)
    const control = mxcsr(c)
    const [result, flags] = operands === 2 ? c.call(routine, xmm(c, reg), b, control) : c.call(routine, b, control)
    report(c, control, flags)
    setXmm(c, reg, result)
  }
}

/** `op xmm1, xmm2/m32` or `m64`: the low lane. */
function scalar(operands: 1 | 2, { bits }: Lanes, routine: Routine): Semantics {
  return (c, insn) => {
    enter(c, insn)
    const { reg } = insn.operands[0]
    const b = readLow(c, insn, 1, bits)
    const control = mxcsr(c)
    const [result, flags] =
      operands === 2 ? c.call(routine, xmmLow(c, reg, bits), b, control) : c.call(routine, b, control)
    report(c, control, flags)
    setXmmLow(c, reg, bits, result)
  }
}

type Operation = 'add' | 'sub' | 'mul' | 'div' | 'sqrt' | 'min' | 'max'

/** The four forms of one operation: `addps`, `addss`, `addpd`, `addsd`. */
function forms(operation: Operation): SemanticsTable {
  const operands = operation === 'sqrt' ? 1 : 2
  const vector = (name: string, lanes: Lanes, lane: Routine): Routine =>
    vectorRoutine({ name, operands, from: lanes, to: lanes, lane })
  return {
    [`${operation}ps`]: packed(operands, vector(`${operation}ps`, single, f32[operation])),
    [`${operation}ss`]: scalar(operands, single, f32[operation]),
    [`${operation}pd`]: packed(operands, vector(`${operation}pd`, double, f64[operation])),
    [`${operation}sd`]: scalar(operands, double, f64[operation]),
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
