/** Floating-point comparison into masks and into EFLAGS (SDM vol. 2: CMPPS, CMPSS, CMPPD, CMPSD, COMISx, UCOMISx). */
import type { Ops, Routine } from '../../ops/ops.ts'
import { type BinaryArithmetic, comparisonHolds, comparisonIsSignalling, f32, f64 } from '../../softfloat/index.ts'
import { Flag } from '../../state/layout.ts'
import type { Semantics, SemanticsTable } from '../processor.ts'
import { double, type Lanes, single, vectorRoutine, withLow } from './lanes.ts'
import { mxcsr } from './mxcsr.ts'
import { type Extent, holdsNowhere, isSpecial, orElse } from './plain.ts'
import { enter, immediate, readPart, readVector, setXmm, xmm } from './registers.ts'

/** The low three bits of the immediate; the others are ignored. */
const PREDICATES = 8
const UNORDERED = 3
const ORDERED = 7

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

/** What the predicates EQ LT LE UNORD NEQ NLT NLE ORD are where no operand is a NaN. */
function plainMask<V>(o: Ops<V>, { float }: Lanes, predicate: number, a: V, b: V): V {
  if (predicate === UNORDERED) return o.v128(0n, 0n)
  if (predicate === ORDERED) return o.v128(-1n, -1n)
  const names = ['eq', 'lt', 'le', 'ne', 'ne', 'ge', 'gt'] as const
  return o.simd(`${float}.${names[predicate]}`, a, b)
}

/** i32: neither operand has a NaN or a denormal. */
function isOrdinary<V>(o: Ops<V>, lanes: Lanes, extent: Extent, a: V, b: V): V {
  return holdsNowhere(o, lanes, o.simd('v128.or', isSpecial(o, lanes, a), isSpecial(o, lanes, b)), extent)
}

/** `cmpss xmm1, xmm2/m32, imm8`, `cmpsd`. */
function compareScalar(lanes: Lanes, routines: readonly Routine[]): Semantics {
  return (c, insn) => {
    enter(c, insn)
    const { reg } = insn.operands[0]
    const predicate = immediate(insn) % PREDICATES
    const b = readPart(c, insn, 1, lanes.bits)
    const a = xmm(c, reg)
    const control = mxcsr(c)
    const value = withLow(c, lanes, plainMask(c, lanes, predicate, a, b), a)
    const result = orElse(c, control, { value, trusted: isOrdinary(c, lanes, 'low', a, b) }, () => {
      const [x, y] = [a, b].map((vector) => c.extractLane(lanes.shape, vector, 0))
      const [mask, flags] = c.call(routines[predicate], x, y, control)
      return [c.replaceLane(lanes.shape, a, 0, mask), flags]
    })
    setXmm(c, reg, result)
  }
}

/** `cmpps xmm1, xmm2/m128, imm8`, `cmppd`. */
function comparePacked(lanes: Lanes, routines: readonly Routine[]): Semantics {
  return (c, insn) => {
    enter(c, insn)
    const { reg } = insn.operands[0]
    const predicate = immediate(insn) % PREDICATES
    const b = readVector(c, insn, 1)
    const a = xmm(c, reg)
    const control = mxcsr(c)
    const value = plainMask(c, lanes, predicate, a, b)
    const trusted = isOrdinary(c, lanes, 'all', a, b)
    setXmm(
      c,
      reg,
      orElse(c, control, { value, trusted }, () => c.call(routines[predicate], a, b, control)),
    )
  }
}

/** COMISS, COMISD, UCOMISS, UCOMISD: ZF, PF, CF from the comparison; OF, SF, AF cleared. */
function compareFlags(lanes: Lanes, routine: Routine): Semantics {
  return (c, insn) => {
    enter(c, insn)
    const b = readPart(c, insn, 1, lanes.bits)
    const a = xmm(c, insn.operands[0].reg)
    const control = mxcsr(c)
    const flag = (name: 'lt' | 'eq', bit: number) =>
      c.and(c.extractLane('i32x4', c.simd(`${lanes.float}.${name}`, a, b), 0), c.i32(bit))
    const value = c.or(flag('lt', Flag.CF), flag('eq', Flag.ZF))
    const relation = orElse(c, control, { value, trusted: isOrdinary(c, lanes, 'low', a, b) }, () => {
      const [x, y] = [a, b].map((vector) => c.extractLane(lanes.shape, vector, 0))
      return c.call(routine, x, y, control)
    })
    c.setStatusFlags(relation)
  }
}

const masks32 = perPredicate((predicate) => maskRoutine('f32Mask', single, f32, predicate))
const masks64 = perPredicate((predicate) => maskRoutine('f64Mask', double, f64, predicate))

/** Comparisons. */
export const comparisons: SemanticsTable = {
  cmpps: comparePacked(single, allLanes('cmpps', single, masks32)),
  cmppd: comparePacked(double, allLanes('cmppd', double, masks64)),
  cmpss: compareScalar(single, masks32),
  cmpsd_sse: compareScalar(double, masks64),
  comiss: compareFlags(single, f32.compare),
  comisd: compareFlags(double, f64.compare),
  ucomiss: compareFlags(single, f32.compareQuiet),
  ucomisd: compareFlags(double, f64.compareQuiet),
}
