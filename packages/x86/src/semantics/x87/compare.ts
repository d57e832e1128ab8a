/** Comparison and classification (SDM vol. 1, 8.3.6; vol. 2, FCOM, FUCOM, FICOM, FCOMI, FTST, FXAM). */
import { type Insn, Kind } from '@vmexit/x86-decoder'
import type { Routine } from '../../ops/ops.ts'
import { Exception } from '../../softfloat/arithmetic.ts'
import { type Extended, exponentOf, isNan, isUnsupported, isZero, SPECIAL, signOf } from '../../softfloat/extended.ts'
import { f80Compare, f80CompareQuiet } from '../../softfloat/extended-compare.ts'
import type { Processor, Semantics, SemanticsTable } from '../processor.ts'
import { loadInteger, loadReal } from './operand.ts'
import {
  anyEmpty,
  CODES,
  conclude,
  enter,
  hasMemoryOperand,
  point,
  pop,
  type Register,
  read,
  Status,
  setStatusWord,
  stackFault,
  stackRegister,
  statusWord,
  unmaskedOf,
} from './unit.ts'

/** The EFLAGS image of an unordered comparison. */
const UNORDERED = 0x45

/** Where the outcome goes: C3, C2, C0 or ZF, PF, CF. */
type Target = 'codes' | 'eflags'

/**
 * After an invalid operation that is not masked the outcome is not delivered, but OF, SF and AF are cleared all the same; a
 * denormal operand that is not masked only holds up the pop (SDM vol. 2, FCOM and FCOMI; vol. 1, 8.5.2).
 */
function deliver<V>(c: Processor<V>, target: Target, relation: V, unmasked: V): void {
  c.if(
    c.and(unmasked, c.i32(Exception.invalid)),
    () => {
      if (target === 'eflags') c.setStatusFlags(c.let(c.and(c.statusFlags(), c.i32(UNORDERED))))
    },
    () => {
      if (target === 'eflags') c.setStatusFlags(relation)
      else setStatusWord(c, c.or(c.and(statusWord(c), c.i32(~CODES)), c.shl(relation, c.i32(8))))
    },
  )
}

/** Compare ST(0) with `b`; `flags` are those of loading it. `needed` must not be empty. */
function compare<V>(
  c: Processor<V>,
  routine: Routine,
  target: Target,
  pops: number,
  needed: readonly Register<V>[],
  second: () => { value: Extended<V>; flags: V },
): void {
  const popAll = (): void => {
    for (let i = 0; i < pops; i++) pop(c)
  }
  c.if(
    c.rare(anyEmpty(c, ...needed)),
    () => {
      deliver(c, target, c.i32(UNORDERED), unmaskedOf(c, c.i32(Exception.invalid)))
      stackFault(c, 'underflow', popAll)
    },
    () => {
      const a = read(c, needed[0]!)
      const b = second()
      const [relation, flags] = c.call(routine, a.significand, a.se, b.value.significand, b.value.se) as [V, V]
      const unordered = c.eq(relation, c.i32(UNORDERED))
      const denormal = c.select(unordered, c.i32(0), c.and(b.flags, c.i32(Exception.denormal)))
      const found = c.let(c.or(flags, denormal))
      deliver(c, target, relation, unmaskedOf(c, found))
      conclude(c, found, popAll)
    },
  )
}

/** ST(0) with ST(i), the last operand, or ST(1). */
function registers(routine: Routine, target: Target, pops: number): Semantics {
  return (c, insn) => {
    enter(c)
    compareRegisters(c, insn, routine, target, pops)
  }
}
function compareRegisters<V>(c: Processor<V>, insn: Insn, routine: Routine, target: Target, pops: number): void {
  const operand = insn.operands.at(-1)
  const first = stackRegister(c, 0)
  const second = stackRegister(c, operand?.kind === Kind.st ? operand.reg : 1)
  point(c, insn)
  compare(c, routine, target, pops, [first, second], () => ({ value: read(c, second), flags: c.i32(0) }))
}

function real(pops: number): Semantics {
  return (c, insn) => {
    enter(c)
    if (!hasMemoryOperand(insn)) {
      compareRegisters(c, insn, f80Compare, 'codes', pops)
      return
    }
    const loaded = loadReal(c, insn)
    point(c, insn, loaded.offset)
    compare(c, f80Compare, 'codes', pops, [stackRegister(c, 0)], () => loaded)
  }
}
function integer(pops: number): Semantics {
  return (c, insn) => {
    enter(c)
    const loaded = loadInteger(c, insn)
    point(c, insn, loaded.offset)
    compare(c, f80Compare, 'codes', pops, [stackRegister(c, 0)], () => loaded)
  }
}

/** FTST: ST(0) with +0. */
const ftst: Semantics = (c, insn) => {
  enter(c)
  point(c, insn)
  const zero = { value: { significand: c.i64(0n), se: c.i32(0) }, flags: c.i32(0) }
  compare(c, f80Compare, 'codes', 0, [stackRegister(c, 0)], () => zero)
}

/** FXAM (SDM vol. 2, table 3-32): C3, C2, C0 the class, C1 the sign, of an empty register too. */
const fxam: Semantics = (c, insn) => {
  enter(c)
  const register = stackRegister(c, 0)
  point(c, insn)
  const a = read(c, register)
  const { c0, c2, c3 } = Status
  const exponent = c.let(exponentOf(c, a.se))
  const finite = c.select(exponent, c.i32(c2), c.i32(c3 | c2))
  const special = c.select(isNan(c, a), c.i32(c0), c.i32(c2 | c0))
  const notZero = c.select(c.eq(exponent, c.i32(SPECIAL)), special, finite)
  const supported = c.select(isZero(c, a), c.i32(c3), notZero)
  const held = c.select(isUnsupported(c, a), c.i32(0), supported)
  const codes = c.select(anyEmpty(c, register), c.i32(c3 | c0), held)
  const sign = c.shl(signOf(c, a.se), c.i32(9))
  const status = c.and(statusWord(c), c.i32(~(CODES | Status.c1)))
  setStatusWord(c, c.or(status, c.or(codes, sign)))
}

export const comparison: SemanticsTable = {
  fcom: real(0),
  fcomp: real(1),
  fcompp: registers(f80Compare, 'codes', 2),
  fucom: registers(f80CompareQuiet, 'codes', 0),
  fucomp: registers(f80CompareQuiet, 'codes', 1),
  fucompp: registers(f80CompareQuiet, 'codes', 2),
  ficom: integer(0),
  ficomp: integer(1),
  fcomi: registers(f80Compare, 'eflags', 0),
  fcomip: registers(f80Compare, 'eflags', 1),
  fucomi: registers(f80CompareQuiet, 'eflags', 0),
  fucomip: registers(f80CompareQuiet, 'eflags', 1),
  ftst,
  fxam,
}
