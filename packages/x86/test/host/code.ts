/** A sequence's code as instructions, and which of them can come before which. */
import { createDecoder, createInsn, type Insn } from '@vmexit/x86-decoder'

export interface Step {
  readonly at: number
  readonly insn: Insn
}

const decoder = createDecoder()
const BRANCHES = new Set(['jmp', 'jcc', 'call', 'loop', 'loope', 'loopne', 'jcxz'])

export function decodeSequence(code: Uint8Array, bits: 16 | 32 | 64): Step[] {
  const padded = new Uint8Array(code.length + 16)
  padded.set(code)
  const steps: Step[] = []
  for (let at = 0; at < code.length; ) {
    const insn = createInsn()
    const length = decoder.decode(padded, at, padded.length, bits, insn)
    if (length <= 0) throw new RangeError(`the bytes at ${at} of a sequence are no instruction`)
    steps.push({ at, insn })
    at += length
  }
  return steps
}

/** Where a branch of the sequence goes, if it is one. */
export function branchTarget({ at, insn }: Step): number | undefined {
  return BRANCHES.has(insn.op) ? at + insn.length + insn.imm : undefined
}

/** Does the next instruction never follow? */
const isFinal = (insn: Insn): boolean => insn.op === 'jmp' || insn.op === 'call'

/**
 * Something that instructions add and take away, joined where paths meet: its value before each instruction and, in the
 * last element, at the end. Branches go forward, so that once through is enough.
 */
export function flow(steps: readonly Step[], through: (value: number, step: Step) => number): number[] {
  const before: number[] = Array.from({ length: steps.length + 1 }, () => 0)
  steps.forEach((step, i) => {
    const after = through(before[i]!, step)
    if (!isFinal(step.insn)) before[i + 1]! |= after
    const target = branchTarget(step)
    if (target === undefined) return
    const next = steps.findIndex(({ at }) => at === target)
    before[next < 0 ? steps.length : next]! |= after
  })
  return before
}
