/** General-purpose instructions on registers and memory: arithmetic, logic, shifts, bits, moves, stack. SDM volume 2. */
import type { Row } from '../row.ts'
import { hex, type Line, type Mark, rows } from './line.ts'

const lock: Mark = 'lock'

/** 00–3F and 80–83: the eight operations that share one pattern. */
const arithmetic = ['ADD', 'OR', 'ADC', 'SBB', 'AND', 'SUB', 'XOR', 'CMP'].flatMap((mnemonic, n): Line[] => {
  const op = mnemonic.toLowerCase()
  const writes: Mark[] = op === 'cmp' ? [] : [lock]
  const at = (column: number) => hex(n * 8 + column)
  return [
    [`${at(0)} /r`, mnemonic, op, 'r/m8, r8', ...writes],
    [`${at(1)} /r`, mnemonic, op, 'r/mv, rv', ...writes],
    [`${at(2)} /r`, mnemonic, op, 'r8, r/m8'],
    [`${at(3)} /r`, mnemonic, op, 'rv, r/mv'],
    [`${at(4)} ib`, mnemonic, op, 'AL, imm8'],
    [`${at(5)} iz`, mnemonic, op, 'rAX, immz'],
    [`80 /${n} ib`, mnemonic, op, 'r/m8, imm8', ...writes],
    [`81 /${n} iz`, mnemonic, op, 'r/mv, immz', ...writes],
    [`82 /${n} ib`, mnemonic, op, 'r/m8, imm8', 'legacy', ...writes],
    [`83 /${n} ib`, mnemonic, op, 'r/mv, imm8s', ...writes],
  ]
})

/** C0, C1, D0–D3. /6 is not in the manual; every processor executes it as /4. */
const shifts = ['ROL', 'ROR', 'RCL', 'RCR', 'SHL', 'SHR', 'SHL', 'SAR'].flatMap((mnemonic, n): Line[] => {
  const op = mnemonic.toLowerCase()
  return [
    [`C0 /${n} ib`, mnemonic, op, 'r/m8, imm8'],
    [`C1 /${n} ib`, mnemonic, op, 'r/mv, imm8'],
    [`D0 /${n}`, mnemonic, op, 'r/m8, 1'],
    [`D1 /${n}`, mnemonic, op, 'r/mv, 1'],
    [`D2 /${n}`, mnemonic, op, 'r/m8, CL'],
    [`D3 /${n}`, mnemonic, op, 'r/mv, CL'],
  ]
})

/** 0F A3, AB, B3, BB and 0F BA /4–/7. */
const bits = (
  [
    ['BT', 0xa3, []],
    ['BTS', 0xab, [lock]],
    ['BTR', 0xb3, [lock]],
    ['BTC', 0xbb, [lock]],
  ] as const
).flatMap(([mnemonic, opcode, writes], n): Line[] => [
  [`0F ${hex(opcode)} /r`, mnemonic, mnemonic.toLowerCase(), 'r/mv, rv', ...writes],
  [`0F BA /${n + 4} ib`, mnemonic, mnemonic.toLowerCase(), 'r/mv, imm8', ...writes],
])

