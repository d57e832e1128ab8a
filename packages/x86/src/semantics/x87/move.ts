/** Loads, stores, constants and moves within the stack (SDM vol. 1, 8.3.3, 8.3.4). */
import type { Insn } from '@vmexit/x86-decoder'
import type { Routine } from '../../ops/ops.ts'
import { type Extended, INDEFINITE } from '../../softfloat/extended.ts'
import { f80FromBcd, f80ToBcd } from '../../softfloat/extended-bcd.ts'
import { f80ToF32, f80ToF64, f80ToI16, f80ToI32, f80ToI64 } from '../../softfloat/extended-convert.ts'
import { binary32, binary64, defaultNan } from '../../softfloat/format.ts'
import type { Processor, Semantics, SemanticsTable } from '../processor.ts'
import { loadInteger, loadReal, quieted } from './operand.ts'
import {
  anyEmpty,
  clearC1,
  conclude,
  concludeStore,
  controlWord,
  enter,
  hasMemoryOperand,
  indefinite,
  moveTop,
  operandRegister,
  point,
  pop,
  push,
  read,
  type Store,
  stackFault,
  stackFaultStore,
  stackRegister,
  tagEmpty,
  tagValid,
  write,
} from './unit.ts'

/** Push unless ST(7) is in use. */
function load<V>(c: Processor<V>, value: Extended<V>, flags: V): void {
  c.if(
    c.rare(c.eqz(anyEmpty(c, stackRegister(c, -1)))),
    () => stackFault(c, 'overflow', () => push(c, indefinite(c))),
    () => conclude(c, flags, () => push(c, value)),
  )
}

const fld: Semantics = (c, insn) => {
  enter(c)
  if (hasMemoryOperand(insn)) {
    const loaded = loadReal(c, insn)
    point(c, insn, loaded.offset)
    load(c, quieted(c, loaded), loaded.flags)
    return
  }
  const source = operandRegister(c, insn, 0)
  point(c, insn)
  c.if(
    c.rare(anyEmpty(c, source)),
    () => stackFault(c, 'underflow', () => push(c, indefinite(c))),
    () => load(c, read(c, source), c.i32(0)),
  )
}

const fild: Semantics = (c, insn) => {
  enter(c)
  const loaded = loadInteger(c, insn)
  point(c, insn, loaded.offset)
  load(c, loaded.value, loaded.flags)
}

const fbld: Semantics = (c, insn) => {
  enter(c)
  const offset = c.let(c.address(insn))
  const low = c.load(insn.seg, offset, 64)
  const high = c.load(insn.seg, c.displace(insn, offset, 8), 16)
  const [significand, se] = c.call(f80FromBcd, low, high)
  point(c, insn, offset)
  load(c, { significand: significand!, se: se! }, c.i32(0))
}

/** The value rounded by RC: `below` to nearest, down and towards zero; one more in the last place where `up` says so. */
function constant(se: number, significand: bigint, nearestUp: boolean): Semantics {
  return (c, insn) => {
    enter(c)
    point(c, insn)
    // RC: 0 nearest, 1 down, 2 up, 3 towards zero. All constants are positive.
    const rounding = c.let(c.and(c.shr(controlWord(c), c.i32(10)), c.i32(3)))
    const up = c.eq(rounding, c.i32(2))
    const more = c.let(nearestUp ? c.or(up, c.eqz(rounding)) : up)
    load(c, { significand: c.add(c.i64(significand), c.extendU(more)), se: c.i32(se) }, c.i32(0))
  }
}
function exact(se: number, significand: bigint): Semantics {
  return (c, insn) => {
    enter(c)
    point(c, insn)
    load(c, { significand: c.i64(significand), se: c.i32(se) }, c.i32(0))
  }
}

/** What a store of one size does with ST(0). */
interface Storing {
  readonly routine: Routine
  readonly indefinite: bigint
}
const reals: Readonly<Record<number, Storing>> = {
  32: { routine: f80ToF32, indefinite: defaultNan(binary32) },
  64: { routine: f80ToF64, indefinite: defaultNan(binary64) },
}
const integers: Readonly<Record<number, Storing>> = {
  16: { routine: f80ToI16, indefinite: 0x8000n },
  32: { routine: f80ToI32, indefinite: 0x8000_0000n },
  64: { routine: f80ToI64, indefinite: 1n << 63n },
}

