/**
 * Data movement between MMX, XMM and general registers and memory (SDM vol. 1, 9.4.1, 10.4.1 and 11.4.1),
 * EMMS, and the instructions about caches and ordering, which move nothing here (10.4.6, 11.4.4).
 */
import { type Insn, Kind } from '@vmexit/x86-decoder'
import { Layout } from '../../state/layout.ts'
import type { Processor, Semantics, SemanticsTable } from '../processor.ts'
import {
  becomeMmx,
  enter,
  enterMmx,
  lowHalf,
  lowLane,
  mm,
  readLow,
  readVector,
  setMm,
  setXmm,
  setXmmLow,
  xmm,
  xmmLow,
} from './registers.ts'

/** 16 bytes between XMM registers, or a register and memory. */
function moveVector(aligned: boolean): Semantics {
  return (c, insn) => {
    enter(c, insn)
    const [to, from] = insn.operands
    if (to.kind === Kind.mem) c.store128(insn.seg, c.address(insn), xmm(c, from.reg), aligned)
    else setXmm(c, to.reg, readVector(c, insn, 1, aligned))
  }
}

/** MOVSS, MOVSD: between registers the low lane alone; from memory with zeros above it. */
function moveScalar(bits: 32 | 64): Semantics {
  return (c, insn) => {
    enter(c, insn)
    const [to, from] = insn.operands
    if (to.kind === Kind.mem) c.store(insn.seg, c.address(insn), bits, xmmLow(c, from.reg, bits))
    else if (from.kind === Kind.mem) setXmm(c, to.reg, lowLane(c, bits, readLow(c, insn, 1, bits)))
    else setXmmLow(c, to.reg, bits, xmmLow(c, from.reg, bits))
  }
}

/** MOVD and MOVQ in all their forms: 32 or 64 bits between MMX, XMM, general registers and memory, zero-extended. */
const moveInteger: Semantics = (c, insn) => {
  enter(c, insn)
  const [to, from] = insn.operands
  const outside = insn.operands.find(({ kind }) => kind === Kind.gpr || kind === Kind.mem)
  const bits = outside?.size === 32 ? 32 : 64
  const value = readLow(c, insn, 1, bits)
  if (to.kind === Kind.mem) c.store(insn.seg, c.address(insn), bits, value)
  if (from.kind === Kind.mm) becomeMmx(c)
  if (to.kind === Kind.gpr) c.setGpr(to.reg, bits, value)
  if (to.kind === Kind.xmm) setXmm(c, to.reg, lowLane(c, bits, value))
  if (to.kind === Kind.mm) setMm(c, to.reg, bits === 32 ? c.extendU(value) : value)
}

/** MOVLPS, MOVHPS, MOVLPD, MOVHPD: one half of a register, from or to memory. */
function moveHalf(half: 0 | 1): Semantics {
  return (c, insn) => {
    enter(c, insn)
    const [to, from] = insn.operands
    if (to.kind === Kind.mem) {
      c.store(insn.seg, c.address(insn), 64, c.extractLane('i64x2', xmm(c, from.reg), half))
      return
    }
    const value = readLow(c, insn, 1, 64)
    setXmm(c, to.reg, c.replaceLane('i64x2', xmm(c, to.reg), half, value))
  }
}

/** MOVHLPS, MOVLHPS: one half of the source register to the other half of the destination. */
function moveAcross(from: 0 | 1, to: 0 | 1): Semantics {
  return (c, insn) => {
    enter(c, insn)
    const [a, b] = insn.operands
    const value = c.extractLane('i64x2', xmm(c, b.reg), from)
    setXmm(c, a.reg, c.replaceLane('i64x2', xmm(c, a.reg), to, value))
  }
}

const movq2dq: Semantics = (c, insn) => {
  enter(c, insn)
  const value = mm(c, insn.operands[1].reg)
  becomeMmx(c)
  setXmm(c, insn.operands[0].reg, lowLane(c, 64, value))
}

const movdq2q: Semantics = (c, insn) => {
  enter(c, insn)
  setMm(c, insn.operands[0].reg, lowHalf(c, xmm(c, insn.operands[1].reg)))
}

