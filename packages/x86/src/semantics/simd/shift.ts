/**
 * Shifts of packed integers (SDM vol. 2, PSLLW/PSLLD/PSLLQ, PSRAW/PSRAD, PSRLW/PSRLD/PSRLQ, PSLLDQ, PSRLDQ).
 * The count is an 8-bit immediate or the low quadword of the source; one beyond the lane gives zeros, or copies of the sign.
 */
import { type Insn, Kind } from '@vmexit/x86-decoder'
import type { Ops, Shape } from '../../ops/ops.ts'
import type { Processor, Semantics, SemanticsTable } from '../processor.ts'
import { enter, immediate, lowHalf, mm, readLow, readVector, setMm, setXmm, xmm } from './registers.ts'

type LaneShape = Exclude<Shape, 'i8x16'>
type Direction = 'shl' | 'shr_s' | 'shr_u'
const laneBits = { i16x8: 16, i32x4: 32, i64x2: 64 } as const

/** A shift by a count that is a value, given as i64. */
function shiftBy<V>(o: Ops<V>, shape: LaneShape, direction: Direction, value: V, count: V): V {
  const bits = laneBits[shape]
  const inside = o.let(o.ltU(count, o.i64(BigInt(bits))))
  const amount = o.wrap(count)
  if (direction === 'shr_s') {
    return o.simd(`${shape}.shr_s`, value, o.select(inside, amount, o.i32(bits - 1)))
  }
  return o.select(inside, o.simd(`${shape}.${direction}`, value, amount), o.v128(0n, 0n))
}

/** A shift by a constant count. */
function shiftByConstant<V>(o: Ops<V>, shape: LaneShape, direction: Direction, value: V, count: number): V {
  const bits = laneBits[shape]
  if (count < bits) return o.simd(`${shape}.${direction}`, value, o.i32(count))
  return direction === 'shr_s' ? o.simd(`${shape}.shr_s`, value, o.i32(bits - 1)) : o.v128(0n, 0n)
}

function countOf<V>(c: Processor<V>, insn: Insn): V {
  return insn.operands[0].kind === Kind.xmm ? c.let(lowHalf(c, readVector(c, insn, 1))) : readLow(c, insn, 1, 64)
}

/** `op mm, imm8 | mm/m64` and `op xmm, imm8 | xmm/m128`. */
function shift(shape: LaneShape, direction: Direction): Semantics {
  return (c, insn) => {
    enter(c, insn)
    const { kind, reg } = insn.operands[0]
    const constant = insn.operands[1].kind === Kind.imm
    const count = constant ? undefined : countOf(c, insn)
    const value = kind === Kind.xmm ? xmm(c, reg) : c.let(c.splat('i64x2', mm(c, reg)))
    const result =
      count === undefined
        ? shiftByConstant(c, shape, direction, value, immediate(insn))
        : shiftBy(c, shape, direction, value, count)
    if (kind === Kind.xmm) setXmm(c, reg, result)
    else setMm(c, reg, lowHalf(c, result))
  }
}

/** PSLLDQ and PSRLDQ: the whole register by bytes. */
function shiftBytes(left: boolean): Semantics {
  return (c, insn) => {
    enter(c, insn)
    const { reg } = insn.operands[0]
    const count = Math.min(immediate(insn), 16)
    const lanes = Array.from({ length: 16 }, (_, i) => (left ? 16 - count + i : i + count))
    const zero = c.v128(0n, 0n)
    const value = xmm(c, reg)
    setXmm(c, reg, left ? c.shuffle(zero, value, lanes) : c.shuffle(value, zero, lanes))
  }
}

/** Shifts of the lanes and of whole XMM registers. */
export const shifts: SemanticsTable = {
  psllw: shift('i16x8', 'shl'),
  pslld: shift('i32x4', 'shl'),
  psllq: shift('i64x2', 'shl'),
  psraw: shift('i16x8', 'shr_s'),
  psrad: shift('i32x4', 'shr_s'),
  psrlw: shift('i16x8', 'shr_u'),
  psrld: shift('i32x4', 'shr_u'),
  psrlq: shift('i64x2', 'shr_u'),
  pslldq: shiftBytes(true),
  psrldq: shiftBytes(false),
}
