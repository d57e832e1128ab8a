/** The instructions whose handlers stand inline in the dispatcher: the most frequent forms in 32-bit code with flat segments. */
import { createInsn, type Decoder } from '@vmexit/x86-decoder'
import { semantics } from '../semantics/index.ts'
import { type Template, templateOf } from './key.ts'
import type { Mode } from './mode.ts'

/** One encoding of each form, by group; registers and constants are of no account. */
const ENCODINGS = [
  // MOV: registers; load and store by base, base and index, index alone, absolute; 32, 8 and 16 bits; immediates
  '89d8 8b4508 894508 8b0401 8b0441 8b0481 8b04c1 890401 890441 890481 8904c1 8b04850000000a 8904850000000a 8b0500000010 890500000010 a100000010 a300000010',
  'b801000000 c7450001000000 c7040101000000 c7048101000000 c74405000100000 8a4508 884508 8a0401 880401 88d8 b001 c6450001 c6040100 c6044100 66894508 668b4508 6689d8 668b0441 66890441',
  // Extensions
  '0fb64508 0fb6c0 0fb60401 0fb74508 0fb7c0 0fb70441 0fbe4508 0fbec0 0fbe0401 0fbf4508 0fbfc0 0fbf0441',
  // ADD SUB AND OR XOR CMP TEST: register-register, register-memory, memory-register, immediates
  '01d8 034508 030481 014508 010481 83c001 05ffff0000 83450801 00d8 0401',
  '29d8 2b4508 2b0481 294508 83e801 836d0801 28d8 2c01',
  '21d8 234508 83e001 25ff000000 214508 83650801 20d8 2401 80e10f',
  '09d8 0b4508 83c801 094508 834d0801 08d8 0c01 31d8 334508 330481 83f001 314508 30d8 3401',
  '39d8 3b4508 3b0481 394508 390481 83f801 3dff000000 837d0801 38d8 3c01 80f901 807d0801 803c0100 3a4508 384508 3a0401 380401 6639d8 663d0001 6683f801',
  '85c0 84c0 a801 f6c101 f6450801 f7c100010000 f7450800010000 6685c0 0fafc3 0faf4508 6bc00a 69c00a000000',
  '11d8 134508 83d000 19d8 1b4508 83d800 f7d8 f7d0 f7e3 f7eb f7f3 f7fb 99 98',
  // INC DEC LEA and shifts
  '40 48 ff4508 ff4d08 fec0 fec8 8d4508 8d0401 8d0441 8d0481 8d04c1 8d440801 8d448801 8d048500000000 8d04c500000000',
  'c1e004 c1e804 c1f804 d1e0 d1e8 d1f8 d3e0 d3e8 d3f8 c1c008 c1c808 c0e804 0facd008 0fa4d008',
  // Stack and branches
  '50 58 6a01 ff7508 ff3485 ff3481 c9 c3 c20400 e800000000 eb00 ffd0 ffe0 ff5508 ff2485 ff6508 8f4508',
  '7000 7100 7200 7300 7400 7500 7600 7700 7800 7900 7a00 7b00 7c00 7d00 7e00 7f00',
  '0f94c0 0f95c0 0f92c0 0f93c0 0f97c0 0f9cc0 0f9fc0 0f44c1 0f45c1 0f42c1 0f43c1 0f46c1 0f47c1 0f4cc1 0f4dc1 0f4ec1 0f4fc1 0f48c1 0f49c1 87d8 90 f3a5 f3ab f3a4 f3aa',
]

/** What kernels do besides: waiting, copying what cannot be aligned, and variables of their processor, by FS. */
const KERNEL =
  '0faee8 f390 66a5 ac ae 6690 a900000000 f7c100010000 0fb70401 0fc8 0fb101 0fbcc0 ' +
  '648b0500000000 64890500000000 64ff0500000000 64ff0d00000000 64030500000000 642b0500000000'

/** Forms whose fusion with a following Jcc stands inline. */
const BEFORE_BRANCH =
  '39d8 83f801 a900000000 3b4508 3b0481 394508 837d0801 807d0801 803c0100 38d8 3c01 6639d8 85c0 84c0 a801 f6c101 f6450801 21d8 83e001 48 83e801 83c001 40 29d8'

const FLAT = 0x3f
const HOT_MODE: Mode = {
  id: -1,
  user: false,
  codeBits: 32,
  stackBits: 32,
  flatRead: FLAT,
  flatWrite: FLAT & ~2,
  codeBase: 0,
  codeLimit: 0xffff_ffff,
}

/** As Linux has it: a segment of its own in FS. */
const KERNEL_MODE: Mode = { ...HOT_MODE, flatRead: 0xf, flatWrite: 0xd }

/** Templates of the hot handlers; none for 64-bit code, which is measured later. */
export function hotTemplates(decoder: Decoder, width: 32 | 64): Template[] {
  if (width === 64) return []
  const templates: Template[] = []
  const add = (texts: string, mode: Mode): void => {
    for (const text of texts.split(' ')) {
      const bytes = Uint8Array.from(text.match(/../g)!, (pair) => Number.parseInt(pair, 16))
      const insn = createInsn()
      if (decoder.decode(bytes, 0, bytes.length, 32, insn) > 0 && semantics[insn.op])
        templates.push(templateOf(insn, mode))
    }
  }
  add(ENCODINGS.join(' '), HOT_MODE)
  add(KERNEL, KERNEL_MODE)
  for (const text of BEFORE_BRANCH.split(' ')) {
    const bytes = Uint8Array.from(text.match(/../g)!, (pair) => Number.parseInt(pair, 16))
    const insn = createInsn()
    decoder.decode(bytes, 0, bytes.length, 32, insn)
    const ccs = ['cmp', 'sub'].includes(insn.op) ? [2, 3, 4, 5, 6, 7, 12, 13, 14, 15] : [4, 5, 8, 9]
    for (const branch of ccs) templates.push({ ...templateOf(insn, HOT_MODE), branch })
  }
  return templates
}
