/** Decimal adjustment (SDM vol. 2: AAA AAD AAM AAS DAA DAS). Legacy modes only. */

import type { Insn } from '@vmexit/x86-decoder'
import { Vector } from '../../state/layout.ts'
import type { Processor, SemanticsTable } from '../processor.ts'

const AX = 0

/** ZF, SF and PF of AL as an EFLAGS image. */
function resultFlags<V>(c: Processor<V>, al: V): V {
  const byte = c.let(c.and(al, c.i32(0xff)))
  const zf = c.shl(c.eqz(byte), c.i32(6))
  const pf = c.shl(c.eqz(c.and(c.popcnt(byte), c.i32(1))), c.i32(2))
  return c.or(c.or(zf, pf), c.and(byte, c.i32(0x80)))
}

/** DAA and DAS: OF, undefined, is cleared. */
function adjustPacked(subtract: boolean) {
  return <V>(c: Processor<V>, _insn: Insn): void => {
    const al = c.let(c.and(c.gpr(AX, 8), c.i32(0xff)))
    const flags = c.let(c.statusFlags())
    const af = c.let(c.or(c.and(c.shr(flags, c.i32(4)), c.i32(1)), c.gtU(c.and(al, c.i32(15)), c.i32(9))))
    const cf = c.let(c.or(c.and(flags, c.i32(1)), c.gtU(al, c.i32(0x99))))
    const amount = c.let(c.or(c.mul(af, c.i32(6)), c.mul(cf, c.i32(0x60))))
    const result = c.let(subtract ? c.sub(al, amount) : c.add(al, amount))
    // DAS also carries when taking 6 away borrows.
    const borrow = subtract ? c.and(af, c.ltU(al, c.i32(6))) : c.i32(0)
    const image = c.or(c.or(resultFlags(c, result), c.shl(af, c.i32(4))), c.or(cf, borrow))
    c.setGpr(AX, 8, result)
    c.setStatusFlags(c.let(image))
  }
}

/** AAA and AAS: AX ± 106h when the low digit needs it; AL keeps its low digit. */
function adjustUnpacked(subtract: boolean) {
  return <V>(c: Processor<V>, _insn: Insn): void => {
    const ax = c.let(c.and(c.gpr(AX, 16), c.i32(0xffff)))
    const flags = c.statusFlags()
    const adjust = c.let(c.or(c.and(c.shr(flags, c.i32(4)), c.i32(1)), c.gtU(c.and(ax, c.i32(15)), c.i32(9))))
    const amount = c.mul(adjust, c.i32(0x106))
    const result = c.let(subtract ? c.sub(ax, amount) : c.add(ax, amount))
    c.setGpr(AX, 16, c.and(result, c.i32(0xff0f)))
    const image = c.or(resultFlags(c, c.and(result, c.i32(0x0f))), c.or(c.shl(adjust, c.i32(4)), adjust))
    c.setStatusFlags(c.let(image))
  }
}

export const decimal: SemanticsTable = {
  daa: adjustPacked(false),
  das: adjustPacked(true),
  aaa: adjustUnpacked(false),
  aas: adjustUnpacked(true),
  aam(c, insn) {
    const base = c.let(c.and(c.readU(insn, 0), c.i32(0xff)))
    c.if(c.eqz(base), () => c.raise(Vector.DE))
    const al = c.let(c.and(c.gpr(AX, 8), c.i32(0xff)))
    const low = c.let(c.remU(al, base))
    c.setGpr(AX, 16, c.or(c.shl(c.divU(al, base), c.i32(8)), low))
    c.setStatusFlags(c.let(resultFlags(c, low)))
  },
  aad(c, insn) {
    const base = c.let(c.and(c.readU(insn, 0), c.i32(0xff)))
    const ax = c.let(c.and(c.gpr(AX, 16), c.i32(0xffff)))
    const result = c.let(c.and(c.add(c.and(ax, c.i32(0xff)), c.mul(c.shr(ax, c.i32(8)), base)), c.i32(0xff)))
    c.setGpr(AX, 16, result)
    c.setStatusFlags(c.let(resultFlags(c, result)))
  },
}
