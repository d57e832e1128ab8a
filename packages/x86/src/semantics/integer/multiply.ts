/** MUL, IMUL, DIV, IDIV (SDM vol. 2). SF, ZF, AF, PF, undefined after them, follow the low half of a product and stay after a division. */
import type { Insn } from '@vmexit/x86-decoder'
import type { Routine } from '../../ops/ops.ts'
import { Vector } from '../../state/layout.ts'
import type { Processor, SemanticsTable } from '../processor.ts'
import { canonical, constant, sizeOf, source } from './operands.ts'

const AX = 0
const DX = 2

/** High half of an unsigned 64 × 64 product, by 32-bit pieces. */
export const mulHighU: Routine = {
  name: 'mul_high_u64',
  params: ['i64', 'i64'],
  results: ['i64'],
  body: (o, a, b) => {
    const low = (v: typeof a): typeof a => o.and(v, o.i64(0xffff_ffffn))
    const high = (v: typeof a): typeof a => o.shr(v, o.i64(32n))
    const ll = o.let(o.mul(low(a), low(b)))
    const hl = o.let(o.mul(high(a), low(b)))
    const lh = o.let(o.mul(low(a), high(b)))
    const middle = o.let(o.add(o.add(high(ll), low(hl)), low(lh)))
    return [o.add(o.add(o.mul(high(a), high(b)), high(hl)), o.add(high(lh), high(middle)))]
  },
}

/** (high:low) ÷ divisor, unsigned, by restoring division; high < divisor. Gives quotient and remainder. */
export const divideU128: Routine = {
  name: 'divide_u128',
  params: ['i64', 'i64', 'i64'],
  results: ['i64', 'i64'],
  body: (o, high, low, divisor) => {
    const remainder = o.variable(high)
    const quotient = o.variable(low)
    const step = o.variable(o.i32(64))
    o.while(
      () => o.get(step),
      () => {
        const carried = o.let(o.ltS(o.get(remainder), o.i64(0n)))
        const next = o.let(o.or(o.shl(o.get(remainder), o.i64(1n)), o.shr(o.get(quotient), o.i64(63n))))
        const fits = o.let(o.or(carried, o.geU(next, divisor)))
        o.set(quotient, o.or(o.shl(o.get(quotient), o.i64(1n)), o.extendU(fits)))
        o.set(remainder, o.select(fits, o.sub(next, divisor), next))
        o.set(step, o.sub(o.get(step), o.i32(1)))
      },
    )
    return [o.get(quotient), o.get(remainder)]
  },
}

/** MUL and one-operand IMUL. */
function multiply(signed: boolean) {
  return <V>(c: Processor<V>, insn: Insn): void => {
    const bits = sizeOf(insn, 0)
    const extend = (v: V): V => (signed ? v : bits < 32 ? c.zeroExtend(v, bits) : v)
    const b = c.let(extend(c.read(insn, 0)))
    const a = c.let(extend(c.gpr(AX, bits)))
    if (bits < 32) {
      const product = c.let(c.mul(a, b))
      const low = c.let(c.signExtend(product, bits))
      const high = c.let(signed ? c.sar(product, c.i32(bits)) : c.shr(product, c.i32(bits)))
      const overflow = c.let(signed ? c.ne(low, product) : c.ne(high, c.i32(0)))
      if (bits === 8) c.setGpr(AX, 16, product)
      else {
        c.setGpr(AX, 16, low)
        c.setGpr(DX, 16, high)
      }
      c.flagsResult(low, overflow, overflow)
    } else if (bits === 32) {
      const wide = (v: V): V => (signed ? c.extendS(v) : c.extendU(v))
      const product = c.let(c.mul(wide(a), wide(b)))
      const low = c.let(c.wrap(product))
      const high = c.let(c.wrap(c.shr(product, c.i64(32n))))
      const overflow = c.let(signed ? c.ne(high, c.sar(low, c.i32(31))) : c.ne(high, c.i32(0)))
      c.setGpr(AX, 32, low)
      c.setGpr(DX, 32, high)
      c.flagsResult(low, overflow, overflow)
    } else {
      const low = c.let(c.mul(a, b))
      const high = c.let(signed ? highSigned(c, a, b) : c.call(mulHighU, a, b)[0]!)
      const overflow = c.let(c.ne(high, signed ? c.sar(low, c.i64(63n)) : c.i64(0n)))
      c.setGpr(AX, 64, low)
      c.setGpr(DX, 64, high)
      c.flagsResult(low, overflow, overflow)
    }
  }
}

/** High half of a signed product: the unsigned one, less each factor where the other is negative. */
function highSigned<V>(c: Processor<V>, a: V, b: V): V {
  const high = c.call(mulHighU, a, b)[0]!
  const part = (x: V, y: V): V => c.and(c.sar(x, c.i64(63n)), y)
  return c.sub(c.sub(high, part(a, b)), part(b, a))
}

