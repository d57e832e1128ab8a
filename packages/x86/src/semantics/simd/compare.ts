/** Floating-point comparison into masks and into EFLAGS (SDM vol. 2: CMPPS, CMPSS, CMPPD, CMPSD, COMISx, UCOMISx). */
import type { Ops, Routine } from '../../ops/ops.ts'
import { type BinaryArithmetic, comparisonHolds, comparisonIsSignalling, f32, f64 } from '../../softfloat/index.ts'
import type { Semantics, SemanticsTable } from '../processor.ts'
import { double, type Lanes, single, vectorRoutine } from './lanes.ts'
import { mxcsr, report } from './mxcsr.ts'
import { enter, immediate, readLow, readVector, setXmm, setXmmLow, xmm, xmmLow } from './registers.ts'

/** The low three bits of the immediate; the others are ignored. */
const PREDICATES = 8

const comparison = (arithmetic: BinaryArithmetic, predicate: number): Routine =>
  comparisonIsSignalling(predicate) ? arithmetic.compare : arithmetic.compareQuiet

/** All ones or zeros, in a lane's type. */
function maskOf<V>(o: Ops<V>, bits: 32 | 64, holds: V): V {
  return bits === 64 ? o.sub(o.i64(0n), o.extendU(holds)) : o.sub(o.i32(0), holds)
}

/** (a, b: float, MXCSR) → (mask, flags). */
function maskRoutine(name: string, { bits, type }: Lanes, arithmetic: BinaryArithmetic, predicate: number): Routine {
  return {
    name: `${name}${predicate}`,
    params: [type, type, 'i32'],
    results: [type, 'i32'],
    body: (o, a, b, control) => {
      const [relation, flags] = o.call(comparison(arithmetic, predicate), a, b, control)
      return [maskOf(o, bits, comparisonHolds(o, predicate, o.let(relation))), flags]
    },
  }
}

const perPredicate = (make: (predicate: number) => Routine): readonly Routine[] =>
  Array.from({ length: PREDICATES }, (_, predicate) => make(predicate))

/** One lane's routines, by predicate, made to work on all lanes. */
const allLanes = (name: string, lanes: Lanes, masks: readonly Routine[]): readonly Routine[] =>
  masks.map((lane, predicate) =>
    vectorRoutine({ name: `${name}${predicate}`, operands: 2, from: lanes, to: lanes, lane }),
  )

/** `cmpss xmm1, xmm2/m32, imm8`, `cmpsd`. */
function compareScalar(lanes: Lanes, routines: readonly Routine[]): Semantics {
  return (c, insn) => {
    enter(c, insn)
    const { reg } = insn.operands[0]
    const b = readLow(c, insn, 1, lanes.bits)
    const control = mxcsr(c)
    const [mask, flags] = c.call(routines[immediate(insn) % PREDICATES], xmmLow(c, reg, lanes.bits), b, control)
    report(c, control, flags)
    setXmmLow(c, reg, lanes.bits, mask)
  }
}

/** `cmpps xmm1, xmm2/m128, imm8`, `cmppd`. */
function comparePacked(routines: readonly Routine[]): Semantics {
  return (c, insn) => {
    enter(c, insn)
    const { reg } = insn.operands[0]
    const b = readVector(c, insn, 1)
    const control = mxcsr(c)
    const [mask, flags] = c.call(routines[immediate(insn) % PREDICATES], xmm(c, reg), b, control)
    report(c, control, flags)
    setXmm(c, reg, mask)
  }
}

/** COMISS, COMISD, UCOMISS, UCOMISD: ZF, PF, CF from the comparison; OF, SF, AF cleared. */
function compareFlags({ bits }: Lanes, routine: Routine): Semantics {
  return (c, insn) => {
    enter(c, insn)
    const b = readLow(c, insn, 1, bits)
    const control = mxcsr(c)
    const [relation, flags] = c.call(routine, xmmLow(c, insn.operands[0].reg, bits), b, control)
    report(c, control, flags)
    c.setStatusFlags(relation)
  }
}

const masks32 = perPredicate((predicate) => maskRoutine('f32Mask', single, f32, predicate))
const masks64 = perPredicate((predicate) => maskRoutine('f64Mask', double, f64, predicate))

/** Comparisons. */
export const comparisons: SemanticsTable = {
  cmpps: comparePacked(allLanes('cmpps', single, masks32)),
  cmppd: comparePacked(allLanes('cmppd', double, masks64)),
  cmpss: compareScalar(single, masks32),
  cmpsd_sse: compareScalar(double, masks64),
  comiss: compareFlags(single, f32.compare),
  comisd: compareFlags(double, f64.compare),
  ucomiss: compareFlags(single, f32.compareQuiet),
  ucomisd: compareFlags(double, f64.compareQuiet),
}
