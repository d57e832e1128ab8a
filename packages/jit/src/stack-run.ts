/** Runs of PUSH and POP, as functions begin and end with: one access to the stack does for all of them. */
import type { Mode } from '@vmexit/x86/engine'
import { Kind, Seg } from '@vmexit/x86-decoder'
import type { Item } from './region.ts'

const SP = 4
const LONGEST = 8

/** How many items from `n` on make up such a run; below 2 there is none. Only a CALL or RET, as its last, may end a block. */
export function stackRun(items: readonly Item[], n: number, mode: Mode): number {
  if (mode.stackBits !== 32 || ((mode.flatRead & mode.flatWrite) >> Seg.ss) % 2 === 0) return 0
  const op = items[n]!.insn.op
  if (op !== 'push' && op !== 'pop') return 0
  const last = op === 'push' ? 'call' : 'ret'
  let length = 0
  while (length < LONGEST && n + length < items.length) {
    const { insn, second } = items[n + length]!
    // What straddles two pages has a check of its own.
    if (second || insn.opSize !== 32) break
    if (insn.op === last && mode.codeLimit === 0xffff_ffff) return length + 1
    if (insn.op !== op || !isPlain(items[n + length]!, op)) break
    length++
  }
  return length
}

function isPlain({ insn, step }: Item, op: string): boolean {
  const { kind, reg, size } = insn.operands[0]!
  if (step !== 'plain') return false
  if (kind === Kind.imm) return op === 'push'
  return kind === Kind.gpr && size === 32 && reg !== SP
}
