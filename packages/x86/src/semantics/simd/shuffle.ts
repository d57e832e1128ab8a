/**
 * Rearranging lanes: unpacking, shuffling, inserting and extracting
 * (SDM vol. 2: PUNPCK*, UNPCK*, PSHUF*, SHUFPS, SHUFPD, PEXTRW, PINSRW, MOVMSKPS, MOVMSKPD).
 */
import { Kind } from '@vmexit/x86-decoder'
import type { Semantics, SemanticsTable } from '../processor.ts'
import {
  becomeMmx,
  enter,
  immediate,
  lowHalf,
  mm,
  readLow,
  readVector,
  setMm,
  setXmm,
  writeI32,
  xmm,
} from './registers.ts'

const indices = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

/** The bytes of lanes of `size` bytes, for a shuffle. */
const bytesOf = (lanes: readonly number[], size: number): number[] =>
  lanes.flatMap((lane) => indices(size).map((byte) => lane * size + byte))

/** Lanes of `size` bytes taken in turn from the destination and the source, from `first` on, `bytes` in all. */
function interleaved(size: number, first: number, bytes: number): number[] {
  const perVector = 16 / size
  return bytesOf(
    indices(bytes / size / 2).flatMap((i) => [first + i, perVector + first + i]),
    size,
  )
}

/** PUNPCKxxx and UNPCKxxx: lanes of `size` bytes of the low or the high halves, interleaved. */
function unpack(size: number, high: boolean): Semantics {
  return (c, insn) => {
    enter(c, insn)
    const { kind, reg } = insn.operands[0]
    if (kind === Kind.xmm) {
      const b = readVector(c, insn, 1)
      setXmm(c, reg, c.shuffle(xmm(c, reg), b, interleaved(size, high ? 8 / size : 0, 16)))
      return
    }
    // The low form reads no more than 32 bits of memory.
    const narrow = !high && insn.operands[1].kind === Kind.mem
    const b = narrow ? c.extendU(readLow(c, insn, 1, 32)) : readLow(c, insn, 1, 64)
    const lanes = interleaved(size, high ? 4 / size : 0, 8)
    setMm(c, reg, lowHalf(c, c.shuffle(c.splat('i64x2', mm(c, reg)), c.splat('i64x2', b), [...lanes, ...lanes])))
  }
}

/** The `count` two-bit fields of an immediate. */
const fields = (value: number, count: number): number[] => indices(count).map((i) => (value >> (2 * i)) & 3)

/** PSHUFD, PSHUFLW, PSHUFHW: bytes of the source by the immediate. */
function shuffleSource(lanes: (immediate: number) => number[]): Semantics {
  return (c, insn) => {
    enter(c, insn)
    const source = readVector(c, insn, 1)
    setXmm(c, insn.operands[0].reg, c.shuffle(source, source, lanes(immediate(insn))))
  }
}

const pshufw: Semantics = (c, insn) => {
  enter(c, insn)
  const source = c.let(c.splat('i64x2', readLow(c, insn, 1, 64)))
  const lanes = bytesOf(fields(immediate(insn), 4), 2)
  setMm(c, insn.operands[0].reg, lowHalf(c, c.shuffle(source, source, [...lanes, ...lanes])))
}

/** SHUFPS, SHUFPD: the low half from the destination, the high half from the source. */
function shuffleBoth(lanes: (immediate: number) => number[]): Semantics {
  return (c, insn) => {
    enter(c, insn)
    const { reg } = insn.operands[0]
    const source = readVector(c, insn, 1)
    setXmm(c, reg, c.shuffle(xmm(c, reg), source, lanes(immediate(insn))))
  }
}

const pextrw: Semantics = (c, insn) => {
  enter(c, insn)
  const { kind, reg } = insn.operands[1]
  const lane = immediate(insn) & (kind === Kind.xmm ? 7 : 3)
  if (kind === Kind.xmm) {
    writeI32(c, insn, 0, c.extractLane('i16x8', xmm(c, reg), lane))
    return
  }
  const word = c.let(c.and(c.wrap(c.shr(mm(c, reg), c.i64(BigInt(16 * lane)))), c.i32(0xffff)))
  becomeMmx(c)
  writeI32(c, insn, 0, word)
}

const pinsrw: Semantics = (c, insn) => {
  enter(c, insn)
  const { kind, reg } = insn.operands[0]
  const source = insn.operands[1]
  const word = c.let(source.kind === Kind.mem ? c.load(insn.seg, c.address(insn), 16) : c.gpr(source.reg, 32))
  if (kind === Kind.xmm) {
    setXmm(c, reg, c.replaceLane('i16x8', xmm(c, reg), immediate(insn) & 7, word))
    return
  }
  const vector = c.replaceLane('i16x8', c.splat('i64x2', mm(c, reg)), immediate(insn) & 3, word)
  setMm(c, reg, lowHalf(c, vector))
}

/** MOVMSKPS, MOVMSKPD: the sign bits of the lanes. */
function signMask(shape: 'i32x4' | 'i64x2'): Semantics {
  return (c, insn) => {
    enter(c, insn)
    writeI32(c, insn, 0, c.simd(`${shape}.bitmask`, xmm(c, insn.operands[1].reg)))
  }
}

/** Shuffles and other movements within and between registers. */
export const shuffles: SemanticsTable = {
  punpcklbw: unpack(1, false),
  punpcklwd: unpack(2, false),
  punpckldq: unpack(4, false),
  punpcklqdq: unpack(8, false),
  punpckhbw: unpack(1, true),
  punpckhwd: unpack(2, true),
  punpckhdq: unpack(4, true),
  punpckhqdq: unpack(8, true),
  unpcklps: unpack(4, false),
  unpcklpd: unpack(8, false),
  unpckhps: unpack(4, true),
  unpckhpd: unpack(8, true),

  pshufw,
  pshufd: shuffleSource((imm) => bytesOf(fields(imm, 4), 4)),
  pshuflw: shuffleSource((imm) => bytesOf([...fields(imm, 4), 4, 5, 6, 7], 2)),
  pshufhw: shuffleSource((imm) => bytesOf([0, 1, 2, 3, ...fields(imm, 4).map((lane) => 4 + lane)], 2)),
  shufps: shuffleBoth((imm) => {
    const [a, b, c, d] = fields(imm, 4)
    return bytesOf([a, b, 4 + c, 4 + d], 4)
  }),
  shufpd: shuffleBoth((imm) => bytesOf([imm & 1, 2 + ((imm >> 1) & 1)], 8)),

  pextrw,
  pinsrw,
  movmskps: signMask('i32x4'),
  movmskpd: signMask('i64x2'),
}