/** Arithmetic, logic, shifts and bit operations. */
export const arithmeticRows: readonly Row[] = rows('386', [
  ...arithmetic,
  ...shifts,
  ...bits,
  ['40+r', 'INC', 'inc', 'rv', 'legacy'],
  ['48+r', 'DEC', 'dec', 'rv', 'legacy'],
  ['FE /0', 'INC', 'inc', 'r/m8', lock],
  ['FE /1', 'DEC', 'dec', 'r/m8', lock],
  ['FF /0', 'INC', 'inc', 'r/mv', lock],
  ['FF /1', 'DEC', 'dec', 'r/mv', lock],

  ['84 /r', 'TEST', 'test', 'r/m8, r8'],
  ['85 /r', 'TEST', 'test', 'r/mv, rv'],
  ['A8 ib', 'TEST', 'test', 'AL, imm8'],
  ['A9 iz', 'TEST', 'test', 'rAX, immz'],
  ['F6 /0 ib', 'TEST', 'test', 'r/m8, imm8'],
  ['F7 /0 iz', 'TEST', 'test', 'r/mv, immz'],
  ['F6 /1 ib', 'TEST', 'test', 'r/m8, imm8'],
  ['F7 /1 iz', 'TEST', 'test', 'r/mv, immz'],
  ['F6 /2', 'NOT', 'not', 'r/m8', lock],
  ['F7 /2', 'NOT', 'not', 'r/mv', lock],
  ['F6 /3', 'NEG', 'neg', 'r/m8', lock],
  ['F7 /3', 'NEG', 'neg', 'r/mv', lock],
  ['F6 /4', 'MUL', 'mul', 'r/m8'],
  ['F7 /4', 'MUL', 'mul', 'r/mv'],
  ['F6 /5', 'IMUL', 'imul1', 'r/m8'],
  ['F7 /5', 'IMUL', 'imul1', 'r/mv'],
  ['F6 /6', 'DIV', 'div', 'r/m8'],
  ['F7 /6', 'DIV', 'div', 'r/mv'],
  ['F6 /7', 'IDIV', 'idiv', 'r/m8'],
  ['F7 /7', 'IDIV', 'idiv', 'r/mv'],
  ['69 /r iz', 'IMUL', 'imul', 'rv, r/mv, immz'],
  ['6B /r ib', 'IMUL', 'imul', 'rv, r/mv, imm8s'],
  ['0F AF /r', 'IMUL', 'imul', 'rv, r/mv'],

  ['27', 'DAA', 'daa', '', 'legacy'],
  ['2F', 'DAS', 'das', '', 'legacy'],
  ['37', 'AAA', 'aaa', '', 'legacy'],
  ['3F', 'AAS', 'aas', '', 'legacy'],
  ['D4 ib', 'AAM', 'aam', 'imm8', 'legacy'],
  ['D5 ib', 'AAD', 'aad', 'imm8', 'legacy'],

  ['0F A4 /r ib', 'SHLD', 'shld', 'r/mv, rv, imm8'],
  ['0F A5 /r', 'SHLD', 'shld', 'r/mv, rv, CL'],
  ['0F AC /r ib', 'SHRD', 'shrd', 'r/mv, rv, imm8'],
  ['0F AD /r', 'SHRD', 'shrd', 'r/mv, rv, CL'],
  ['0F BC /r', 'BSF', 'bsf', 'rv, r/mv'],
  ['0F BD /r', 'BSR', 'bsr', 'rv, r/mv'],

  ['0F B0 /r', 'CMPXCHG', 'cmpxchg', 'r/m8, r8', lock, { feature: '486' }],
  ['0F B1 /r', 'CMPXCHG', 'cmpxchg', 'r/mv, rv', lock, { feature: '486' }],
  ['0F C0 /r', 'XADD', 'xadd', 'r/m8, r8', lock, { feature: '486' }],
  ['0F C1 /r', 'XADD', 'xadd', 'r/mv, rv', lock, { feature: '486' }],
  ['0F C8+r', 'BSWAP', 'bswap', 'rv', { feature: '486' }],
  ['0F C7 /1', 'CMPXCHG8B', 'cmpxchg8b', 'm64', lock, { feature: 'cx8' }],
  ['REX.W 0F C7 /1', 'CMPXCHG16B', 'cmpxchg16b', 'm128', lock, 'long', { feature: 'lm' }],
])

const segmentStack = (
  [
    ['06', '07', 'ES', 'legacy'],
    ['16', '17', 'SS', 'legacy'],
    ['1E', '1F', 'DS', 'legacy'],
    ['0F A0', '0F A1', 'FS', 'd64'],
    ['0F A8', '0F A9', 'GS', 'd64'],
  ] as const
).flatMap(([push, pop, segment, mark]): Line[] => [
  [push, 'PUSH', 'push_seg', segment, mark, 'sensitive'],
  [pop, 'POP', 'pop_seg', segment, mark, 'sensitive'],
])

