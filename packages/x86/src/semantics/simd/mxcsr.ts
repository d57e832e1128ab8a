/**
 * MXCSR: the control and status of SSE floating point (SDM vol. 1, 10.2.3), and how its exceptions are delivered (11.5).
 */
import type { Ops } from '../../ops/ops.ts'
import { Layout, Vector } from '../../state/layout.ts'
import type { Processor, Semantics, SemanticsTable } from '../processor.ts'
import { enterSse } from './registers.ts'

/** All six exceptions. */
const EXCEPTIONS = 0x3f
/** Invalid, denormal and divide-by-zero: found before the operation computes. */
const BEFORE_COMPUTING = 0x07
/** Distance of an exception's mask from its flag. */
const MASK_SHIFT = 7
/** Bits that must be zero: MXCSR_MASK is 0xFFFF, denormals-are-zeros included. */
const RESERVED = ~0xffff
/** CR4: SIMD floating-point exceptions are #XM, and not #UD. */
const CR4_OSXMMEXCPT = 0x400

/** The whole register: i32. */
export function mxcsr<V>(o: Ops<V>): V {
  return o.let(o.peek('i32', o.state(), Layout.mxcsr, 32))
}

/**
 * Deliver what an operation (all its lanes) has found: set the flags and, when one of them is unmasked, fault.
 * With an unmasked exception found before computing, those of the result have not occurred. Before any other write.
 */
export function report<V>(c: Processor<V>, control: V, found: V): void {
  const flags = c.let(found)
  c.if(flags, () => {
    const unmasked = c.let(c.and(flags, c.xor(c.shr(control, c.i32(MASK_SHIFT)), c.i32(EXCEPTIONS))))
    c.if(
      unmasked,
      () => {
        const early = c.and(unmasked, c.i32(BEFORE_COMPUTING))
        setFlags(c, control, c.select(early, c.and(flags, c.i32(BEFORE_COMPUTING)), flags))
        const enabled = c.and(c.peek('i32', c.state(), Layout.cr4, 32), c.i32(CR4_OSXMMEXCPT))
        c.if(
          enabled,
          () => c.raise(Vector.XM),
          () => c.raise(Vector.UD),
        )
      },
      () => setFlags(c, control, flags),
    )
  })
}

function setFlags<V>(o: Ops<V>, control: V, flags: V): void {
  o.poke(o.state(), Layout.mxcsr, o.or(control, flags), 32)
}

const ldmxcsr: Semantics = (c, insn) => {
  enterSse(c)
  const value = c.let(c.load(insn.seg, c.address(insn), 32))
  c.if(c.and(value, c.i32(RESERVED)), () => c.raise(Vector.GP, c.i32(0)))
  c.poke(c.state(), Layout.mxcsr, value, 32)
}

const stmxcsr: Semantics = (c, insn) => {
  enterSse(c)
  c.store(insn.seg, c.address(insn), 32, mxcsr(c))
}

/** LDMXCSR and STMXCSR. */
export const control: SemanticsTable = { ldmxcsr, stmxcsr }
