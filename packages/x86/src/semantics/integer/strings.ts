/** String instructions (SDM vol. 2: MOVS CMPS SCAS LODS STOS). The destination is always ES:(E)DI; DS may be overridden. */
import { type Insn, Seg } from '@vmexit/x86-decoder'
import type { Processor, SemanticsTable } from '../processor.ts'
import { canonical } from './operands.ts'

const AX = 0
const SI = 6
const DI = 7

/** Width in bits of one element: the first operand's size. */
const elementBits = (insn: Insn): number => insn.operands[0]!.size

function offset<V>(c: Processor<V>, insn: Insn, reg: number): V {
  const value = c.gpr(reg, insn.addrSize)
  if (c.width === 64)
    return insn.addrSize === 64 ? value : c.let(c.extendU(insn.addrSize === 16 ? c.zeroExtend(value, 16) : value))
  return insn.addrSize === 16 ? c.let(c.zeroExtend(value, 16)) : value
}
function advance<V>(c: Processor<V>, insn: Insn, reg: number, from: V, step: V): void {
  const next = c.add(from, step)
  c.setGpr(reg, insn.addrSize, c.width === 64 && insn.addrSize !== 64 ? c.wrap(next) : next)
}

export const strings: SemanticsTable = {
  movs(c, insn) {
    const bits = elementBits(insn)
    c.repeat(insn, () => {
      const from = offset(c, insn, SI)
      const to = offset(c, insn, DI)
      c.store(Seg.es, to, bits, c.load(insn.seg, from, bits, true))
      const step = c.let(c.stringStep(bits >> 3))
      advance(c, insn, SI, from, step)
      advance(c, insn, DI, to, step)
    })
  },
  cmps(c, insn) {
    const bits = elementBits(insn)
    c.repeat(insn, () => {
      const from = offset(c, insn, SI)
      const to = offset(c, insn, DI)
      const a = c.load(insn.seg, from, bits, true)
      const b = c.load(Seg.es, to, bits, true)
      c.flagsSub(a, b, c.let(canonical(c, bits, c.sub(a, b))))
      const step = c.let(c.stringStep(bits >> 3))
      advance(c, insn, SI, from, step)
      advance(c, insn, DI, to, step)
    })
  },
  scas(c, insn) {
    const bits = elementBits(insn)
    c.repeat(insn, () => {
      const to = offset(c, insn, DI)
      const b = c.load(Seg.es, to, bits, true)
      const a = c.gpr(AX, bits)
      c.flagsSub(a, b, c.let(canonical(c, bits, c.sub(a, b))))
      advance(c, insn, DI, to, c.stringStep(bits >> 3))
    })
  },
  lods(c, insn) {
    const bits = elementBits(insn)
    c.repeat(insn, () => {
      const from = offset(c, insn, SI)
      c.setGpr(AX, bits, c.load(insn.seg, from, bits, true))
      advance(c, insn, SI, from, c.stringStep(bits >> 3))
    })
  },
  stos(c, insn) {
    const bits = elementBits(insn)
    c.repeat(insn, () => {
      const to = offset(c, insn, DI)
      c.store(Seg.es, to, bits, c.gpr(AX, bits))
      advance(c, insn, DI, to, c.stringStep(bits >> 3))
    })
  },
}