/** MOVNTI: needs neither the x87 nor the SSE state. */
const movnti: Semantics = (c, insn) => {
  const { reg, size } = insn.operands[1]
  c.store(insn.seg, c.address(insn), size, c.gpr(reg, size))
}

/** `offset` + `index` (i32), wrapped to the address size. */
function indexed<V>(c: Processor<V>, insn: Insn, offset: V, index: V): V {
  const sum = c.add(offset, c.width === 64 ? c.extendU(index) : index)
  return insn.addrSize === c.width ? sum : c.zeroExtend(sum, insn.addrSize)
}

/** The implied memory operand: (E/R)DI as an offset. */
function destinationIndex<V>(c: Processor<V>, insn: Insn): V {
  const DI = 7
  if (insn.addrSize === 64) return c.let(c.gpr(DI, 64))
  const low = insn.addrSize === 16 ? c.zeroExtend(c.gpr(DI, 16), 16) : c.gpr(DI, 32)
  return c.let(c.width === 64 ? c.extendU(low) : low)
}

/**
 * MASKMOVQ, MASKMOVDQU: the bytes whose mask byte has its sign set, to [DI]. All of the bytes must be writable when one is
 * written (the manual leaves it to the processor whether bytes not written can fault); with an empty mask nothing is accessed.
 */
const maskedMove: Semantics = (c, insn) => {
  enter(c, insn)
  const [source, mask] = insn.operands
  const wide = source.kind === Kind.xmm
  const vector = (reg: number) => (wide ? xmm(c, reg) : c.let(lowLane(c, 64, mm(c, reg))))
  const data = vector(source.reg)
  const bits = c.variable(c.simd('i8x16.bitmask', vector(mask.reg)))
  const offset = destinationIndex(c, insn)
  c.if(c.get(bits), () => {
    // Alignment, where it is checked, is that of quadwords.
    c.probeWrite(insn.seg, offset, 8)
    if (wide) c.probeWrite(insn.seg, offset, 16)
  })
  c.while(
    () => c.get(bits),
    () => {
      const index = c.let(c.ctz(c.get(bits)))
      const byte = c.extractLane('i8x16', c.simd('i8x16.swizzle', data, c.splat('i8x16', index)), 0)
      c.store(insn.seg, indexed(c, insn, offset, index), 8, byte)
      c.set(bits, c.and(c.get(bits), c.sub(c.get(bits), c.i32(1))))
    },
  )
  if (!wide) becomeMmx(c)
}

/** EMMS: all x87 registers empty. */
const emms: Semantics = (c) => {
  enterMmx(c)
  c.poke(c.state(), Layout.top, c.i32(0), 32)
  c.poke(c.state(), Layout.empty, c.i32(0xff), 32)
}

/** The fences: accesses are in order anyway. */
const nothing: Semantics = () => {}

/** CLFLUSH faults as a load of a byte does. */
const clflush: Semantics = (c, insn) => {
  c.let(c.load(insn.seg, c.address(insn), 8))
}

const aligned = moveVector(true)
const unaligned = moveVector(false)

/** Moves, non-temporal ones among them, and cache control. */
export const moves: SemanticsTable = {
  movaps: aligned,
  movapd: aligned,
  movdqa: aligned,
  movntps: aligned,
  movntpd: aligned,
  movntdq: aligned,
  movups: unaligned,
  movupd: unaligned,
  movdqu: unaligned,
  movss: moveScalar(32),
  movsd_sse: moveScalar(64),
  movd: moveInteger,
  movq: moveInteger,
  movntq: moveInteger,
  movlps: moveHalf(0),
  movlpd: moveHalf(0),
  movhps: moveHalf(1),
  movhpd: moveHalf(1),
  movhlps: moveAcross(1, 0),
  movlhps: moveAcross(0, 1),
  movq2dq,
  movdq2q,
  movnti,
  maskmovq: maskedMove,
  maskmovdqu: maskedMove,
  emms,

  sfence: nothing,
  lfence: nothing,
  mfence: nothing,
  clflush,
}
