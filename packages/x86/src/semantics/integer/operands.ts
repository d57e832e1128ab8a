/** Small things that integer semantics share. */
import { type Insn, Kind } from '@vmexit/x86-decoder'
import type { Ops } from '../../ops/ops.ts'
import type { Processor } from '../processor.ts'

/** Size in bits of operand `n`. */
export const sizeOf = (insn: Insn, n: number): number => insn.operands[n]!.size
export const isRegister = (insn: Insn, n: number): boolean => insn.operands[n]!.kind === Kind.gpr

/** A constant in the type of a `bits`-wide value. */
export const constant = <V>(o: Ops<V>, bits: number, value: number): V =>
  bits === 64 ? o.i64(BigInt(value)) : o.i32(value)
/** An i32 brought to the type of a `bits`-wide value, zero-extended. */
export const widen = <V>(o: Ops<V>, bits: number, value: V): V => (bits === 64 ? o.extendU(value) : value)
/** A `bits`-wide value brought to i32 (low half). */
export const narrow = <V>(o: Ops<V>, bits: number, value: V): V => (bits === 64 ? o.wrap(value) : value)
/** The canonical form of a `bits`-wide result: sign-extended into its type. */
export const canonical = <V>(o: Ops<V>, bits: number, value: V): V => (bits < 32 ? o.signExtend(value, bits) : value)
/** The same with zero-extension. */
export const unsigned = <V>(o: Ops<V>, bits: number, value: V): V => (bits < 32 ? o.zeroExtend(value, bits) : value)
/** The most significant bit of a canonical value, i32 0 or 1. */
export const signBit = <V>(o: Ops<V>, bits: number, value: V): V => o.ltS(value, constant(o, bits, 0))

/** Operand `n`, sign-extended to a `bits`-wide value (immediates are shorter than their destination). */
export function source<V>(c: Processor<V>, insn: Insn, n: number, bits: number): V {
  const value = c.read(insn, n)
  return bits === 64 && sizeOf(insn, n) < 64 ? c.extendS(value) : value
}
