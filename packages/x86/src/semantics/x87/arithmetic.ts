/** Arithmetic on the x87 stack (SDM vol. 1, 8.3.5, 8.3.6, 8.3.8). */
import type { Insn } from '@vmexit/x86-decoder'
import type { Routine } from '../../ops/ops.ts'
import { Exception } from '../../softfloat/arithmetic.ts'
import { type Extended, isNan } from '../../softfloat/extended.ts'
import { f80Add, f80Sub } from '../../softfloat/extended-add.ts'
import { f80Div, f80Mul, f80Sqrt } from '../../softfloat/extended-multiply.ts'
import { f80Extract, f80RoundToInteger, f80Scale } from '../../softfloat/extended-parts.ts'
import { f80Remainder, f80RemainderNearest } from '../../softfloat/extended-remainder.ts'
import type { Processor, Semantics, SemanticsTable } from '../processor.ts'
import { type Loaded, loadInteger, loadReal } from './operand.ts'
import {
  anyEmpty,
  CODES,
  clearC1,
  conclude,
  controlWord,
  enter,
  hasMemoryOperand,
  indefinite,
  operandRegister,
  point,
  pop,
  push,
  type Register,
  read,
  Status,
  setStatusWord,
  stackFault,
  stackRegister,
  statusWord,
  tagValid,
  write,
} from './unit.ts'

/** ADD, MUL, SUB, SUBR, DIV, DIVR: what is computed of destination and source. */
interface Operation {
  readonly routine: Routine
  /** Source operand first. */
  readonly reversed: boolean
}
const operations: Readonly<Record<string, Operation>> = {
  add: { routine: f80Add, reversed: false },
  mul: { routine: f80Mul, reversed: false },
  sub: { routine: f80Sub, reversed: false },
  subr: { routine: f80Sub, reversed: true },
  div: { routine: f80Div, reversed: false },
  divr: { routine: f80Div, reversed: true },
}

interface Computed<V> {
  readonly value: Extended<V>
  readonly flags: V
}

function compute<V>(c: Processor<V>, { routine, reversed }: Operation, a: Extended<V>, b: Extended<V>): Computed<V> {
  const [x, y] = reversed ? [b, a] : [a, b]
  const [significand, se, flags] = c.call(routine, x.significand, x.se, y.significand, y.se, controlWord(c)) as [
    V,
    V,
    V,
  ]
  return { value: { significand, se }, flags }
}

/** ST(i) and ST(0), in the operands' order. */
function betweenRegisters<V>(c: Processor<V>, insn: Insn, operation: Operation, pops: boolean): void {
  const destination = operandRegister(c, insn, 0)
  const source = operandRegister(c, insn, 1)
  point(c, insn)
  const finish = (value: Extended<V>): void => {
    write(c, destination, value)
    if (pops) pop(c)
  }
  c.if(
    c.rare(anyEmpty(c, destination, source)),
    () =>
      stackFault(c, 'underflow', () => {
        tagValid(c, destination)
        finish(indefinite(c))
      }),
    () => {
      const { value, flags } = compute(c, operation, read(c, destination), read(c, source))
      conclude(c, flags, () => finish(value))
    },
  )
}

/** ST(0) and a memory operand. */
function withMemory<V>(c: Processor<V>, insn: Insn, operation: Operation, loaded: Loaded<V>): void {
  const destination = stackRegister(c, 0)
  point(c, insn, loaded.offset)
  c.if(
    c.rare(anyEmpty(c, destination)),
    () =>
      stackFault(c, 'underflow', () => {
        tagValid(c, destination)
        write(c, destination, indefinite(c))
      }),
    () => {
      const { value, flags } = compute(c, operation, read(c, destination), loaded.value)
      // A denormal of a smaller format is none any more. What comes before it: a NaN, invalid, divide-by-zero.
      const first = c.or(isNan(c, value), c.and(flags, c.i32(Exception.invalid | Exception.zeroDivide)))
      const denormal = c.select(first, c.i32(0), c.and(loaded.flags, c.i32(Exception.denormal)))
      conclude(c, c.or(flags, denormal), () => write(c, destination, value))
    },
  )
}

function real(operation: Operation): Semantics {
  return (c, insn) => {
    enter(c)
    if (hasMemoryOperand(insn)) withMemory(c, insn, operation, loadReal(c, insn))
    else betweenRegisters(c, insn, operation, false)
  }
}
function popping(operation: Operation): Semantics {
  return (c, insn) => {
    enter(c)
    betweenRegisters(c, insn, operation, true)
  }
}
function integer(operation: Operation): Semantics {
  return (c, insn) => {
    enter(c)
    withMemory(c, insn, operation, loadInteger(c, insn))
  }
}

