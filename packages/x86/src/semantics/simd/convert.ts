/** Conversions between floating-point formats and integers (SDM vol. 1, 10.4.4 and 11.4.1.6; vol. 2: CVTxxx). */
import { type Insn, Kind } from '@vmexit/x86-decoder'
import type { Ops, Routine } from '../../ops/ops.ts'
import { type BinaryArithmetic, f32, f32ToF64, f64, f64ToF32 } from '../../softfloat/index.ts'
import type { Processor, Semantics, SemanticsTable } from '../processor.ts'
import { double, type Lanes, single, vectorRoutine, withLow } from './lanes.ts'
import { mxcsr, report } from './mxcsr.ts'
import {
  type Attempt,
  type Extent,
  holds,
  holdsNowhere,
  isBelow,
  isNormal,
  isPlainMode,
  isSpecial,
  orElse,
} from './plain.ts'
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
  xmm,
} from './registers.ts'

/** How a vector is converted: all lanes of `from`, or the low two when the result or the source has no more. */
interface Packed {
  readonly from: Lanes
  readonly to: Lanes
  readonly count: 2 | 4
  readonly lane: Routine
  readonly plain: PlainConversion
}

/** Source (used more than once), MXCSR and which lanes count, to what WebAssembly's own instruction makes of it. */
type PlainConversion = <V>(o: Ops<V>, source: V, control: V, extent: Extent) => Attempt<V>

/** Exact but for NaNs and denormals. */
const widen: PlainConversion = (o, source, _, extent) => ({
  value: o.simd('f64x2.promote_low_f32x4', source),
  trusted: holdsNowhere(o, single, isSpecial(o, single, source), extent),
})

const narrow: PlainConversion = (o, source, control, extent) => {
  const value = o.let(o.simd('f32x4.demote_f64x2_zero', source))
  const normal = holds(o, single, isNormal(o, single, [], value), extent === 'low' ? 'low' : 'half')
  return { value, trusted: o.and(isPlainMode(o, control), normal) }
}

const fromDoublewords: PlainConversion = (o, source, control) => ({
  value: o.simd('f32x4.convert_i32x4_s', source),
  trusted: isPlainMode(o, control),
})

/** Bits of 2^31 − 1 in double precision, and of the single below 2^31: what is smaller becomes an int32 in any case. */
const LIMIT = { f32x4: 0x4eff_ffff_4eff_ffffn, f64x2: 0x41df_ffff_ffc0_0000n } as const

/** To int32, to nearest or towards zero. */
function toDoublewords(lanes: Lanes, truncate: boolean): PlainConversion {
  return (o, source, control, extent) => {
    const whole = truncate ? source : o.simd(`${lanes.float}.nearest`, source)
    const inRange = holds(o, lanes, isBelow(o, lanes, source, LIMIT[lanes.float]), extent)
    return {
      value: o.simd(lanes === single ? 'i32x4.trunc_sat_f32x4_s' : 'i32x4.trunc_sat_f64x2_s_zero', whole),
      trusted: o.and(isPlainMode(o, control), inRange),
    }
  }
}

/** The source, of which two 32-bit lanes are half of a register, or 64 bits of memory. */
function readSource<V>(c: Processor<V>, insn: Insn, { from, count }: Packed): V {
  return from.bits * count === 64 ? readPart(c, insn, 1, 64) : readVector(c, insn, 1)
}

