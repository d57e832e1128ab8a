/**
 * Packed integers: MMX (SDM vol. 1, chapter 9), and the same operations on XMM registers (11.4.2).
 * One meaning for both: an MMX value is computed as the low half of a v128, its upper half meaning nothing.
 */
import { Kind } from '@vmexit/x86-decoder'
import type { Ops, SimdName } from '../../ops/ops.ts'
import type { Semantics, SemanticsTable } from '../processor.ts'
import { becomeMmx, enter, lowHalf, mm, readLow, readVector, setMm, setXmm, writeI32, xmm } from './registers.ts'

/** Destination and source, both v128, to result. */
type Compute = <V>(o: Ops<V>, a: V, b: V) => V
/** The same on i64: what needs no lanes is shorter so for MMX. */
type ComputeWord = <V>(o: Ops<V>, a: V, b: V) => V

/** `op mm, mm/m64` and `op xmm, xmm/m128`. */
function packed(compute: Compute, word?: ComputeWord): Semantics {
  return (c, insn) => {
    enter(c, insn)
    const { kind, reg } = insn.operands[0]
    if (kind === Kind.xmm) {
      const b = readVector(c, insn, 1)
      setXmm(c, reg, compute(c, xmm(c, reg), b))
      return
    }
    const b = readLow(c, insn, 1, 64)
    const a = mm(c, reg)
    if (word) setMm(c, reg, word(c, a, b))
    else setMm(c, reg, lowHalf(c, compute(c, c.let(c.splat('i64x2', a)), c.let(c.splat('i64x2', b)))))
  }
}

const lanes = (name: SimdName): Semantics => packed((o, a, b) => o.simd(name, a, b))

/** Two vectors to one of lanes half as wide, the destination's below the source's. */
function pack(name: SimdName): Semantics {
  return (c, insn) => {
    enter(c, insn)
    const { kind, reg } = insn.operands[0]
    if (kind === Kind.xmm) {
      const b = readVector(c, insn, 1)
      setXmm(c, reg, c.simd(name, xmm(c, reg), b))
      return
    }
    const b = readLow(c, insn, 1, 64)
    const both = c.let(c.replaceLane('i64x2', c.splat('i64x2', mm(c, reg)), 1, b))
    setMm(c, reg, lowHalf(c, c.simd(name, both, both)))
  }
}

/** Products of 16-bit lanes, their upper halves. */
function highProducts<V>(o: Ops<V>, a: V, b: V, sign: 's' | 'u'): V {
  const low = o.simd(`i32x4.extmul_low_i16x8_${sign}`, a, b)
  const high = o.simd(`i32x4.extmul_high_i16x8_${sign}`, a, b)
  return o.shuffle(low, high, [2, 3, 6, 7, 10, 11, 14, 15, 18, 19, 22, 23, 26, 27, 30, 31])
}

/** Products of the even unsigned 32-bit lanes. */
function evenProducts<V>(o: Ops<V>, a: V, b: V): V {
  const even = [0, 1, 2, 3, 8, 9, 10, 11, 0, 1, 2, 3, 8, 9, 10, 11]
  return o.simd('i64x2.extmul_low_i32x4_u', o.shuffle(a, a, even), o.shuffle(b, b, even))
}

/** Sums of the absolute differences of the unsigned bytes of each half. */
function sumOfDifferences<V>(o: Ops<V>, a: V, b: V): V {
  const differences = o.simd('i8x16.sub', o.simd('i8x16.max_u', a, b), o.simd('i8x16.min_u', a, b))
  const words = o.simd('i16x8.extadd_pairwise_i8x16_u', differences)
  const doublewords = o.let(o.simd('i32x4.extadd_pairwise_i16x8_u', words))
  const odd = o.simd('i64x2.shr_u', doublewords, o.i32(32))
  return o.simd('v128.and', o.simd('i32x4.add', doublewords, odd), o.v128(0xffff_ffffn, 0xffff_ffffn))
}

