/** MMX instructions, and the integer operations that SSE2 repeats on XMM registers. SDM volume 2. */
import type { Row } from '../row.ts'
import { type Line, rows } from './line.ts'

/** Packed integer operations `0F opcode /r`: register, register or memory. */
export const packedInteger: readonly (readonly [opcode: string, mnemonic: string])[] = [
  ['63', 'PACKSSWB'],
  ['64', 'PCMPGTB'],
  ['65', 'PCMPGTW'],
  ['66', 'PCMPGTD'],
  ['67', 'PACKUSWB'],
  ['68', 'PUNPCKHBW'],
  ['69', 'PUNPCKHWD'],
  ['6A', 'PUNPCKHDQ'],
  ['6B', 'PACKSSDW'],
  ['74', 'PCMPEQB'],
  ['75', 'PCMPEQW'],
  ['76', 'PCMPEQD'],
  ['D1', 'PSRLW'],
  ['D2', 'PSRLD'],
  ['D3', 'PSRLQ'],
  ['D5', 'PMULLW'],
  ['D8', 'PSUBUSB'],
  ['D9', 'PSUBUSW'],
  ['DB', 'PAND'],
  ['DC', 'PADDUSB'],
  ['DD', 'PADDUSW'],
  ['DF', 'PANDN'],
  ['E1', 'PSRAW'],
  ['E2', 'PSRAD'],
  ['E5', 'PMULHW'],
  ['E8', 'PSUBSB'],
  ['E9', 'PSUBSW'],
  ['EB', 'POR'],
  ['EC', 'PADDSB'],
  ['ED', 'PADDSW'],
  ['EF', 'PXOR'],
  ['F1', 'PSLLW'],
  ['F2', 'PSLLD'],
  ['F3', 'PSLLQ'],
  ['F5', 'PMADDWD'],
  ['F8', 'PSUBB'],
  ['F9', 'PSUBW'],
  ['FA', 'PSUBD'],
  ['FC', 'PADDB'],
  ['FD', 'PADDW'],
  ['FE', 'PADDD'],
]

/** Packed integer operations that came with SSE (MMX registers) and SSE2 (XMM registers). */
export const packedIntegerSse: readonly (readonly [opcode: string, mnemonic: string])[] = [
  ['DA', 'PMINUB'],
  ['DE', 'PMAXUB'],
  ['E0', 'PAVGB'],
  ['E3', 'PAVGW'],
  ['E4', 'PMULHUW'],
  ['EA', 'PMINSW'],
  ['EE', 'PMAXSW'],
  ['F6', 'PSADBW'],
]

/** 0F 60–62: the MMX forms read 32 bits of memory, the XMM forms 128. */
export const unpackLow: readonly (readonly [opcode: string, mnemonic: string])[] = [
  ['60', 'PUNPCKLBW'],
  ['61', 'PUNPCKLWD'],
  ['62', 'PUNPCKLDQ'],
]

/** 0F 71–73: shifts by an immediate. */
export const packedShifts: readonly (readonly [opcode: string, mnemonic: string])[] = [
  ['71 /2 ib', 'PSRLW'],
  ['71 /4 ib', 'PSRAW'],
  ['71 /6 ib', 'PSLLW'],
  ['72 /2 ib', 'PSRLD'],
  ['72 /4 ib', 'PSRAD'],
  ['72 /6 ib', 'PSLLD'],
  ['73 /2 ib', 'PSRLQ'],
  ['73 /6 ib', 'PSLLQ'],
]

/** Lines of a list, all with one prefix and the same operands. */
export function family(
  list: readonly (readonly [string, string])[],
  prefix: string,
  operands: string,
  suffix = ' /r',
): Line[] {
  return list.map(([opcode, mnemonic]) => [
    `${prefix} 0F ${opcode}${suffix}`,
    mnemonic,
    mnemonic.toLowerCase(),
    operands,
  ])
}

/** MMX instructions of the Pentium with MMX. */
export const mmxRows: readonly Row[] = rows('mmx', [
  ...family(unpackLow, 'NP', 'mm1, mm2/m32'),
  ...family(packedInteger, 'NP', 'mm1, mm2/m64'),
  ...family(packedShifts, 'NP', 'mm1, imm8', ''),
  ['NP 0F 6E /r', 'MOVD', 'movd', 'mm1, r/m32'],
  ['NP REX.W 0F 6E /r', 'MOVQ', 'movq', 'mm1, r/m64', 'long'],
  ['NP 0F 7E /r', 'MOVD', 'movd', 'r/m32, mm1'],
  ['NP REX.W 0F 7E /r', 'MOVQ', 'movq', 'r/m64, mm1', 'long'],
  ['NP 0F 6F /r', 'MOVQ', 'movq', 'mm1, mm2/m64'],
  ['NP 0F 7F /r', 'MOVQ', 'movq', 'mm2/m64, mm1'],
  ['NP 0F 77', 'EMMS', 'emms', ''],
])