/** Convert ST(0) and store it; pop when the instruction does. */
function storeConverted<V>(c: Processor<V>, insn: Insn, { routine, indefinite }: Storing, pops: boolean): void {
  const { size } = insn.operands[0]!
  const offset = c.let(c.address(insn))
  const register = stackRegister(c, 0)
  const after = (): void => {
    point(c, insn, offset)
    if (pops) pop(c)
  }
  const storing = (value: V): Store => ({
    store: () => c.store(insn.seg, offset, size, value),
    probe: () => c.probeWrite(insn.seg, offset, size >> 3),
  })
  c.if(
    c.rare(anyEmpty(c, register)),
    () => {
      const value = size === 64 ? c.i64(indefinite) : c.i32(Number(BigInt.asIntN(32, indefinite)))
      stackFaultStore(c, storing(value), after)
    },
    () => {
      const a = read(c, register)
      const [value, flags] = c.call(routine, a.significand, a.se, controlWord(c))
      concludeStore(c, flags!, storing(value!), after)
    },
  )
}

/** Store ten bytes. */
function storeTen<V>(c: Processor<V>, insn: Insn, offset: V, low: V, high: V): Store {
  const probe = (): void => {
    c.probeWrite(insn.seg, offset, 8)
    c.probeWrite(insn.seg, offset, 10)
  }
  const store = (): void => {
    c.probeWrite(insn.seg, offset, 10)
    c.store(insn.seg, offset, 64, low)
    c.store(insn.seg, c.displace(insn, offset, 8), 16, high)
  }
  return { store, probe }
}

function storeExtended<V>(c: Processor<V>, insn: Insn): void {
  const offset = c.let(c.address(insn))
  const register = stackRegister(c, 0)
  const after = (): void => {
    point(c, insn, offset)
    pop(c)
  }
  c.if(
    c.rare(anyEmpty(c, register)),
    () => {
      const low = c.i64(INDEFINITE.significand)
      stackFaultStore(c, storeTen(c, insn, offset, low, c.i32(INDEFINITE.se)), after)
    },
    () => {
      const { significand, se } = read(c, register)
      storeTen(c, insn, offset, significand, se).store()
      clearC1(c)
      after()
    },
  )
}

function storeRegister<V>(c: Processor<V>, insn: Insn, pops: boolean): void {
  const source = stackRegister(c, 0)
  const destination = operandRegister(c, insn, 0)
  point(c, insn)
  const finish = (value: Extended<V>): void => {
    write(c, destination, value)
    tagValid(c, destination)
    if (pops) pop(c)
  }
  c.if(
    c.rare(anyEmpty(c, source)),
    () => stackFault(c, 'underflow', () => finish(indefinite(c))),
    () => {
      clearC1(c)
      finish(read(c, source))
    },
  )
}

function storeReal(pops: boolean): Semantics {
  return (c, insn) => {
    enter(c)
    if (!hasMemoryOperand(insn)) storeRegister(c, insn, pops)
    else if (insn.operands[0]!.size === 80) storeExtended(c, insn)
    else storeConverted(c, insn, reals[insn.operands[0]!.size]!, pops)
  }
}
function storeInteger(pops: boolean): Semantics {
  return (c, insn) => {
    enter(c)
    storeConverted(c, insn, integers[insn.operands[0]!.size]!, pops)
  }
}

/** FSTPNCE, in no manual: processors execute D9 D8+i as an FSTP that finds no fault with an empty ST(0), and then does not store. */
const fstpnce: Semantics = (c, insn) => {
  enter(c)
  point(c, insn)
  clearC1(c)
  const source = stackRegister(c, 0)
  const destination = operandRegister(c, insn, 0)
  c.if(c.eqz(anyEmpty(c, source)), () => {
    write(c, destination, read(c, source))
    tagValid(c, destination)
  })
  pop(c)
}