/** DIV and IDIV up to 32 bits: in i32 where dividend and quotient fit, else in i64. */
function divide<V>(c: Processor<V>, insn: Insn, signed: boolean): void {
  const bits = sizeOf(insn, 0)
  const divisor = c.let(signed ? c.read(insn, 0) : c.readU(insn, 0))
  const zero = constant(c, bits, 0)
  c.if(c.eq(divisor, zero), () => c.raise(Vector.DE))
  if (bits === 64) {
    divide128(c, divisor, signed)
    return
  }
  const dividend = c.let(dividendOf(c, bits, signed))
  const wide = c.let(signed ? c.extendS(divisor) : c.extendU(divisor))
  if (signed && bits === 32) {
    const overflows = c.and(c.eq(wide, c.i64(-1n)), c.eq(dividend, c.i64(-0x8000_0000_0000_0000n)))
    c.if(overflows, () => c.raise(Vector.DE))
  }
  const quotient = c.let(signed ? c.divS(dividend, wide) : c.divU(dividend, wide))
  const fits = signed ? c.eq(c.signExtend(quotient, bits), quotient) : c.eq(c.zeroExtend(quotient, bits), quotient)
  c.if(c.eqz(fits), () => c.raise(Vector.DE))
  const remainder = c.let(c.wrap(signed ? c.remS(dividend, wide) : c.remU(dividend, wide)))
  const low = c.wrap(quotient)
  if (bits === 8) c.setGpr(AX, 16, c.or(c.and(low, c.i32(0xff)), c.shl(remainder, c.i32(8))))
  else {
    c.setGpr(AX, bits, low)
    c.setGpr(DX, bits, remainder)
  }
}

/** AX, DX:AX or EDX:EAX as i64. */
function dividendOf<V>(c: Processor<V>, bits: number, signed: boolean): V {
  if (bits === 8) return signed ? c.extendS(c.gpr(AX, 16)) : c.extendU(c.zeroExtend(c.gpr(AX, 16), 16))
  if (bits === 16) {
    const both = c.or(c.shl(c.gpr(DX, 16), c.i32(16)), c.zeroExtend(c.gpr(AX, 16), 16))
    return signed ? c.extendS(both) : c.extendU(both)
  }
  return c.or(c.shl(c.extendU(c.gpr(DX, 32)), c.i64(32n)), c.extendU(c.gpr(AX, 32)))
}

/** RDX:RAX by 64 bits: on magnitudes, the signs put back; overflow when the high half is not below the divisor, or the signed quotient does not fit. */
function divide128<V>(c: Processor<V>, divisor: V, signed: boolean): void {
  const low = c.gpr(AX, 64)
  const high = c.gpr(DX, 64)
  if (!signed) {
    c.if(c.geU(high, divisor), () => c.raise(Vector.DE))
    const [quotient, remainder] = c.call(divideU128, high, low, divisor) as [V, V]
    c.setGpr(AX, 64, quotient)
    c.setGpr(DX, 64, remainder)
    return
  }
  const negate = (v: V, sign: V): V => c.sub(c.xor(v, sign), sign)
  const sign = c.let(c.sar(high, c.i64(63n)))
  const divisorSign = c.let(c.sar(divisor, c.i64(63n)))
  const magnitudeLow = c.let(negate(low, sign))
  const borrow = c.extendU(c.and(c.wrap(c.sub(c.i64(0n), sign)), c.eqz(low)))
  const magnitudeHigh = c.let(c.add(c.xor(high, sign), borrow))
  const magnitude = c.let(negate(divisor, divisorSign))
  c.if(c.geU(magnitudeHigh, magnitude), () => c.raise(Vector.DE))
  const [q, r] = c.call(divideU128, magnitudeHigh, magnitudeLow, magnitude) as [V, V]
  const quotientSign = c.let(c.xor(sign, divisorSign))
  const quotient = c.let(negate(q, quotientSign))
  c.if(c.and(c.ne(q, c.i64(0n)), c.ne(c.sar(quotient, c.i64(63n)), quotientSign)), () => c.raise(Vector.DE))
  c.setGpr(AX, 64, quotient)
  c.setGpr(DX, 64, negate(r, sign))
}

export const multiplication: SemanticsTable = {
  mul: multiply(false),
  imul1: multiply(true),
  /** Two operands, or three with an immediate. */
  imul(c, insn) {
    const bits = sizeOf(insn, 0)
    const last = insn.operands.length > 2 && insn.operands[2]!.kind !== 0 ? 2 : 1
    const b = source(c, insn, last, bits)
    const a = last === 2 ? c.read(insn, 1) : c.read(insn, 0)
    const low = c.let(canonical(c, bits, c.mul(a, b)))
    const overflow = c.let(
      bits === 64
        ? c.ne(highSigned(c, a, b), c.sar(low, c.i64(63n)))
        : bits === 32
          ? c.ne(c.extendS(low), c.mul(c.extendS(a), c.extendS(b)))
          : c.ne(low, c.mul(a, b)),
    )
    c.write(insn, 0, low)
    c.flagsResult(low, overflow, overflow)
  },
  div: (c, insn) => divide(c, insn, false),
  idiv: (c, insn) => divide(c, insn, true),
}
