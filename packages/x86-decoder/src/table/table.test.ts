import { expect, test } from 'vitest'
import { createInsn } from '../decode.ts'
import { createDecoder } from '../decoder.ts'
import { readOpcode, readOperands } from '../notation.ts'
import type { Row } from '../row.ts'
import { table } from './index.ts'

const decoder = createDecoder()
const prefixBytes = { NP: [], '66': [0x66], F3: [0xf3], F2: [0xf2] }

/** Encodings of a row, with every ModRM byte where it has one. */
function* encodings(row: Row): Generator<Uint8Array> {
  const { prefix, rexW, map, opcode, span, extension, modrm } = readOpcode(row.opcode)
  const mapBytes = [[], [0x0f], [0x0f, 0x38]][map]!
  const start = [...(prefix ? prefixBytes[prefix] : []), ...(rexW ? [0x48] : []), ...mapBytes]
  const tail = new Array(12).fill(0)
  // 90+r begins with NOP.
  for (const code of [opcode + span - 1, opcode])
    if (extension === 'none' && !modrm) yield Uint8Array.from([...start, code, ...tail])
    else for (let byte = 0; byte < 256; byte++) yield Uint8Array.from([...start, code, byte, ...tail])
}

function reaches(row: Row, bits: 32 | 64): boolean {
  const insn = createInsn()
  for (const bytes of encodings(row))
    if (decoder.decode(bytes, 0, bytes.length, bits, insn) > 0 && insn.row === row) return true
  return false
}

test('every row can be reached in the modes that it names, and in no other', () => {
  const wrong = table.filter(
    (row) => reaches(row, 32) !== (row.modes !== 'long') || reaches(row, 64) !== (row.modes !== 'legacy'),
  )
  expect(wrong.map((row) => `${row.opcode} ${row.mnemonic}`)).toEqual([])
})

test('the operand columns read, and name the immediates that the opcode columns announce', () => {
  for (const row of table) {
    const opcode = readOpcode(row.opcode)
    const operands = readOperands(row.operands, opcode)
    const immediates = row.operands.split(', ').filter((word) => /^(imm|rel|ptr|moffs)/.test(word))
    expect({ row, count: immediates.length }).toEqual({ row, count: opcode.immediates.length })
    expect(operands.length).toBe(row.operands === '' ? 0 : row.operands.split(', ').length)
  }
})

test('a word that the notation does not have is refused by name', () => {
  expect(() => readOpcode('0F 10 /x')).toThrow(/opcode notation "0F 10 \/x": "\/x" is not a word of it/)
  expect(() => readOperands('ymm1', readOpcode('0F 10 /r'))).toThrow(/operand notation: "ymm1" is not a word of it/)
})

/** Robin and Irvine, "Analysis of the Intel Pentium's Ability to Support a Secure Virtual Machine Monitor", 2000, section 3. */
test('the eighteen sensitive unprivileged instructions are marked, and IRET', () => {
  const sensitive = new Set(table.filter((row) => row.privilege === 'sensitive').map((row) => row.op))
  expect([...sensitive].sort()).toEqual(
    [
      ...['sgdt', 'sidt', 'sldt', 'smsw', 'pushf', 'popf', 'lar', 'lsl', 'verr', 'verw', 'pop_seg', 'push_seg'],
      ...['call_far', 'call_far_ind', 'jmp_far', 'jmp_far_ind', 'int', 'ret_far', 'iret', 'str', 'mov'],
    ].sort(),
  )
  const moves = table.filter((row) => row.op === 'mov' && row.privilege === 'sensitive')
  expect(moves.map((row) => row.operands)).toEqual(['rv/m16, Sreg', 'Sreg, r/m16'])
})

test('what needs privilege level 0 is marked', () => {
  const privileged = new Set(
    table.filter((row) => row.privilege === 'cpl0' && row.feature !== 'vmx').map((row) => row.op),
  )
  expect([...privileged].sort().join(' ')).toBe(
    'clts hlt invd invlpg lgdt lidt lldt lmsw ltr mov rdmsr swapgs sysexit sysret wbinvd wrmsr',
  )
})

test('only instructions that write memory take LOCK', () => {
  const lockable = new Set(table.filter((row) => row.lockable).map((row) => row.op))
  expect([...lockable].sort().join(' ')).toBe(
    'adc add and btc btr bts cmpxchg cmpxchg16b cmpxchg8b dec inc neg not or sbb sub xadd xchg xor',
  )
})