const fbstp: Semantics = (c, insn) => {
  enter(c)
  const offset = c.let(c.address(insn))
  const register = stackRegister(c, 0)
  const after = (): void => {
    point(c, insn, offset)
    pop(c)
  }
  c.if(
    c.rare(anyEmpty(c, register)),
    () => {
      stackFaultStore(c, storeTen(c, insn, offset, c.i64(INDEFINITE.significand), c.i32(0xffff)), after)
    },
    () => {
      const a = read(c, register)
      const [low, high, flags] = c.call(f80ToBcd, a.significand, a.se, controlWord(c))
      concludeStore(c, flags!, storeTen(c, insn, offset, low!, high!), after)
    },
  )
}

/** FXCH: empty registers are filled with the indefinite before they are exchanged, when the stack fault is masked. */
const fxch: Semantics = (c, insn) => {
  enter(c)
  const first = stackRegister(c, 0)
  const second = operandRegister(c, insn, 0)
  point(c, insn)
  const exchange = (): void => {
    const a = read(c, first)
    const b = read(c, second)
    write(c, first, b)
    write(c, second, a)
  }
  c.if(
    c.rare(anyEmpty(c, first, second)),
    () =>
      stackFault(c, 'underflow', () => {
        for (const register of [first, second]) {
          c.if(anyEmpty(c, register), () => {
            write(c, register, indefinite(c))
            tagValid(c, register)
          })
        }
        exchange()
      }),
    () => {
      clearC1(c)
      exchange()
    },
  )
}

/** FCMOVcc: the condition code is that of Jcc. */
function conditionalMove(cc: number): Semantics {
  return (c, insn) => {
    enter(c)
    const destination = stackRegister(c, 0)
    const source = operandRegister(c, insn, 1)
    point(c, insn)
    c.if(
      c.rare(anyEmpty(c, destination, source)),
      () =>
        stackFault(c, 'underflow', () => {
          write(c, destination, indefinite(c))
          tagValid(c, destination)
        }),
      () => c.if(c.condition(cc), () => write(c, destination, read(c, source))),
    )
  }
}

const ffree: Semantics = (c, insn) => {
  enter(c)
  point(c, insn)
  clearC1(c)
  tagEmpty(c, operandRegister(c, insn, 0))
}
/** FFREEP: FFREE and a pop. */
const ffreep: Semantics = (c, insn) => {
  enter(c)
  point(c, insn)
  clearC1(c)
  tagEmpty(c, operandRegister(c, insn, 0))
  pop(c)
}
function rotate(by: number): Semantics {
  return (c, insn) => {
    enter(c)
    point(c, insn)
    clearC1(c)
    moveTop(c, by)
  }
}

/** FLD of constants: sign and exponent, the significand cut off, and whether the nearest value is the next one up (SDM vol. 1, 8.3.4). */
const constants: SemanticsTable = {
  fld1: exact(0x3fff, 0x8000_0000_0000_0000n),
  fldz: exact(0, 0n),
  fldl2t: constant(0x4000, 0xd49a_784b_cd1b_8afen, false),
  fldl2e: constant(0x3fff, 0xb8aa_3b29_5c17_f0bbn, true),
  fldpi: constant(0x4000, 0xc90f_daa2_2168_c234n, true),
  fldlg2: constant(0x3ffd, 0x9a20_9a84_fbcf_f798n, true),
  fldln2: constant(0x3ffe, 0xb172_17f7_d1cf_79abn, true),
}

export const moves: SemanticsTable = {
  ...constants,
  fld,
  fild,
  fbld,
  fst: storeReal(false),
  fstp: storeReal(true),
  fist: storeInteger(false),
  fistp: storeInteger(true),
  fstpnce,
  fbstp,
  fxch,
  fcmovb: conditionalMove(2),
  fcmove: conditionalMove(4),
  fcmovbe: conditionalMove(6),
  fcmovu: conditionalMove(10),
  fcmovnb: conditionalMove(3),
  fcmovne: conditionalMove(5),
  fcmovnbe: conditionalMove(7),
  fcmovnu: conditionalMove(11),
  ffree,
  ffreep,
  fdecstp: rotate(-1),
  fincstp: rotate(1),
}
