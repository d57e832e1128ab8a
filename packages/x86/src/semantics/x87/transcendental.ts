/** The transcendental instructions: plain TypeScript in every engine. */
import type { Insn } from '@vmexit/x86-decoder'
import { Evaluator, type Value } from '../../ops/evaluate.ts'
import { raiseUnavailable } from '../../reference/unavailable.ts'
import { Layout } from '../../state/layout.ts'
import type { Action, ActionTable, Core } from '../../system/core.ts'
import {
  angleOf,
  cosine,
  isOutOfRange,
  logarithmOfOnePlusTimes,
  logarithmTimes,
  ONE,
  powerMinusOne,
  sine,
  tangent,
} from './transcendental/functions.ts'
import type { Extended, Rounded } from './transcendental/real.ts'
import {
  anyEmpty,
  conclude,
  controlWord,
  indefinite,
  pop,
  push,
  type Register,
  read,
  recordPointers,
  Status,
  setStatusWord,
  stackFault,
  stackRegister,
  statusWord,
  tagValid,
  write,
} from './unit.ts'

/** The unit of one CPU, and the control word of the instruction that begins. */
class Unit extends Evaluator {
  readonly fcw: number

  /** @throws Fault #NM, or #MF for a pending exception. */
  constructor(core: Core, insn: Insn) {
    const { state } = core
    if (state.get32(Layout.fpuBlocked) !== 0 || state.get32(Layout.fsw) & Status.summary) raiseUnavailable(core, insn)
    super(state.host, state.base)
    this.fcw = controlWord<Value>(this) as number
    const start = state.get64(Layout.ip) - BigInt(insn.length)
    recordPointers<Value>(this, insn, { start: state.long64 ? start : BigInt.asUintN(32, start), operand: undefined })
  }

  rare(value: Value): Value {
    return value
  }
  value(register: Register<Value>): Extended {
    const { significand, se } = read<Value>(this, register)
    return { significand: BigInt.asUintN(64, significand as bigint), se: se as number }
  }
  isEmpty(...registers: Register<Value>[]): boolean {
    return anyEmpty<Value>(this, ...registers) !== 0
  }
  /** Write and tag valid. */
  fill(register: Register<Value>, value: Extended): void {
    write<Value>(this, register, value)
    tagValid<Value>(this, register)
  }
  setC2(on: boolean): void {
    const status = statusWord<Value>(this) as number
    setStatusWord<Value>(this, on ? (status & ~Status.c1) | Status.c2 : status & ~Status.c2)
  }
  get indefinite(): Extended {
    return indefinite<Value>(this) as Extended
  }
}

/** ST(0) := f(ST(0)). */
function unary(compute: (x: Extended, fcw: number) => Rounded): (unit: Unit, register: Register<Value>) => void {
  return (unit, register) => {
    if (unit.isEmpty(register)) {
      stackFault<Value>(unit, 'underflow', () => unit.fill(register, unit.indefinite))
      return
    }
    const { value, flags } = compute(unit.value(register), unit.fcw)
    conclude<Value>(unit, flags, () => write<Value>(unit, register, value))
  }
}

/** FSIN and FCOS: C2 says that the argument is too large. */
function trigonometric(compute: (x: Extended, fcw: number) => Rounded): Action {
  const apply = unary(compute)
  return (core, insn) => {
    const unit = new Unit(core, insn)
    const register = stackRegister<Value>(unit, 0)
    const tooLarge = !unit.isEmpty(register) && isOutOfRange(unit.value(register))
    unit.setC2(tooLarge)
    if (!tooLarge) apply(unit, register)
  }
}

/** FPTAN and FSINCOS: ST(0) := f(ST(0)), then push g of what ST(0) was. */
function pushing(compute: (x: Extended, fcw: number) => { stays: Rounded; pushed: Rounded }): Action {
  return (core, insn) => {
    const unit = new Unit(core, insn)
    const register = stackRegister<Value>(unit, 0)
    const above = stackRegister<Value>(unit, -1)
    const fault = unit.isEmpty(register) ? 'underflow' : unit.isEmpty(above) ? undefined : 'overflow'
    if (fault) {
      unit.setC2(false)
      stackFault<Value>(unit, fault, () => {
        unit.fill(register, unit.indefinite)
        push<Value>(unit, unit.indefinite)
      })
      return
    }
    const x = unit.value(register)
    unit.setC2(isOutOfRange(x))
    if (isOutOfRange(x)) return
    const { stays, pushed } = compute(x, unit.fcw)
    // C1 is about the value that stays.
    conclude<Value>(unit, stays.flags | (pushed.flags & ~Status.c1), () => {
      write<Value>(unit, register, stays.value)
      push<Value>(unit, pushed.value)
    })
  }
}
const isNan = ({ significand, se }: Extended): boolean => (se & 0x7fff) === 0x7fff && significand > 1n << 63n

/** ST(1) := f(ST(0), ST(1)), then pop. */
function popping(compute: (x: Extended, y: Extended, fcw: number) => Rounded): Action {
  return (core, insn) => {
    const unit = new Unit(core, insn)
    const x = stackRegister<Value>(unit, 0)
    const y = stackRegister<Value>(unit, 1)
    const finish = (value: Extended): void => {
      unit.fill(y, value)
      pop<Value>(unit)
    }
    if (unit.isEmpty(x, y)) {
      stackFault<Value>(unit, 'underflow', () => finish(unit.indefinite))
      return
    }
    const { value, flags } = compute(unit.value(x), unit.value(y), unit.fcw)
    conclude<Value>(unit, flags, () => finish(value))
  }
}

const f2xm1 = unary(powerMinusOne)

export const transcendental: ActionTable = {
  f2xm1: (core, insn) => {
    const unit = new Unit(core, insn)
    f2xm1(unit, stackRegister<Value>(unit, 0))
  },
  fsin: trigonometric(sine),
  fcos: trigonometric(cosine),
  fsincos: pushing((x, fcw) => ({ stays: sine(x, fcw), pushed: cosine(x, fcw) })),
  fptan: pushing((x, fcw) => {
    const stays = tangent(x, fcw)
    return { stays, pushed: isNan(stays.value) ? stays : { value: ONE, flags: 0 } }
  }),
  fpatan: popping(angleOf),
  fyl2x: popping(logarithmTimes),
  fyl2xp1: popping(logarithmOfOnePlusTimes),
}
