/** The instructions whose handlers stand inline in the dispatcher: the most frequent forms in 32-bit code with flat segments. */
import { createInsn, type Decoder } from '@vmexit/x86-decoder'
import { semantics } from '../semantics/index.ts'
import { type Template, templateOf } from './key.ts'
import type { Mode } from './mode.ts'

/** One encoding of each form, by group; registers and constants are of no account. */
const ENCODINGS = [
  // MOV: register, load and store by base, base and index, absolute; 32, 8 and 16 bits; immediates
  '89d8 8b4508 894508 8b448510 89448510 8b04850000000a 8904850000000a 8b0500000010 890500000010 a100000010 a300000010',
  '8b0441 890441 8b0481 890481 b801000000 c7450001000000 c74405000100000 8a4508 884508 88d8 b001 c6450001 8a0408 880408 66894508 668b4508',
  // Extensions
  '0fb64508 0fb6c0 0fb60408 0fb74508 0fb7c0 0fb70448 0fbe4508 0fbec0 0fbf4508 0fbfc0',
  // ADD SUB AND OR XOR CMP TEST: register-register, register-memory, memory-register, immediates
  '01d8 034508 014508 83c001 05ffff0000 83450801 81c000010000',
  '29d8 2b4508 294508 83e801 83ec10 81ec00010000',
  '21d8 234508 83e001 25ff000000 81e1ff000000 214508',
  '09d8 0b4508 83c801 094508 31d8 334508 83f001 314508',
  '39d8 3b4508 394508 83f801 3dff000000 81f9ff000000 837d0801 817d08ff000000 38d8 3c01 80f901 807d0801 3a4508 384508 3b0488 6639d8',
  '85c0 84c0 a801 f6c101 f6450801 f7c100010000 0fafc3 0faf4508 6bc00a 69c00a000000',
  '11d8 134508 19d8 1b4508 f7d8 f7d0 f7e3 f7f3 f7fb 99',
  // INC DEC LEA and shifts
  '40 48 ff4508 ff4d08 8d4508 8d0408 8d0448 8d0488 8d448808 8d048500000000',
  'c1e004 c1e804 c1f804 d1e0 d1e8 d1f8 d3e0 d3e8 d3f8 c1c008 c1c808',
  // Stack and branches
  '50 58 6a01 6800000001 ff7508 c9 c3 c20400 e800000000 eb00 e900000000 ffd0 ffe0 ff5508 ff24850000000a ff2485',
  '7000 7100 7200 7300 7400 7500 7600 7700 7800 7900 7a00 7b00 7c00 7d00 7e00 7f00',
  '0f8000000000 0f8100000000 0f8200000000 0f8300000000 0f8400000000 0f8500000000 0f8600000000 0f8700000000',
  '0f8800000000 0f8900000000 0f8c00000000 0f8d00000000 0f8e00000000 0f8f00000000',
  '0f94c0 0f95c0 0f9cc0 0f9fc0 0f44c1 0f45c1 0f42c1 0f43c1 0f4cc1 0f4fc1 87d8 91 90 f3a5 f3ab f3a4 f3aa',
]

const FLAT = 0x3f
const HOT_MODE: Mode = { id: -1, codeBits: 32, stackBits: 32, flatRead: FLAT, flatWrite: FLAT & ~2, codeBase: 0, codeLimit: 0xffff_ffff }

/** Templates of the hot handlers; none for 64-bit code, which is measured later. */
export function hotTemplates(decoder: Decoder, width: 32 | 64): Template[] {
  if (width === 64) return []
  const templates: Template[] = []
  for (const text of ENCODINGS.join(' ').split(' ')) {
    const bytes = Uint8Array.from(text.match(/../g)!, (pair) => Number.parseInt(pair, 16))
    const insn = createInsn()
    if (decoder.decode(bytes, 0, bytes.length, 32, insn) > 0 && semantics[insn.op]) templates.push(templateOf(insn, HOT_MODE))
  }
  return templates
}