/** To an XMM register, with zeros above the lanes, or to an MMX register: then #XM too finds the x87 unit turned to MMX. */
function packed(name: string, conversion: Packed): Semantics {
  const { from, count, plain } = conversion
  const routine = vectorRoutine({ name, operands: 1, ...conversion })
  return (c, insn) => {
    enter(c, insn)
    const { kind, reg } = insn.operands[0]
    const source = readSource(c, insn, conversion)
    if (kind === Kind.mm) becomeMmx(c)
    const control = mxcsr(c)
    const attempt = plain(c, source, control, count === from.count ? 'all' : 'half')
    const result = orElse(c, control, attempt, () => c.call(routine, source, control))
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
function fromInteger(lanes: Lanes, { fromI32, fromI64 }: BinaryArithmetic): Semantics {
  return (c, insn) => {
    enter(c, insn)
    const { reg } = insn.operands[0]
    const wide = insn.operands[1].size === 64
    const source = readLow(c, insn, 1, wide ? 64 : 32)
    const a = xmm(c, reg)
    const control = mxcsr(c)
    const low = wide ? c.let(c.wrap(source)) : source
    const fits = wide ? c.eq(c.extendS(low), source) : c.i32(1)
    const vector = c.splat('i32x4', low)
    const attempt =
      lanes === double
        ? { value: c.simd('f64x2.convert_low_i32x4_s', vector), trusted: fits }
        : { value: c.simd('f32x4.convert_i32x4_s', vector), trusted: c.and(fits, isPlainMode(c, control)) }
    const result = orElse(c, control, { ...attempt, value: withLow(c, lanes, attempt.value, a) }, () => {
      const [value, flags] = c.call(wide ? fromI64 : fromI32, source, control)
      return [c.replaceLane(lanes.shape, a, 0, value), flags]
    })
    setXmm(c, reg, result)
  }
}

/** CVTSS2SI, CVTSD2SI and the truncating forms: from the low lane to a general register. */
function toInteger(lanes: Lanes, truncate: boolean, toI32: Routine, toI64: Routine): Semantics {
  return (c, insn) => {
    enter(c, insn)
    const { reg, size } = insn.operands[0]
    const source = readPart(c, insn, 1, lanes.bits)
    const control = mxcsr(c)
    const { value, trusted } = toDoublewords(lanes, truncate)(c, source, control, 'low')
    const low = c.extractLane('i32x4', value, 0)
    const attempt = { value: size === 64 ? c.extendS(low) : low, trusted }
    const exactly = () => c.call(size === 64 ? toI64 : toI32, c.extractLane(lanes.shape, source, 0), control)
    c.setGpr(reg, size, orElse(c, control, attempt, exactly))
  }
}

/** CVTSS2SD, CVTSD2SS: the low lane. */
function betweenScalars(from: Lanes, to: Lanes, plain: PlainConversion, routine: Routine): Semantics {
  return (c, insn) => {
    enter(c, insn)
    const { reg } = insn.operands[0]
    const source = readPart(c, insn, 1, from.bits)
    const a = xmm(c, reg)
    const control = mxcsr(c)
    const { value, trusted } = plain(c, source, control, 'low')
    const result = orElse(c, control, { value: withLow(c, to, value, a), trusted }, () => {
      const [low, flags] = c.call(routine, c.extractLane(from.shape, source, 0), control)
      return [c.replaceLane(to.shape, a, 0, low), flags]
    })
    setXmm(c, reg, result)
  }
}

/** Conversions. */
export const conversions: SemanticsTable = {
  cvtps2pd: packed('cvtps2pd', { from: single, to: double, count: 2, lane: f32ToF64, plain: widen }),
  cvtpd2ps: packed('cvtpd2ps', { from: double, to: single, count: 2, lane: f64ToF32, plain: narrow }),
  cvtdq2ps: packed('cvtdq2ps', { from: single, to: single, count: 4, lane: f32.fromI32, plain: fromDoublewords }),
  cvtps2dq: packed('cvtps2dq', {
    from: single,
    to: single,
    count: 4,
    lane: f32.toI32,
    plain: toDoublewords(single, false),
  }),
  cvttps2dq: packed('cvttps2dq', {
    from: single,
    to: single,
    count: 4,
    lane: f32.toI32Truncate,
    plain: toDoublewords(single, true),
  }),
  cvtpd2dq: packed('cvtpd2dq', {
    from: double,
    to: single,
    count: 2,
    lane: f64.toI32,
    plain: toDoublewords(double, false),
  }),
  cvttpd2dq: packed('cvttpd2dq', {
    from: double,
    to: single,
    count: 2,
    lane: f64.toI32Truncate,
    plain: toDoublewords(double, true),
  }),
  cvtps2pi: packed('cvtps2pi', {
    from: single,
    to: single,
    count: 2,
    lane: f32.toI32,
    plain: toDoublewords(single, false),
  }),
  cvttps2pi: packed('cvttps2pi', {
    from: single,
    to: single,
    count: 2,
    lane: f32.toI32Truncate,
    plain: toDoublewords(single, true),
  }),
  cvtpd2pi: packed('cvtpd2pi', {
    from: double,
    to: single,
    count: 2,
    lane: f64.toI32,
    plain: toDoublewords(double, false),
  }),
  cvttpd2pi: packed('cvttpd2pi', {
    from: double,
    to: single,
    count: 2,
    lane: f64.toI32Truncate,
    plain: toDoublewords(double, true),
  }),
  cvtdq2pd: doublewordsToDoubles,
  cvtpi2pd: doublewordsToDoubles,
  cvtpi2ps: mmxToSingles(),

  cvtsi2ss: fromInteger(single, f32),
  cvtsi2sd: fromInteger(double, f64),
  cvtss2si: toInteger(single, false, f32.toI32, f32.toI64),
  cvttss2si: toInteger(single, true, f32.toI32Truncate, f32.toI64Truncate),
  cvtsd2si: toInteger(double, false, f64.toI32, f64.toI64),
  cvttsd2si: toInteger(double, true, f64.toI32Truncate, f64.toI64Truncate),
  cvtss2sd: betweenScalars(single, double, widen, f32ToF64),
  cvtsd2ss: betweenScalars(double, single, narrow, f64ToF32),
}
