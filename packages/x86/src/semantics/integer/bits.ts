/** Bit tests and scans (SDM vol. 2: BT BTS BTR BTC BSF BSR). */
import { type Insn, Kind } from '@vmexit/x86-decoder'
import type { Processor, SemanticsTable } from '../processor.ts'
import { constant, narrow, sizeOf, widen } from './operands.ts'

type Change = <V>(c: Processor<V>, a: V, mask: V, bits: number) => V

/**
 * A register as bit index into memory reaches beyond the operand: the index, arithmetically shifted, selects the word.
 * CF gets the bit; the other flags stay.
 */
function bitTest(change?: Change) {
  return <V>(c: Processor<V>, insn: Insn): void => {
    const bits = sizeOf(insn, 0)
    const far = insn.operands[0]!.kind === Kind.mem && insn.operands[1]!.kind === Kind.gpr
    const index = c.let(far || bits === 64 ? c.read(insn, 1) : c.readU(insn, 1))
    const narrowIndex = c.let(sizeOf(insn, 1) === 64 ? c.wrap(index) : index)
    const position = c.let(widen(c, bits, c.and(narrowIndex, c.i32(bits - 1))))
    const mask = (): V => c.shl(constant(c, bits, 1), position)
    const test = (a: V): void => c.flagsCarry(c.let(narrow(c, bits, c.and(c.shr(a, position), constant(c, bits, 1)))))
    if (!far) {
      if (!change) {
        test(c.read(insn, 0))
        return
      }
      c.modify(insn, 0, (a) => {
        const result = c.let(change(c, a, mask(), bits))
        test(a)
        return result
      })
      return
    }
    const address = c.let(farAddress(c, insn, bits, index))
    if (change) c.probeWrite(insn.seg, address, bits >> 3)
    const a = c.load(insn.seg, address, bits, true)
    if (change) c.store(insn.seg, address, bits, c.let(change(c, a, mask(), bits)))
    test(a)
  }
}

function farAddress<V>(c: Processor<V>, insn: Insn, bits: number, index: V): V {
  const log = bits === 16 ? 4 : bits === 32 ? 5 : 6
  const words = c.sar(index, constant(c, sizeOf(insn, 1), log))
  const bytes = c.shl(words, constant(c, sizeOf(insn, 1), log - 3))
  const base = c.address(insn)
  if (c.width === 32) {
    const sum = c.add(base, bytes)
    return insn.addrSize === 16 ? c.zeroExtend(sum, 16) : sum
  }
  const sum = c.add(base, sizeOf(insn, 1) === 64 ? bytes : c.extendS(bytes))
  return insn.addrSize === 64 ? sum : c.zeroExtend(sum, insn.addrSize)
}

/** A source of 0 sets ZF and leaves the destination (undefined by the manual; so do processors). */
function scan(forward: boolean) {
  return <V>(c: Processor<V>, insn: Insn): void => {
    const bits = sizeOf(insn, 0)
    const a = c.readU(insn, 1)
    const found = forward ? c.ctz(a) : c.sub(constant(c, bits, bits === 64 ? 63 : 31), c.clz(a))
    const old = c.read(insn, 0)
    const empty = c.let(c.eq(a, constant(c, bits, 0)))
    const result = c.let(c.select(empty, old, found))
    c.flagsLogic(a)
    c.write(insn, 0, result)
  }
}

export const bits: SemanticsTable = {
  bt: bitTest(),
  bts: bitTest((c, a, mask) => c.or(a, mask)),
  btr: bitTest((c, a, mask, size) => c.and(a, c.xor(mask, constant(c, size, -1)))),
  btc: bitTest((c, a, mask) => c.xor(a, mask)),
  bsf: scan(true),
  bsr: scan(false),
}
