/** What kind of step an instruction is in a translation. */
import { isAction, type Mode } from '@vmexit/x86/engine'
import type { Insn, Row } from '@vmexit/x86-decoder'

/**
 * How an instruction goes on:
 * - `plain`: with the next one;
 * - `branch`, `jump`: to a target that is known, or also to the next one;
 * - `call`: to a target that is known, and back to the next one; `callIndirect`: to one that is not;
 * - `indirect`: to a target that is not known;
 * - `repeat`: with the next one, after as many iterations as the budget allows;
 * - `action`: executed by TypeScript, with the next one if all is calm; `transfer`: with something else.
 */
export type Step = 'plain' | 'branch' | 'jump' | 'call' | 'callIndirect' | 'indirect' | 'repeat' | 'action' | 'transfer'

const BRANCHES = new Set(['jcc', 'loop', 'loope', 'loopne', 'jcxz'])
const STRINGS = new Set(['movs', 'cmps', 'scas', 'lods', 'stos'])
const TRANSFERS = new Set(
  'int int3 int1 into sysenter sysexit iret ret_far jmp_far jmp_far_ind call_far call_far_ind hlt ud rsm'.split(' '),
)

const steps = new Map<Row, Step>()

export function stepOf(insn: Insn): Step {
  if (insn.rep !== 0 && STRINGS.has(insn.op)) return 'repeat'
  let step = steps.get(insn.row)
  if (step === undefined) steps.set(insn.row, (step = find(insn)))
  return step
}

function find(insn: Insn): Step {
  const { op } = insn
  if (isAction(insn)) return TRANSFERS.has(op) ? 'transfer' : 'action'
  if (BRANCHES.has(op)) return 'branch'
  if (op === 'jmp') return 'jump'
  if (op === 'call') return 'call'
  if (op === 'call_ind') return 'callIndirect'
  return op === 'jmp_ind' || op === 'ret' ? 'indirect' : 'plain'
}

/** Offset of the instruction behind one at `ip`. */
export function nextOf(ip: number, insn: Insn): number {
  return (ip + insn.length) >>> 0
}

/** Target of a direct branch at `ip`, unsigned. */
export function targetOf(ip: number, insn: Insn): number {
  const target = ip + insn.length + insn.imm
  return insn.opSize === 16 ? target & 0xffff : target >>> 0
}

/** Linear page number of code at `ip`. */
export function linearPageOf(ip: number, mode: Mode): number {
  return ((ip + mode.codeBase) >>> 0) >>> 12
}
