/**
 * Shifts and rotates (SDM vol. 2: RCL RCR ROL ROR SAL SAR SHL SHR SHLD SHRD).
 * The count is taken modulo 32 (64 for 64-bit operands); a count of 0 leaves the flags alone. OF, defined for a count of 1
 * only, is computed by the same formula for every count, as processors do.
 */
import type { Insn } from '@vmexit/x86-decoder'
import { Kind } from '@vmexit/x86-decoder'
import type { Processor, SemanticsTable } from '../processor.ts'
import { canonical, constant, narrow, signBit, sizeOf, unsigned, widen } from './operands.ts'

/** The masked count as i32. A constant 0 stays constant, so that generators see it. */
function countOf<V>(c: Processor<V>, insn: Insn, n: number, bits: number): V {
  const mask = bits === 64 ? 63 : 31
  return c.let(c.and(c.readU(insn, n), c.i32(mask)))
}

interface Shifted<V> {
  readonly result: V
  readonly overflow: V
  readonly carry: V
}
/** `a` canonical, `count` 1–31 (63) as i32. */
type Shift = <V>(c: Processor<V>, bits: number, a: V, count: V) => Shifted<V>

/** With a count of 0 the operand is still read for writing (a fault can happen) and nothing changes. */
function shift(compute: Shift, flags: 'all' | 'rotate') {
  return <V>(c: Processor<V>, insn: Insn): void => {
    const bits = sizeOf(insn, 0)
    const count = countOf(c, insn, 1, bits)
    const always = insn.operands[1]!.kind === Kind.one
    c.modify(insn, 0, (a) => {
      const { result, overflow, carry } = compute(c, bits, a, count)
      const set = (): void =>
        flags === 'all' ? c.flagsResult(result, overflow, carry) : c.flagsRotate(overflow, carry)
      if (always) {
        set()
        return result
      }
      c.if(count, set)
      return c.select(count, result, a)
    })
  }
}

const one = <V>(c: Processor<V>, bits: number): V => constant(c, bits, 1)
const lowBit = <V>(c: Processor<V>, bits: number, v: V): V => narrow(c, bits, c.and(v, one(c, bits)))

const shl: Shift = (c, bits, a, count) => {
  const n = c.let(widen(c, bits, count))
  const v = c.let(unsigned(c, bits, a))
  const shifted = c.let(c.shl(v, n))
  const result = c.let(canonical(c, bits, shifted))
  const out = bits < 32 ? c.shr(shifted, c.i32(bits)) : c.shr(v, c.sub(constant(c, bits, bits), n))
  const carry = c.let(lowBit(c, bits, out))
  return { result, carry, overflow: c.let(c.xor(signBit(c, bits, result), carry)) }
}
const shr: Shift = (c, bits, a, count) => {
  const n = c.let(widen(c, bits, count))
  const v = c.let(unsigned(c, bits, a))
  const result = c.let(canonical(c, bits, c.shr(v, n)))
  const carry = c.let(lowBit(c, bits, c.shr(v, c.sub(n, one(c, bits)))))
  return { result, carry, overflow: c.let(signBit(c, bits, a)) }
}
const sar: Shift = (c, bits, a, count) => {
  const n = c.let(widen(c, bits, count))
  return {
    result: c.let(c.sar(a, n)),
    carry: c.let(lowBit(c, bits, c.sar(a, c.sub(n, one(c, bits))))),
    overflow: c.i32(0),
  }
}

/** `v` zero-extended, rotated left by 0 ≤ n < bits; i32 or i64. */
function rotateLeft<V>(c: Processor<V>, bits: number, v: V, n: V): V {
  if (bits >= 32) return c.rotl(v, widen(c, bits, n))
  return c.or(c.shl(v, n), c.shr(v, c.sub(c.i32(bits), n)))
}
const rol: Shift = (c, bits, a, count) => {
  const n = c.let(c.and(count, c.i32(bits - 1)))
  const v = c.let(unsigned(c, bits, a))
  const result = c.let(canonical(c, bits, rotateLeft(c, bits, v, n)))
  const carry = c.let(lowBit(c, bits, result))
  return { result, carry, overflow: c.let(c.xor(carry, signBit(c, bits, result))) }
}
const ror: Shift = (c, bits, a, count) => {
  const n = c.let(c.and(c.sub(c.i32(0), count), c.i32(bits - 1)))
  const v = c.let(unsigned(c, bits, a))
  const result = c.let(canonical(c, bits, rotateLeft(c, bits, v, n)))
  const carry = c.let(signBit(c, bits, result))
  const next = signBit(c, bits, canonical(c, bits, c.shl(result, one(c, bits))))
  return { result, carry, overflow: c.let(c.xor(carry, next)) }
}

