/**
 * MMX and XMM registers, and what an instruction that uses them checks first (SDM vol. 1, 9.2 and 10.2; vol. 3A, 12.1 and 13.1).
 *
 * An XMM register is always written whole, so that a later read of any width finds its bytes in one store.
 */
import { type Insn, Kind } from '@vmexit/x86-decoder'
import type { Ops } from '../../ops/ops.ts'
import { Layout } from '../../state/layout.ts'
import type { Processor } from '../processor.ts'

/** x87 status word: an unmasked exception is pending. */
const ERROR_SUMMARY = 0x80

const FPR_SIZE = 16
const XMM_SIZE = 16

/** XMM register `reg`: v128. */
export function xmm<V>(o: Ops<V>, reg: number): V {
  return o.let(o.peek('v128', o.state(), Layout.xmm + XMM_SIZE * reg, 128))
}

/** The low `bits` (32: i32, 64: i64) of XMM register `reg`. */
export function xmmLow<V>(o: Ops<V>, reg: number, bits: 32 | 64): V {
  return o.let(o.peek(bits === 64 ? 'i64' : 'i32', o.state(), Layout.xmm + XMM_SIZE * reg, bits))
}

export function setXmm<V>(o: Ops<V>, reg: number, value: V): void {
  o.poke(o.state(), Layout.xmm + XMM_SIZE * reg, value, 128)
}

/** Write the low lane of an XMM register: i32 or i64 by `bits`; the rest stays. */
export function setXmmLow<V>(o: Ops<V>, reg: number, bits: 32 | 64, value: V): void {
  setXmm(o, reg, o.replaceLane(bits === 64 ? 'i64x2' : 'i32x4', xmm(o, reg), 0, value))
}

/** MMX register `reg`, which is the significand of x87 physical register `reg`: i64. */
export function mm<V>(o: Ops<V>, reg: number): V {
  return o.let(o.peek('i64', o.state(), Layout.fpr + FPR_SIZE * reg, 64))
}

/** Write an MMX register: sign and exponent of the x87 register become all ones, and the x87 registers valid. */
export function setMm<V>(o: Ops<V>, reg: number, value: V): void {
  o.poke(o.state(), Layout.fpr + FPR_SIZE * reg, value, 64)
  o.poke(o.state(), Layout.fpr + FPR_SIZE * reg + 8, o.i32(0xffff), 16)
  becomeMmx(o)
}

/** What every MMX instruction does to the x87 unit: TOP 0, all registers valid. After the last operation that can fault. */
export function becomeMmx<V>(o: Ops<V>): void {
  o.poke(o.state(), Layout.top, o.i32(0), 32)
  o.poke(o.state(), Layout.empty, o.i32(0), 32)
}

/** An MMX instruction begins: #UD or #NM by CR0, #MF when an x87 exception is pending, all the slow way. */
export function enterMmx<V>(c: Processor<V>): void {
  c.bailIf('x87', () => {
    const pending = c.and(c.peek('i32', c.state(), Layout.fsw, 32), c.i32(ERROR_SUMMARY))
    return c.or(c.peek('i32', c.state(), Layout.fpuBlocked, 32), pending)
  })
}

/** An SSE instruction begins: #UD or #NM by CR0 and CR4, the slow way. */
export function enterSse<V>(c: Processor<V>): void {
  c.bailIf('sse', () => c.peek('i32', c.state(), Layout.sseBlocked, 32))
}

/** The checks that the register files of the operands ask for. */
export function enter<V>(c: Processor<V>, insn: Insn): void {
  if (insn.operands.some((operand) => operand.kind === Kind.xmm)) enterSse(c)
  if (insn.operands.some((operand) => operand.kind === Kind.mm)) enterMmx(c)
}

/** A v128 of an i32 or i64, by `bits`, below zeros. */
export function lowLane<V>(o: Ops<V>, bits: 32 | 64, value: V): V {
  return o.replaceLane(bits === 64 ? 'i64x2' : 'i32x4', o.v128(0n, 0n), 0, value)
}

/** The low half of a v128: i64. */
export function lowHalf<V>(o: Ops<V>, value: V): V {
  return o.extractLane('i64x2', value, 0)
}

/** Operand `n`, an XMM register or 16 bytes of memory, on a 16-byte boundary if `aligned`: v128. */
export function readVector<V>(c: Processor<V>, insn: Insn, n: number, aligned = true): V {
  const operand = insn.operands[n]
  return operand.kind === Kind.mem ? c.let(c.load128(insn.seg, c.address(insn), aligned)) : xmm(c, operand.reg)
}

/** The low `bits` of operand `n`, a register or memory of that many bits: i32 or i64. */
export function readLow<V>(c: Processor<V>, insn: Insn, n: number, bits: 32 | 64): V {
  const { kind, reg } = insn.operands[n]
  if (kind === Kind.mem) return c.let(c.load(insn.seg, c.address(insn), bits))
  if (kind === Kind.xmm) return xmmLow(c, reg, bits)
  if (kind === Kind.gpr) return c.let(c.gpr(reg, bits))
  return bits === 64 ? mm(c, reg) : c.let(c.wrap(mm(c, reg)))
}

/** Operand `n` as a v128 of which the low `bits` count: a whole XMM register, or memory of that many bits below zeros. */
export function readPart<V>(c: Processor<V>, insn: Insn, n: number, bits: 32 | 64): V {
  const operand = insn.operands[n]
  return operand.kind === Kind.xmm ? xmm(c, operand.reg) : c.let(lowLane(c, bits, readLow(c, insn, n, bits)))
}

/** Write an i32 to the general register that is operand `n`; a 64-bit one is zero-extended. */
export function writeI32<V>(c: Processor<V>, insn: Insn, n: number, value: V): void {
  const { reg, size } = insn.operands[n]
  if (size === 64) c.setGpr(reg, 64, c.extendU(value))
  else c.setGpr(reg, 32, value)
}

/** The 8-bit immediate, the instruction's last operand: 0–255. */
export function immediate(insn: Insn): number {
  return insn.imm & 0xff
}