const and = packed(
  (o, a, b) => o.simd('v128.and', a, b),
  (o, a, b) => o.and(a, b),
)
/** The instruction inverts its destination, WebAssembly's its second operand. */
const andNot = packed(
  (o, a, b) => o.simd('v128.andnot', b, a),
  (o, a, b) => o.and(o.xor(a, o.i64(-1n)), b),
)
const or = packed(
  (o, a, b) => o.simd('v128.or', a, b),
  (o, a, b) => o.or(a, b),
)
const xor = packed(
  (o, a, b) => o.simd('v128.xor', a, b),
  (o, a, b) => o.xor(a, b),
)

/** PMOVMSKB: the sign bits of the source's bytes. */
const byteMask: Semantics = (c, insn) => {
  enter(c, insn)
  const { kind, reg } = insn.operands[1]
  if (kind === Kind.xmm) {
    writeI32(c, insn, 0, c.simd('i8x16.bitmask', xmm(c, reg)))
    return
  }
  const source = mm(c, reg)
  becomeMmx(c)
  writeI32(c, insn, 0, c.simd('i8x16.bitmask', c.replaceLane('i64x2', c.v128(0n, 0n), 0, source)))
}

/** Packed integer arithmetic, comparison, saturation and bitwise logic. */
export const packedInteger: SemanticsTable = {
  paddb: lanes('i8x16.add'),
  paddw: lanes('i16x8.add'),
  paddd: lanes('i32x4.add'),
  paddq: packed(
    (o, a, b) => o.simd('i64x2.add', a, b),
    (o, a, b) => o.add(a, b),
  ),
  paddsb: lanes('i8x16.add_sat_s'),
  paddsw: lanes('i16x8.add_sat_s'),
  paddusb: lanes('i8x16.add_sat_u'),
  paddusw: lanes('i16x8.add_sat_u'),
  psubb: lanes('i8x16.sub'),
  psubw: lanes('i16x8.sub'),
  psubd: lanes('i32x4.sub'),
  psubq: packed(
    (o, a, b) => o.simd('i64x2.sub', a, b),
    (o, a, b) => o.sub(a, b),
  ),
  psubsb: lanes('i8x16.sub_sat_s'),
  psubsw: lanes('i16x8.sub_sat_s'),
  psubusb: lanes('i8x16.sub_sat_u'),
  psubusw: lanes('i16x8.sub_sat_u'),

  pmullw: lanes('i16x8.mul'),
  pmulhw: packed((o, a, b) => highProducts(o, a, b, 's')),
  pmulhuw: packed((o, a, b) => highProducts(o, a, b, 'u')),
  pmuludq: packed(evenProducts, (o, a, b) => o.mul(o.zeroExtend(a, 32), o.zeroExtend(b, 32))),
  pmaddwd: lanes('i32x4.dot_i16x8_s'),
  psadbw: packed(sumOfDifferences),
  pavgb: lanes('i8x16.avgr_u'),
  pavgw: lanes('i16x8.avgr_u'),
  pminub: lanes('i8x16.min_u'),
  pmaxub: lanes('i8x16.max_u'),
  pminsw: lanes('i16x8.min_s'),
  pmaxsw: lanes('i16x8.max_s'),

  pcmpeqb: lanes('i8x16.eq'),
  pcmpeqw: lanes('i16x8.eq'),
  pcmpeqd: lanes('i32x4.eq'),
  pcmpgtb: lanes('i8x16.gt_s'),
  pcmpgtw: lanes('i16x8.gt_s'),
  pcmpgtd: lanes('i32x4.gt_s'),

  packsswb: pack('i8x16.narrow_i16x8_s'),
  packuswb: pack('i8x16.narrow_i16x8_u'),
  packssdw: pack('i16x8.narrow_i32x4_s'),

  pand: and,
  andps: and,
  andpd: and,
  pandn: andNot,
  andnps: andNot,
  andnpd: andNot,
  por: or,
  orps: or,
  orpd: or,
  pxor: xor,
  xorps: xor,
  xorpd: xor,

  pmovmskb: byteMask,
}