/** Rotate the operand and CF together, as a value of bits + 1 bits. `n` is already reduced to 0 … bits. */
function rotateThroughCarry<V>(c: Processor<V>, bits: number, v: V, n: V): { value: V; carry: V } {
  const carryIn = c.let(c.carry())
  if (bits === 64) {
    // Two halves of one 65-bit rotate: n and 64 − n, each shift split so that a count of 64 clears.
    const wide = c.let(c.extendU(n))
    const left = c.shl(v, wide)
    const right = c.shr(c.shr(v, c.i64(1n)), c.sub(c.i64(64n), wide))
    const inserted = c.shl(c.extendU(carryIn), c.sub(wide, c.i64(1n)))
    const out = c.and(c.wrap(c.shr(v, c.sub(c.i64(64n), wide))), c.i32(1))
    return {
      value: c.select(n, c.or(c.or(left, right), inserted), v),
      carry: c.select(n, out, carryIn),
    }
  }
  const all = c.let(c.or(c.extendU(v), c.shl(c.extendU(carryIn), c.i64(BigInt(bits)))))
  const wide = c.let(c.extendU(n))
  const rotated = c.let(c.or(c.shl(all, wide), c.shr(all, c.sub(c.i64(BigInt(bits + 1)), wide))))
  return { value: c.wrap(rotated), carry: c.and(c.wrap(c.shr(rotated, c.i64(BigInt(bits)))), c.i32(1)) }
}
/** Counts beyond bits + 1 (8- and 16-bit operands) wrap at bits + 1. */
const reduce = <V>(c: Processor<V>, bits: number, count: V): V => (bits < 32 ? c.remU(count, c.i32(bits + 1)) : count)

const rcl: Shift = (c, bits, a, count) => {
  const n = c.let(reduce(c, bits, count))
  const turned = rotateThroughCarry(c, bits, c.let(unsigned(c, bits, a)), n)
  const result = c.let(canonical(c, bits, turned.value))
  const carry = c.let(turned.carry)
  return { result, carry, overflow: c.let(c.xor(carry, signBit(c, bits, result))) }
}
const rcr: Shift = (c, bits, a, count) => {
  const back = reduce(c, bits, count)
  // Right by n is left by bits + 1 − n; n = 0 stays.
  const n = c.let(c.select(c.let(back), c.sub(c.i32(bits + 1), c.let(back)), c.i32(0)))
  const turned =
    bits === 64 ? rotateRightThroughCarry64(c, a, count) : rotateThroughCarry(c, bits, c.let(unsigned(c, bits, a)), n)
  const result = c.let(canonical(c, bits, turned.value))
  const next = signBit(c, bits, canonical(c, bits, c.shl(result, one(c, bits))))
  return { result, carry: c.let(turned.carry), overflow: c.let(c.xor(signBit(c, bits, result), next)) }
}
function rotateRightThroughCarry64<V>(c: Processor<V>, v: V, n: V): { value: V; carry: V } {
  const carryIn = c.let(c.carry())
  const wide = c.let(c.extendU(n))
  const right = c.shr(v, wide)
  const left = c.shl(c.shl(v, c.i64(1n)), c.sub(c.i64(64n), wide))
  const inserted = c.shl(c.extendU(carryIn), c.sub(c.i64(64n), wide))
  const out = c.and(c.wrap(c.shr(v, c.sub(wide, c.i64(1n)))), c.i32(1))
  return { value: c.select(n, c.or(c.or(left, right), inserted), v), carry: c.select(n, out, carryIn) }
}

/**
 * SHLD and SHRD. 16-bit operands are rotated as destination:source, so that counts of 17–31, undefined by the manual,
 * bring the destination's own bits back in.
 */
function double(left: boolean) {
  return <V>(c: Processor<V>, insn: Insn): void => {
    const bits = sizeOf(insn, 0)
    const other = c.readU(insn, 1)
    const count = countOf(c, insn, 2, bits)
    c.modify(insn, 0, (a) => {
      const { result, carry } = left
        ? shiftLeftDouble(c, bits, a, other, count)
        : shiftRightDouble(c, bits, a, other, count)
      c.if(count, () => c.flagsResult(result, c.let(c.xor(signBit(c, bits, result), signBit(c, bits, a))), carry))
      return c.select(count, result, a)
    })
  }
}
function shiftLeftDouble<V>(c: Processor<V>, bits: number, a: V, other: V, count: V): { result: V; carry: V } {
  const n = c.let(widen(c, bits, count))
  if (bits === 16) {
    const both = c.let(c.or(c.shl(a, c.i32(16)), other))
    const turned = c.let(c.rotl(both, n))
    return { result: c.let(c.sar(turned, c.i32(16))), carry: c.let(c.and(turned, c.i32(1))) }
  }
  const back = c.let(c.sub(constant(c, bits, bits), n))
  return { result: c.let(c.or(c.shl(a, n), c.shr(other, back))), carry: c.let(lowBit(c, bits, c.shr(a, back))) }
}
function shiftRightDouble<V>(c: Processor<V>, bits: number, a: V, other: V, count: V): { result: V; carry: V } {
  const n = c.let(widen(c, bits, count))
  const carry = c.let(lowBit(c, bits, c.shr(unsigned(c, bits, a), c.sub(n, one(c, bits)))))
  if (bits === 16) {
    const both = c.let(c.or(c.and(a, c.i32(0xffff)), c.shl(other, c.i32(16))))
    const turned = c.let(c.rotr(both, n))
    return { result: c.let(c.signExtend(turned, 16)), carry: c.let(c.and(c.shr(turned, c.i32(31)), c.i32(1))) }
  }
  return { result: c.let(c.or(c.shr(a, n), c.shl(other, c.sub(constant(c, bits, bits), n)))), carry }
}

export const shifts: SemanticsTable = {
  shl: shift(shl, 'all'),
  shr: shift(shr, 'all'),
  sar: shift(sar, 'all'),
  rol: shift(rol, 'rotate'),
  ror: shift(ror, 'rotate'),
  rcl: shift(rcl, 'rotate'),
  rcr: shift(rcr, 'rotate'),
  shld: double(true),
  shrd: double(false),
}
