/** Addition, subtraction, logic and comparison (SDM vol. 2: ADC ADD AND CMP DEC INC NEG NOT OR SBB SUB TEST XADD XOR). */
import type { Insn } from '@vmexit/x86-decoder'
import type { Processor, SemanticsTable } from '../processor.ts'
import { canonical, constant, sizeOf, source, widen } from './operands.ts'

type Binary = <V>(c: Processor<V>, a: V, b: V) => V

function logic(combine: Binary) {
  return <V>(c: Processor<V>, insn: Insn): void => {
    const b = source(c, insn, 1, sizeOf(insn, 0))
    c.modify(insn, 0, (a) => {
      const result = c.let(combine(c, a, b))
      c.flagsLogic(result)
      return result
    })
  }
}

export const arithmetic: SemanticsTable = {
  add(c, insn) {
    const bits = sizeOf(insn, 0)
    const b = source(c, insn, 1, bits)
    c.modify(insn, 0, (a) => {
      const result = c.let(canonical(c, bits, c.add(a, b)))
      c.flagsAdd(a, b, result)
      return result
    })
  },
  adc(c, insn) {
    const bits = sizeOf(insn, 0)
    const carryIn = c.let(c.carry())
    const b = source(c, insn, 1, bits)
    c.modify(insn, 0, (a) => {
      const result = c.let(canonical(c, bits, c.add(c.add(a, b), widen(c, bits, carryIn))))
      const carryOut = c.or(c.ltU(result, a), c.and(carryIn, c.eq(result, a)))
      c.flagsAdc(a, b, result, carryOut)
      return result
    })
  },
  sub(c, insn) {
    const bits = sizeOf(insn, 0)
    const b = source(c, insn, 1, bits)
    c.modify(insn, 0, (a) => {
      const result = c.let(canonical(c, bits, c.sub(a, b)))
      c.flagsSub(a, b, result)
      return result
    })
  },
  sbb(c, insn) {
    const bits = sizeOf(insn, 0)
    const borrowIn = c.let(c.carry())
    const b = source(c, insn, 1, bits)
    c.modify(insn, 0, (a) => {
      const result = c.let(canonical(c, bits, c.sub(c.sub(a, b), widen(c, bits, borrowIn))))
      const borrowOut = c.or(c.ltU(a, b), c.and(borrowIn, c.eq(a, b)))
      c.flagsSbb(a, b, result, borrowOut)
      return result
    })
  },
  cmp(c, insn) {
    const bits = sizeOf(insn, 0)
    const b = source(c, insn, 1, bits)
    const a = c.read(insn, 0)
    c.flagsSub(a, b, c.let(canonical(c, bits, c.sub(a, b))))
  },
  and: logic((c, a, b) => c.and(a, b)),
  or: logic((c, a, b) => c.or(a, b)),
  xor: logic((c, a, b) => c.xor(a, b)),
  test(c, insn) {
    const b = source(c, insn, 1, sizeOf(insn, 0))
    c.flagsLogic(c.let(c.and(c.read(insn, 0), b)))
  },
  inc(c, insn) {
    const bits = sizeOf(insn, 0)
    c.modify(insn, 0, (a) => {
      const result = c.let(canonical(c, bits, c.add(a, constant(c, bits, 1))))
      c.flagsInc(a, result)
      return result
    })
  },
  dec(c, insn) {
    const bits = sizeOf(insn, 0)
    c.modify(insn, 0, (a) => {
      const result = c.let(canonical(c, bits, c.sub(a, constant(c, bits, 1))))
      c.flagsDec(a, result)
      return result
    })
  },
  neg(c, insn) {
    const bits = sizeOf(insn, 0)
    c.modify(insn, 0, (a) => {
      const zero = constant(c, bits, 0)
      const result = c.let(canonical(c, bits, c.sub(zero, a)))
      c.flagsSub(zero, a, result)
      return result
    })
  },
  not(c, insn) {
    c.modify(insn, 0, (a) => c.xor(a, constant(c, sizeOf(insn, 0), -1)))
  },
  /** The old destination goes to the source before the sum is written: with one register for both, the sum stays. */
  xadd(c, insn) {
    const bits = sizeOf(insn, 0)
    const b = c.read(insn, 1)
    c.modify(insn, 0, (a) => {
      const result = c.let(canonical(c, bits, c.add(a, b)))
      c.flagsAdd(a, b, result)
      c.write(insn, 1, a)
      return result
    })
  },
  cmpxchg(c, insn) {
    const bits = sizeOf(insn, 0)
    const replacement = c.read(insn, 1)
    const expected = c.gpr(0, bits)
    c.modify(insn, 0, (a) => {
      const result = c.let(canonical(c, bits, c.sub(expected, a)))
      c.flagsSub(expected, a, result)
      const equal = c.let(c.eq(expected, a))
      c.if(c.eqz(equal), () => c.setGpr(0, bits, a))
      return c.select(equal, replacement, a)
    })
  },
  /** ZF alone changes; the destination is written in either case. */
  cmpxchg8b(c, insn) {
    const pair = <V>(p: Processor<V>, high: number, low: number): V =>
      p.let(p.or(p.shl(p.extendU(p.gpr(high, 32)), p.i64(32n)), p.extendU(p.gpr(low, 32))))
    const expected = pair(c, 2, 0)
    const replacement = pair(c, 1, 3)
    c.modify(insn, 0, (a) => {
      const equal = c.let(c.eq(a, expected))
      c.setStatusFlags(c.let(c.or(c.and(c.statusFlags(), c.i32(~0x40)), c.shl(equal, c.i32(6)))))
      c.if(c.eqz(equal), () => {
        c.setGpr(0, 32, c.wrap(a))
        c.setGpr(2, 32, c.wrap(c.shr(a, c.i64(32n))))
      })
      return c.select(equal, replacement, a)
    })
  },
  cmpxchg16b(c, insn) {
    const address = c.let(c.address(insn))
    c.probeWrite(insn.seg, address, 16)
    const old = c.load128(insn.seg, address, true)
    const low = c.let(c.extractLane('i64x2', old, 0))
    const high = c.let(c.extractLane('i64x2', old, 1))
    const equal = c.let(c.and(c.eq(low, c.gpr(0, 64)), c.eq(high, c.gpr(2, 64))))
    const replacement = c.replaceLane('i64x2', c.splat('i64x2', c.gpr(3, 64)), 1, c.gpr(1, 64))
    c.if(
      equal,
      () => c.store128(insn.seg, address, c.let(replacement), true),
      () => {
        c.store128(insn.seg, address, old, true)
        c.setGpr(0, 64, low)
        c.setGpr(2, 64, high)
      },
    )
    c.setStatusFlags(c.let(c.or(c.and(c.statusFlags(), c.i32(~0x40)), c.shl(equal, c.i32(6)))))
  },
}
