/** Where `JMP [table + 4 * register]` leads: what compilers make of a switch. A guess, for the table may be written. */
import type { Mode } from '@vmexit/x86/engine'
import type { Insn } from '@vmexit/x86-decoder'

/** Entries that are looked at. */
const LONGEST = 64

/** The targets in the table, each once; none where the instruction is no such jump. `word`: what lies at a linear address. */
export function tableTargets(insn: Insn, mode: Mode, word: (linear: number) => number | undefined): number[] {
  const { op, base, index, scale, disp, opSize, addrSize, seg } = insn
  const isTable = op === 'jmp_ind' && base < 0 && index >= 0 && scale === 2 && opSize === 32 && addrSize === 32
  if (!isTable || ((mode.flatRead >> seg) & 1) === 0) return []
  const targets = new Set<number>()
  for (let n = 0; n < LONGEST; n++) {
    const target = word((disp + 4 * n) >>> 0)
    if (target === undefined) break
    targets.add(target)
  }
  return [...targets]
}