/** An operation on ST(0) alone. */
function unary(routine: Routine): Semantics {
  return (c, insn) => {
    enter(c)
    const register = stackRegister(c, 0)
    point(c, insn)
    c.if(
      c.rare(anyEmpty(c, register)),
      () =>
        stackFault(c, 'underflow', () => {
          tagValid(c, register)
          write(c, register, indefinite(c))
        }),
      () => {
        const a = read(c, register)
        const [significand, se, flags] = c.call(routine, a.significand, a.se, controlWord(c))
        conclude(c, flags!, () => write(c, register, { significand: significand!, se: se! }))
      },
    )
  }
}

/** An operation on ST(0) and ST(1) that stays in ST(0). C2 is cleared first where it is to say something about the result. */
function withSecond(
  clearsC2: boolean,
  act: <V>(c: Processor<V>, register: Register<V>, a: Extended<V>, b: Extended<V>, status: V) => void,
): Semantics {
  return (c, insn) => {
    enter(c)
    const register = stackRegister(c, 0)
    const second = stackRegister(c, 1)
    point(c, insn)
    const status = clearsC2 ? c.let(c.and(statusWord(c), c.i32(~Status.c2))) : statusWord(c)
    c.if(
      c.rare(anyEmpty(c, register, second)),
      () =>
        stackFault(
          c,
          'underflow',
          () => {
            tagValid(c, register)
            write(c, register, indefinite(c))
          },
          status,
        ),
      () => act(c, register, read(c, register), read(c, second), status),
    )
  }
}

const fscale = withSecond(false, (c, register, a, b) => {
  const [significand, se, flags] = c.call(f80Scale, a.significand, a.se, b.significand, b.se, controlWord(c))
  conclude(c, flags!, () => write(c, register, { significand: significand!, se: se! }))
})

function remainder(routine: Routine): Semantics {
  return withSecond(true, (c, register, a, b, status) => {
    const [significand, se, codes, flags] = c.call(routine, a.significand, a.se, b.significand, b.se, controlWord(c))
    const respond = (): void => {
      write(c, register, { significand: significand!, se: se! })
      // A NaN has no quotient: C0 and C3, undefined then, stay.
      const set = c.select(isNan(c, { significand: significand!, se: se! }), c.i32(Status.c1), c.i32(CODES | Status.c1))
      setStatusWord(c, c.or(c.and(statusWord(c), c.xor(set, c.i32(-1))), codes!))
    }
    conclude(c, flags!, respond, status)
  })
}

/** FXTRACT: ST(0) becomes the exponent, the significand is pushed. */
const fxtract: Semantics = (c, insn) => {
  enter(c)
  const register = stackRegister(c, 0)
  const above = stackRegister(c, -1)
  point(c, insn)
  const respond = (): void => {
    tagValid(c, register)
    write(c, register, indefinite(c))
    push(c, indefinite(c))
  }
  c.if(
    c.rare(anyEmpty(c, register)),
    () => stackFault(c, 'underflow', respond),
    () => {
      c.if(
        c.rare(c.eqz(anyEmpty(c, above))),
        () => stackFault(c, 'overflow', respond),
        () => {
          const a = read(c, register)
          const [eSignificand, eSe, significand, se, flags] = c.call(f80Extract, a.significand, a.se)
          conclude(c, flags!, () => {
            write(c, register, { significand: eSignificand!, se: eSe! })
            push(c, { significand: significand!, se: se! })
          })
        },
      )
    },
  )
}

/** FABS and FCHS: the sign bit of whatever ST(0) holds. */
function sign(change: <V>(c: Processor<V>, se: V) => V): Semantics {
  return (c, insn) => {
    enter(c)
    const register = stackRegister(c, 0)
    point(c, insn)
    c.if(
      c.rare(anyEmpty(c, register)),
      () =>
        stackFault(c, 'underflow', () => {
          tagValid(c, register)
          write(c, register, indefinite(c))
        }),
      () => {
        clearC1(c)
        const { significand, se } = read(c, register)
        write(c, register, { significand, se: change(c, se) })
      },
    )
  }
}

const basic: Record<string, Semantics> = {}
for (const [name, operation] of Object.entries(operations)) {
  basic[`f${name}`] = real(operation)
  basic[`f${name}p`] = popping(operation)
  basic[`fi${name}`] = integer(operation)
}

export const arithmetic: SemanticsTable = {
  ...basic,
  fsqrt: unary(f80Sqrt),
  frndint: unary(f80RoundToInteger),
  fscale,
  fprem: remainder(f80Remainder),
  fprem1: remainder(f80RemainderNearest),
  fxtract,
  fabs: sign((c, se) => c.and(se, c.i32(0x7fff))),
  fchs: sign((c, se) => c.xor(se, c.i32(0x8000))),
}
