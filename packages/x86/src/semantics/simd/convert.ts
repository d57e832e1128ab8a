/** Conversions between floating-point formats and integers (SDM vol. 1, 10.4.4 and 11.4.1.6; vol. 2: CVTxxx). */
import { type Insn, Kind } from '@vmexit/x86-decoder'
import type { Routine } from '../../ops/ops.ts'
import { type BinaryArithmetic, f32, f32ToF64, f64, f64ToF32 } from '../../softfloat/index.ts'
import type { Processor, Semantics, SemanticsTable } from '../processor.ts'
import { double, type Lanes, single, vectorRoutine } from './lanes.ts'
import { mxcsr, report } from './mxcsr.ts'
import {
  becomeMmx,
  enter,
  enterMmx,
  enterSse,
  lowHalf,
  lowLane,
  readLow,
  readPart,
  readVector,
  setMm,
  setXmm,
  setXmmLow,
} from './registers.ts'

/** How a vector is converted: all lanes of `from`, or the low two when the result or the source has no more. */
interface Packed {
  readonly from: Lanes
  readonly to: Lanes
  readonly count: 2 | 4
  readonly lane: Routine
}

/** The source, of which two 32-bit lanes are half of a register, or 64 bits of memory. */
function readSource<V>(c: Processor<V>, insn: Insn, { from, count }: Packed): V {
  return from.bits * count === 64 ? readPart(c, insn, 1, 64) : readVector(c, insn, 1)
}

/** To an XMM register, with zeros above the lanes, or to an MMX register: then #XM too finds the x87 unit turned to MMX. */
function packed(name: string, conversion: Packed): Semantics {
  const routine = vectorRoutine({ name, operands: 1, ...conversion })
  return (c, insn) => {
    enter(c, insn)
    const { kind, reg } = insn.operands[0]
    const source = readSource(c, insn, conversion)
    const control = mxcsr(c)
    const [result, flags] = c.call(routine, source, control)
    if (kind === Kind.mm) becomeMmx(c)
    report(c, control, flags)
    if (kind === Kind.mm) setMm(c, reg, lowHalf(c, result))
    else setXmm(c, reg, result)
  }
}

/** CVTDQ2PD, CVTPI2PD: exact. Of these only a source in an MMX register is an MMX operation. */
const doublewordsToDoubles: Semantics = (c, insn) => {
  enter(c, insn)
  const source = readLow(c, insn, 1, 64)
  if (insn.operands[1].kind === Kind.mm) becomeMmx(c)
  setXmm(c, insn.operands[0].reg, c.simd('f64x2.convert_low_i32x4_s', c.splat('i64x2', source)))
}

/** CVTPI2PS: to the low half. An MMX operation even when the source is memory. */
function mmxToSingles(): Semantics {
  const routine = vectorRoutine({
    name: 'cvtpi2ps',
    operands: 1,
    from: single,
    to: single,
    count: 2,
    lane: f32.fromI32,
  })
  return (c, insn) => {
    enterSse(c)
    enterMmx(c)
    const { reg } = insn.operands[0]
    const source = lowLane(c, 64, readLow(c, insn, 1, 64))
    const control = mxcsr(c)
    const [result, flags] = c.call(routine, source, control)
    becomeMmx(c)
    report(c, control, flags)
    setXmmLow(c, reg, 64, lowHalf(c, result))
  }
}

/** CVTSI2SS, CVTSI2SD: from a general register or memory of 32 bits, or 64 with REX.W, to the low lane. */
function fromInteger({ bits }: Lanes, { fromI32, fromI64 }: BinaryArithmetic): Semantics {
  return (c, insn) => {
    enter(c, insn)
    const wide = insn.operands[1].size === 64
    const source = readLow(c, insn, 1, wide ? 64 : 32)
    const control = mxcsr(c)
    const [result, flags] = c.call(wide ? fromI64 : fromI32, source, control)
    report(c, control, flags)
    setXmmLow(c, insn.operands[0].reg, bits, result)
  }
}

/** CVTSS2SI, CVTSD2SI and the truncating forms: from the low lane to a general register. */
function toInteger({ bits }: Lanes, toI32: Routine, toI64: Routine): Semantics {
  return (c, insn) => {
    enter(c, insn)
    const { reg, size } = insn.operands[0]
    const source = readLow(c, insn, 1, bits)
    const control = mxcsr(c)
    const [result, flags] = c.call(size === 64 ? toI64 : toI32, source, control)
    report(c, control, flags)
    c.setGpr(reg, size, result)
  }
}

/** CVTSS2SD, CVTSD2SS: the low lane. */
function betweenScalars(from: Lanes, to: Lanes, routine: Routine): Semantics {
  return (c, insn) => {
    enter(c, insn)
    const source = readLow(c, insn, 1, from.bits)
    const control = mxcsr(c)
    const [result, flags] = c.call(routine, source, control)
    report(c, control, flags)
    setXmmLow(c, insn.operands[0].reg, to.bits, result)
  }
}

/** Conversions. */
export const conversions: SemanticsTable = {
  cvtps2pd: packed('cvtps2pd', { from: single, to: double, count: 2, lane: f32ToF64 }),
  cvtpd2ps: packed('cvtpd2ps', { from: double, to: single, count: 2, lane: f64ToF32 }),
  cvtdq2ps: packed('cvtdq2ps', { from: single, to: single, count: 4, lane: f32.fromI32 }),
  cvtps2dq: packed('cvtps2dq', { from: single, to: single, count: 4, lane: f32.toI32 }),
  cvttps2dq: packed('cvttps2dq', { from: single, to: single, count: 4, lane: f32.toI32Truncate }),
  cvtpd2dq: packed('cvtpd2dq', { from: double, to: single, count: 2, lane: f64.toI32 }),
  cvttpd2dq: packed('cvttpd2dq', { from: double, to: single, count: 2, lane: f64.toI32Truncate }),
  cvtps2pi: packed('cvtps2pi', { from: single, to: single, count: 2, lane: f32.toI32 }),
  cvttps2pi: packed('cvttps2pi', { from: single, to: single, count: 2, lane: f32.toI32Truncate }),
  cvtpd2pi: packed('cvtpd2pi', { from: double, to: single, count: 2, lane: f64.toI32 }),
  cvttpd2pi: packed('cvttpd2pi', { from: double, to: single, count: 2, lane: f64.toI32Truncate }),
  cvtdq2pd: doublewordsToDoubles,
  cvtpi2pd: doublewordsToDoubles,
  cvtpi2ps: mmxToSingles(),

  cvtsi2ss: fromInteger(single, f32),
  cvtsi2sd: fromInteger(double, f64),
  cvtss2si: toInteger(single, f32.toI32, f32.toI64),
  cvttss2si: toInteger(single, f32.toI32Truncate, f32.toI64Truncate),
  cvtsd2si: toInteger(double, f64.toI32, f64.toI64),
  cvttsd2si: toInteger(double, f64.toI32Truncate, f64.toI64Truncate),
  cvtss2sd: betweenScalars(single, double, f32ToF64),
  cvtsd2ss: betweenScalars(double, single, f64ToF32),
}
