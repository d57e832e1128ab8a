/** Jumps, calls, returns, interrupts, loops, string instructions, no-operations. SDM volume 2. */
import type { Row } from '../row.ts'
import { type Line, rows } from './line.ts'

/** A4–AF and 6C–6F. The source at SI takes a segment override, the destination at DI is in ES. */
const strings: readonly Line[] = [
  ['A4', 'MOVSB', 'movs', 'm8(DI), m8(SI)'],
  ['A5', 'MOVSW/MOVSD/MOVSQ', 'movs', 'mv(DI), mv(SI)'],
  ['A6', 'CMPSB', 'cmps', 'm8(SI), m8(DI)'],
  ['A7', 'CMPSW/CMPSD/CMPSQ', 'cmps', 'mv(SI), mv(DI)'],
  ['AA', 'STOSB', 'stos', 'm8(DI), AL'],
  ['AB', 'STOSW/STOSD/STOSQ', 'stos', 'mv(DI), rAX'],
  ['AC', 'LODSB', 'lods', 'AL, m8(SI)'],
  ['AD', 'LODSW/LODSD/LODSQ', 'lods', 'rAX, mv(SI)'],
  ['AE', 'SCASB', 'scas', 'AL, m8(DI)'],
  ['AF', 'SCASW/SCASD/SCASQ', 'scas', 'rAX, mv(DI)'],
  ['6C', 'INSB', 'ins', 'm8(DI), DX', 'io'],
  ['6D', 'INSW/INSD/INSD', 'ins', 'mz(DI), DX', 'io'],
  ['6E', 'OUTSB', 'outs', 'DX, m8(SI)', 'io'],
  ['6F', 'OUTSW/OUTSD/OUTSD', 'outs', 'DX, mz(SI)', 'io'],
]

/** 0F 18–0F 1F and 0F 0D: reserved for hints, executed as NOP. They compute an address and do not use it. */
const hints: readonly Line[] = [
  ['0F 0D /r', 'NOP', 'nop', 'r/mv, rv', { feature: 'nopl' }],
  ['0F 18 /r', 'NOP', 'nop', 'r/mv', { feature: 'nopl' }],
  ...['19', '1A', '1B', '1C', '1D', '1E'].map(
    (opcode): Line => [`0F ${opcode} /r`, 'NOP', 'nop', 'r/mv, rv', { feature: 'nopl' }],
  ),
  ['0F 1F /r', 'NOP', 'nop', 'r/mv', { feature: 'nopl' }],
]

/** Control flow, strings and no-operations. */
export const controlRows: readonly Row[] = rows('386', [
  ['70+cc cb', 'Jcc', 'jcc', 'rel8', 'f64'],
  ['0F 80+cc cz', 'Jcc', 'jcc', 'relz', 'f64'],
  ['E0 cb', 'LOOPNE', 'loopne', 'rel8', 'f64'],
  ['E1 cb', 'LOOPE', 'loope', 'rel8', 'f64'],
  ['E2 cb', 'LOOP', 'loop', 'rel8', 'f64'],
  ['E3 cb', 'JCXZ/JECXZ/JRCXZ', 'jcxz', 'rel8', 'f64'],
  ['EB cb', 'JMP', 'jmp', 'rel8', 'f64'],
  ['E9 cz', 'JMP', 'jmp', 'relz', 'f64'],
  ['EA cp', 'JMP', 'jmp_far', 'ptr16:v', 'legacy', 'sensitive'],
  ['FF /4', 'JMP', 'jmp_ind', 'r/mv', 'f64'],
  ['FF /5', 'JMP', 'jmp_far_ind', 'm16:v', 'sensitive'],
  ['E8 cz', 'CALL', 'call', 'relz', 'f64'],
  ['9A cp', 'CALL', 'call_far', 'ptr16:v', 'legacy', 'sensitive'],
  ['FF /2', 'CALL', 'call_ind', 'r/mv', 'f64'],
  ['FF /3', 'CALL', 'call_far_ind', 'm16:v', 'sensitive'],
  ['C2 iw', 'RET', 'ret', 'imm16', 'f64'],
  ['C3', 'RET', 'ret', '', 'f64'],
  ['CA iw', 'RETF', 'ret_far', 'imm16', 'sensitive'],
  ['CB', 'RETF', 'ret_far', '', 'sensitive'],
  ['CC', 'INT3', 'int3', '3'],
  ['CD ib', 'INT', 'int', 'imm8', 'sensitive'],
  ['CE', 'INTO', 'into', '', 'legacy'],
  ['F1', 'INT1', 'int1', ''],
  ['CF', 'IRET/IRETD/IRETQ', 'iret', '', 'sensitive'],
  ['62 /r', 'BOUND', 'bound', 'rv, mv&v', 'legacy'],

  ...strings,

  ['90', 'NOP', 'nop', ''],
  ['F3 90', 'PAUSE', 'pause', '', { feature: 'pause' }],
  ...hints,
  ['0F FF /r', 'UD0', 'ud', 'rv, r/mv', { feature: 'ud' }],
  ['0F B9 /r', 'UD1', 'ud', 'rv, r/mv', { feature: 'ud' }],
  ['0F 0B', 'UD2', 'ud', '', { feature: 'ud' }],
])
