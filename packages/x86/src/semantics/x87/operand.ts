/** Memory operands of x87 instructions as values of the extended format. */
import type { Insn } from '@vmexit/x86-decoder'
import { type Extended, QUIET } from '../../softfloat/extended.ts'
import { f32ToF80, f64ToF80, f80FromI64 } from '../../softfloat/extended-convert.ts'
import type { Processor } from '../processor.ts'

export interface Loaded<V> {
  readonly value: Extended<V>
  /** Invalid (a signalling NaN) and denormal; a constant where neither can be. */
  readonly flags: V
  /** Effective address. */
  readonly offset: V
}

/** 16, 32 or 64 bits: exact. */
export function loadInteger<V>(c: Processor<V>, insn: Insn): Loaded<V> {
  const offset = c.let(c.address(insn))
  const { size } = insn.operands[0]!
  const raw = c.load(insn.seg, offset, size, true)
  const [significand, se] = c.call(f80FromI64, size === 64 ? raw : c.extendS(raw)) as [V, V]
  return { value: { significand, se }, flags: c.i32(0), offset }
}

/** 32, 64 or 80 bits. A signalling NaN of the smaller formats is still signalling: {@link quieted} for FLD. */
export function loadReal<V>(c: Processor<V>, insn: Insn): Loaded<V> {
  const offset = c.let(c.address(insn))
  const { size } = insn.operands[0]!
  if (size === 80) {
    const significand = c.let(c.load(insn.seg, offset, 64))
    const se = c.let(c.load(insn.seg, c.displace(insn, offset, 8), 16))
    return { value: { significand, se }, flags: c.i32(0), offset }
  }
  const raw = c.load(insn.seg, offset, size)
  const [significand, se, flags] = c.call(size === 64 ? f64ToF80 : f32ToF80, raw) as [V, V, V]
  return { value: { significand, se }, flags: c.rare(flags), offset }
}

/** The value that FLD loads: a NaN reported as invalid becomes quiet. */
export function quieted<V>(c: Processor<V>, { value, flags }: Loaded<V>): Extended<V> {
  const signalling = c.and(flags, c.i32(1))
  return { significand: c.or(value.significand, c.select(signalling, c.i64(QUIET), c.i64(0n))), se: value.se }
}