/** Moves, exchanges, stack, flags. */
export const transferRows: readonly Row[] = rows('386', [
  ['88 /r', 'MOV', 'mov', 'r/m8, r8'],
  ['89 /r', 'MOV', 'mov', 'r/mv, rv'],
  ['8A /r', 'MOV', 'mov', 'r8, r/m8'],
  ['8B /r', 'MOV', 'mov', 'rv, r/mv'],
  ['8C /r', 'MOV', 'mov', 'rv/m16, Sreg', 'sensitive'],
  ['8E /r', 'MOV', 'mov', 'Sreg, r/m16', 'sensitive'],
  ['A0 mo', 'MOV', 'mov', 'AL, moffs8'],
  ['A1 mo', 'MOV', 'mov', 'rAX, moffsv'],
  ['A2 mo', 'MOV', 'mov', 'moffs8, AL'],
  ['A3 mo', 'MOV', 'mov', 'moffsv, rAX'],
  ['B0+r ib', 'MOV', 'mov', 'r8, imm8'],
  ['B8+r iv', 'MOV', 'mov', 'rv, immv'],
  ['C6 /0 ib', 'MOV', 'mov', 'r/m8, imm8'],
  ['C7 /0 iz', 'MOV', 'mov', 'r/mv, immz'],
  ['0F B6 /r', 'MOVZX', 'movzx', 'rv, r/m8'],
  ['0F B7 /r', 'MOVZX', 'movzx', 'rv, r/m16'],
  ['0F BE /r', 'MOVSX', 'movsx', 'rv, r/m8'],
  ['0F BF /r', 'MOVSX', 'movsx', 'rv, r/m16'],
  ['63 /r', 'MOVSXD', 'movsxd', 'rv, r/mz', 'long', { feature: 'lm' }],
  ['8D /r', 'LEA', 'lea', 'rv, m'],
  ['C4 /r', 'LES', 'les', 'rv, m16:v', 'legacy'],
  ['C5 /r', 'LDS', 'lds', 'rv, m16:v', 'legacy'],
  ['0F B2 /r', 'LSS', 'lss', 'rv, m16:v'],
  ['0F B4 /r', 'LFS', 'lfs', 'rv, m16:v'],
  ['0F B5 /r', 'LGS', 'lgs', 'rv, m16:v'],
  ['86 /r', 'XCHG', 'xchg', 'r/m8, r8', lock],
  ['87 /r', 'XCHG', 'xchg', 'r/mv, rv', lock],
  ['90+r', 'XCHG', 'xchg', 'rv, rAX'],
  ['98', 'CBW/CWDE/CDQE', 'cbw', ''],
  ['99', 'CWD/CDQ/CQO', 'cwd', ''],
  ['D7', 'XLATB', 'xlat', ''],
  ['0F 40+cc /r', 'CMOVcc', 'cmovcc', 'rv, r/mv', { feature: 'cmov' }],
  ['0F 90+cc /r', 'SETcc', 'setcc', 'r/m8'],

  ['50+r', 'PUSH', 'push', 'rv', 'd64'],
  ['58+r', 'POP', 'pop', 'rv', 'd64'],
  ['68 iz', 'PUSH', 'push', 'immz', 'd64'],
  ['6A ib', 'PUSH', 'push', 'imm8s', 'd64'],
  ['8F /0', 'POP', 'pop', 'r/mv', 'd64'],
  ['FF /6', 'PUSH', 'push', 'r/mv', 'd64'],
  ['0E', 'PUSH', 'push_seg', 'CS', 'legacy', 'sensitive'],
  ...segmentStack,
  ['60', 'PUSHA/PUSHAD', 'pusha', '', 'legacy'],
  ['61', 'POPA/POPAD', 'popa', '', 'legacy'],
  ['9C', 'PUSHF/PUSHFD/PUSHFQ', 'pushf', '', 'd64', 'sensitive'],
  ['9D', 'POPF/POPFD/POPFQ', 'popf', '', 'd64', 'sensitive'],
  ['C8 iw ib', 'ENTER', 'enter', 'imm16, imm8', 'd64'],
  ['C9', 'LEAVE', 'leave', '', 'd64'],

  ['9E', 'SAHF', 'sahf', ''],
  ['9F', 'LAHF', 'lahf', ''],
  ['D6', 'SALC', 'salc', '', 'legacy'],
  ['F5', 'CMC', 'cmc', ''],
  ['F8', 'CLC', 'clc', ''],
  ['F9', 'STC', 'stc', ''],
  ['FC', 'CLD', 'cld', ''],
  ['FD', 'STD', 'std', ''],
])
