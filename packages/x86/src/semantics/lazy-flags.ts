/**
 * The status flags, kept as seven numbers from which each flag is a comparison (see `Layout.FR`).
 * X + Y = S is the addition whose carry into the sign bit gives OF and whose carry into bit 4 gives AF; a subtraction
 * a − b = r is the addition r + b = a. CF is CA <u CB.
 */
import type { Ops } from '../ops/ops.ts'
import { Layout, STATUS_FLAGS } from '../state/layout.ts'

export type FlagSlot = 'FR' | 'FX' | 'X' | 'Y' | 'S' | 'CA' | 'CB'

/** Ops plus the seven slots, each as wide as the engine's registers. `setSlot` sign-extends a narrower value. */
export interface FlagOps<V> extends Ops<V> {
  slot(name: FlagSlot): V
  setSlot(name: FlagSlot, value: V): void
  /** A constant as wide as a slot. */
  word(value: number): V
  /** Low 32 bits of a slot-wide value. */
  low(value: V): V
}

function setAll<V>(c: FlagOps<V>, fr: V, x: V, y: V, s: V): void {
  c.setSlot('FR', fr)
  c.setSlot('FX', c.word(0))
  c.setSlot('X', x)
  c.setSlot('Y', y)
  c.setSlot('S', s)
}
function setCarry<V>(c: FlagOps<V>, a: V, b: V): void {
  c.setSlot('CA', a)
  c.setSlot('CB', b)
}

export function flagsAdd<V>(c: FlagOps<V>, a: V, b: V, result: V): void {
  setAll(c, result, a, b, result)
  setCarry(c, result, a)
}
export function flagsAdc<V>(c: FlagOps<V>, a: V, b: V, result: V, carryOut: V): void {
  setAll(c, result, a, b, result)
  setCarry(c, c.i32(0), carryOut)
}
export function flagsSub<V>(c: FlagOps<V>, a: V, b: V, result: V): void {
  setAll(c, result, result, b, a)
  setCarry(c, a, b)
}
export function flagsSbb<V>(c: FlagOps<V>, a: V, b: V, result: V, carryOut: V): void {
  setAll(c, result, result, b, a)
  setCarry(c, c.i32(0), carryOut)
}
export function flagsLogic<V>(c: FlagOps<V>, result: V): void {
  const zero = c.word(0)
  setAll(c, result, zero, zero, zero)
  setCarry(c, zero, zero)
}
export function flagsInc<V>(c: FlagOps<V>, a: V, result: V): void {
  setAll(c, result, a, c.word(1), result)
}
export function flagsDec<V>(c: FlagOps<V>, a: V, result: V): void {
  setAll(c, result, result, c.word(1), a)
}
export function flagsCarry<V>(c: FlagOps<V>, carry: V): void {
  setCarry(c, c.i32(0), carry)
}
export function flagsRotate<V>(c: FlagOps<V>, overflow: V, carry: V): void {
  const auxiliary = c.let(c.and(c.low(c.xor(c.xor(c.slot('X'), c.slot('Y')), c.slot('S'))), c.i32(0x10)))
  const sign = c.let(c.sub(c.i32(0), overflow))
  c.setSlot('X', c.xor(sign, auxiliary))
  c.setSlot('Y', sign)
  c.setSlot('S', c.word(0))
  setCarry(c, c.i32(0), carry)
}
export function flagsResult<V>(c: FlagOps<V>, result: V, overflow: V, carry: V): void {
  const sign = c.let(c.sub(c.i32(0), overflow))
  setAll(c, result, sign, sign, c.word(0))
  setCarry(c, c.i32(0), carry)
}

/** All six from an EFLAGS image: FR is 0 or 1, FX carries the sign and, in bit 1, what PF still lacks. */
export function setStatusFlags<V>(c: FlagOps<V>, image: V): void {
  const bit = (n: number): V => c.and(c.shr(image, c.i32(n)), c.i32(1))
  const zf = c.let(bit(6))
  const sign = c.let(c.sub(c.i32(0), bit(7)))
  const overflow = c.let(c.sub(c.i32(0), bit(11)))
  // The low byte of FR ^ FX is 00, 01, FF or FE; its parity is even (PF 1) exactly when FR is 0.
  const mend = c.shl(c.xor(zf, bit(2)), c.i32(1))
  c.setSlot('FR', c.xor(zf, c.i32(1)))
  c.setSlot('FX', c.xor(sign, mend))
  c.setSlot('X', c.xor(overflow, c.and(image, c.i32(0x10))))
  c.setSlot('Y', overflow)
  c.setSlot('S', c.word(0))
  setCarry(c, c.i32(0), bit(0))
}

const negative = <V>(c: FlagOps<V>, v: V): V => c.ltS(v, c.word(0))
const signWord = <V>(c: FlagOps<V>): V => c.xor(c.slot('FR'), c.slot('FX'))
const overflowWord = <V>(c: FlagOps<V>): V => c.and(c.xor(c.slot('X'), c.slot('S')), c.xor(c.slot('Y'), c.slot('S')))
const zero = <V>(c: FlagOps<V>): V => c.eqz(c.slot('FR'))
export const carry = <V>(c: FlagOps<V>): V => c.ltU(c.slot('CA'), c.slot('CB'))
const parity = <V>(c: FlagOps<V>): V => c.eqz(c.and(c.popcnt(c.and(c.low(signWord(c)), c.i32(255))), c.i32(1)))

/** Condition code 0–15 (SDM vol. 1, appendix B): bit 0 negates. */
export function condition<V>(c: FlagOps<V>, cc: number): V {
  const holds = positive(c, cc >> 1)
  return cc & 1 ? c.eqz(holds) : holds
}
function positive<V>(c: FlagOps<V>, code: number): V {
  switch (code) {
    case 0:
      return negative(c, overflowWord(c))
    case 1:
      return carry(c)
    case 2:
      return zero(c)
    case 3:
      return c.or(carry(c), zero(c))
    case 4:
      return negative(c, signWord(c))
    case 5:
      return parity(c)
    case 6:
      return negative(c, c.xor(signWord(c), overflowWord(c)))
    default:
      return c.or(zero(c), negative(c, c.xor(signWord(c), overflowWord(c))))
  }
}

/** The six as an EFLAGS image. */
export function statusFlags<V>(c: FlagOps<V>): V {
  const at = (v: V, n: number): V => c.shl(v, c.i32(n))
  const auxiliary = c.and(c.low(c.xor(c.xor(c.slot('X'), c.slot('Y')), c.slot('S'))), c.i32(0x10))
  const low = c.or(c.or(carry(c), at(parity(c), 2)), c.or(auxiliary, at(zero(c), 6)))
  return c.and(
    c.or(low, c.or(at(negative(c, signWord(c)), 7), at(negative(c, overflowWord(c)), 11))),
    c.i32(STATUS_FLAGS),
  )
}

/** Where each slot lies. */
export const slotOffset: Readonly<Record<FlagSlot, number>> = {
  FR: Layout.FR,
  FX: Layout.FX,
  X: Layout.X,
  Y: Layout.Y,
  S: Layout.S,
  CA: Layout.CA,
  CB: Layout.CB,
}
