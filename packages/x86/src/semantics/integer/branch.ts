/** Near control transfers (SDM vol. 2: CALL JMP Jcc LOOPcc JCXZ RET). Far ones are system actions. */
import { type Insn, Kind } from '@vmexit/x86-decoder'
import type { Processor, SemanticsTable } from '../processor.ts'
import { constant } from './operands.ts'

const CX = 1

/** A near target is i32 for 16- and 32-bit operand sizes, unsigned. */
function indirectTarget<V>(c: Processor<V>, insn: Insn): V {
  const value = c.readU(insn, 0)
  return c.width === 64 && insn.operands[0]!.size < 64 ? c.extendU(value) : value
}

const countIsZero = <V>(c: Processor<V>, insn: Insn): V => c.eq(c.gpr(CX, insn.addrSize), constant(c, insn.addrSize, 0))

/** LOOP, LOOPE, LOOPNE: the count is written only once the branch is known to be in order. */
function loop(zeroFlag?: boolean) {
  return <V>(c: Processor<V>, insn: Insn): void => {
    const bits = insn.addrSize
    const raw = c.sub(c.gpr(CX, bits), constant(c, bits, 1))
    const count = c.let(bits === 16 ? c.signExtend(raw, 16) : raw)
    const more = c.ne(count, constant(c, bits, 0))
    const taken = c.let(zeroFlag === undefined ? more : c.and(more, c.condition(zeroFlag ? 4 : 5)))
    c.if(taken, () => c.checkBranch(insn))
    c.setGpr(CX, bits, count)
    c.branch(insn, taken)
  }
}

export const branches: SemanticsTable = {
  jmp: (c, insn) => c.branch(insn),
  jmp_ind: (c, insn) => c.jump(insn, c.let(c.checkTarget(insn, indirectTarget(c, insn)))),
  jcc: (c, insn) => c.branch(insn, c.condition(insn.cc)),
  jcxz: (c, insn) => c.branch(insn, countIsZero(c, insn)),
  loop: loop(),
  loope: loop(true),
  loopne: loop(false),
  call(c, insn) {
    c.checkBranch(insn)
    c.push(insn.opSize, returnAddress(c, insn))
    c.branch(insn)
  },
  call_ind(c, insn) {
    const target = c.let(c.checkTarget(insn, indirectTarget(c, insn)))
    c.push(insn.opSize, returnAddress(c, insn))
    c.jump(insn, target)
  },
  ret(c, insn) {
    const bytes = insn.opSize >> 3
    const extra = insn.operands.length > 0 && insn.operands[0]!.kind === Kind.imm ? insn.imm & 0xffff : 0
    const loaded = c.stackLoad(0, insn.opSize)
    const target = c.let(c.checkTarget(insn, c.width === 64 && insn.opSize < 64 ? c.extendU(loaded) : loaded))
    c.stackAdjust(bytes + extra)
    c.jump(insn, target)
  },
}

function returnAddress<V>(c: Processor<V>, insn: Insn): V {
  const next = c.nextIp(insn)
  return c.width === 64 && insn.opSize < 64 ? c.wrap(next) : next
}
