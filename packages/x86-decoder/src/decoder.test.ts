import { describe, expect, test } from 'vitest'
import { createInsn } from './decode.ts'
import { createDecoder, Failure } from './decoder.ts'
import { disassemble } from './disassemble.ts'
import type { Insn } from './insn.ts'
import { Kind, Seg } from './insn.ts'
import type { Feature } from './row.ts'

const all = createDecoder()

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/[0-9a-f]{2}/gi) ?? [], (digits) => Number.parseInt(digits, 16))
}

/** Decodes, or gives the failure code. */
function decode(hex: string, bits: 16 | 32 | 64, decoder = all): Insn | number {
  const bytes = bytesOf(hex)
  const insn = createInsn()
  const length = decoder.decode(bytes, 0, bytes.length, bits, insn)
  return length < 0 ? length : insn
}

function text(hex: string, bits: 16 | 32 | 64): string | number {
  const insn = decode(hex, bits)
  return typeof insn === 'number' ? insn : disassemble(insn)
}

describe('prefixes', () => {
  test('stand in any order and may be repeated', () => {
    expect(text('66 67 64 f3 66 a5', 32)).toBe('rep movsw word ptr es:[di], word ptr fs:[si]')
    expect(text('f3 64 67 66 a5', 32)).toBe('rep movsw word ptr es:[di], word ptr fs:[si]')
  })

  test('the last segment override wins', () => {
    expect(decode('26 64 8b 00', 32)).toMatchObject({ seg: Seg.fs, segOverride: true })
    expect(decode('64 26 8b 00', 32)).toMatchObject({ seg: Seg.es, segOverride: true })
    expect(decode('3e 8b 45 00', 32)).toMatchObject({ seg: Seg.ds, segOverride: true })
    expect(decode('3e 8b 00', 32)).toMatchObject({ seg: Seg.ds, segOverride: false })
  })

  test('in 64-bit mode only FS and GS override', () => {
    expect(decode('65 2e 8b 00', 64)).toMatchObject({ seg: Seg.gs, segOverride: true })
    expect(decode('36 8b 00', 64)).toMatchObject({ seg: Seg.ds, segOverride: false })
  })

  test('REX counts only right before the opcode', () => {
    expect(text('48 89 c0', 64)).toBe('mov rax, rax')
    expect(text('48 66 89 c0', 64)).toBe('mov ax, ax')
    expect(text('66 48 89 c0', 64)).toBe('mov rax, rax')
    expect(decode('48 66 89 c0', 64)).toMatchObject({ rex: 0, length: 4 })
  })

  test('REX makes SPL of AH', () => {
    expect(text('88 e0', 64)).toBe('mov al, ah')
    expect(text('40 88 e0', 64)).toBe('mov al, spl')
  })

  test('of F2 and F3 the later one selects the opcode; 66 only without them', () => {
    expect(text('f2 f3 0f 58 c1', 32)).toBe('addss xmm0, xmm1')
    expect(text('f3 f2 0f 58 c1', 32)).toBe('addsd xmm0, xmm1')
    expect(text('66 f2 0f 58 c1', 32)).toBe('addsd xmm0, xmm1')
    expect(text('66 0f 58 c1', 32)).toBe('addpd xmm0, xmm1')
  })

  test('a mandatory prefix is neither REP nor an operand size', () => {
    expect(decode('f3 0f 58 c1', 32)).toMatchObject({ rep: 0, opSize: 32 })
    expect(decode('66 0f 58 c1', 32)).toMatchObject({ opSize: 32 })
  })

  test('REP is told of string instructions alone', () => {
    expect(decode('f3 a4', 32)).toMatchObject({ rep: 0xf3 })
    expect(decode('f3 f2 a6', 32)).toMatchObject({ rep: 0xf2 })
    expect(decode('f3 00 00', 32)).toMatchObject({ rep: 0 })
  })

  test('F3 before BSF has no effect', () => {
    expect(text('f3 0f bc c1', 32)).toBe('bsf eax, ecx')
  })

  test('90 is NOP, PAUSE and, with REX.B, XCHG', () => {
    expect([text('90', 64), text('f3 90', 64), text('41 90', 64), text('48 90', 64)]).toEqual([
      'nop',
      'pause',
      'xchg r8d, eax',
      'nop',
    ])
  })
})

describe('operand sizes in 64-bit mode', () => {
  test('stack operations default to 64 bits and cannot be 32', () => {
    expect([text('50', 64), text('66 50', 64), text('ff 30', 64)]).toEqual([
      'push rax',
      'push ax',
      'push qword ptr [rax]',
    ])
    expect(decode('6a ff', 64)).toMatchObject({ opSize: 64, imm: -1, immHigh: -1 })
  })

  test('near branches ignore 66', () => {
    expect(decode('66 e9 00 00 00 00', 64)).toMatchObject({ opSize: 64, length: 6 })
    expect(decode('66 e9 00 00', 32)).toMatchObject({ opSize: 16, length: 4 })
  })

  test('far branches default to 32 bits', () => {
    expect(text('ff 28', 64)).toBe('jmp far fword ptr [rax]')
    expect(text('48 ff 28', 64)).toBe('jmp far tbyte ptr [rax]')
  })

  test('MOV takes an immediate and an offset of 64 bits', () => {
    expect(text('48 b8 88 77 66 55 44 33 22 f1', 64)).toBe('mov rax, 0xf122334455667788')
    expect(text('a1 88 77 66 55 44 33 22 f1', 64)).toBe('mov eax, dword ptr [0xf122334455667788]')
    expect(text('67 a1 88 77 66 f5', 64)).toBe('mov eax, dword ptr [0xf5667788]')
  })

  test('IN and OUT stay at 32 bits', () => {
    expect([text('48 ed', 64), text('48 6f', 64)]).toEqual(['in eax, dx', 'outsd dx, dword ptr [rsi]'])
  })
})

describe('immediates', () => {
  test('are sign-extended where the operation extends them', () => {
    expect(decode('83 c0 ff', 32)).toMatchObject({ imm: -1, immHigh: -1 })
    expect(decode('48 05 00 00 00 80', 64)).toMatchObject({ imm: -0x8000_0000, immHigh: -1 })
  })

  test('are zero-extended where it does not', () => {
    expect(decode('04 ff', 32)).toMatchObject({ imm: 0xff })
    expect(decode('66 05 ff ff', 32)).toMatchObject({ imm: 0xffff })
    expect(decode('cd 80', 32)).toMatchObject({ imm: 0x80 })
    expect(decode('c1 e0 ff', 32)).toMatchObject({ imm: 0xff })
    expect(decode('c2 00 80', 32)).toMatchObject({ imm: 0x8000 })
  })

  test('ENTER has two, a far pointer has offset and selector', () => {
    expect(decode('c8 34 12 05', 32)).toMatchObject({ imm: 0x1234, imm2: 5 })
    expect(decode('ea 78 56 34 12 08 00', 32)).toMatchObject({ imm: 0x1234_5678, imm2: 8 })
    expect(decode('ea 34 12 08 00', 16)).toMatchObject({ imm: 0x1234, imm2: 8 })
  })
})

describe('memory operands', () => {
  test('16-bit addressing has eight pairs', () => {
    const forms = ['bx+si', 'bx+di', 'bp+si', 'bp+di', 'si', 'di', 'bp', 'bx']
    for (const [rm, form] of forms.entries())
      expect(text(`8a ${(0x40 + rm).toString(16)} 01`, 16)).toBe(`mov al, byte ptr [${form}+0x1]`)
    expect(text('8a 06 34 f2', 16)).toBe('mov al, byte ptr [0xf234]')
  })

  test('the stack is the default segment of BP, EBP and ESP', () => {
    expect(decode('8a 02', 16)).toMatchObject({ seg: Seg.ss })
    expect(decode('8a 06 00 00', 16)).toMatchObject({ seg: Seg.ds })
    expect(decode('8a 04 24', 32)).toMatchObject({ seg: Seg.ss, base: 4, index: -1 })
    expect(decode('8a 04 2d 00 00 00 00', 32)).toMatchObject({ seg: Seg.ds, base: -1, index: 5 })
    expect(decode('41 8a 45 00', 64)).toMatchObject({ seg: Seg.ds, base: 13 })
  })

  test('RIP-relative is 64-bit mode alone, and not with SIB', () => {
    expect(decode('8a 05 01 00 00 00', 64)).toMatchObject({ ripRelative: true, base: -1 })
    expect(decode('8a 05 01 00 00 00', 32)).toMatchObject({ ripRelative: false, base: -1 })
    expect(decode('8a 04 25 01 00 00 00', 64)).toMatchObject({ ripRelative: false, base: -1 })
    expect(text('67 8a 05 01 00 00 00', 64)).toBe('mov al, byte ptr [eip+0x1]')
  })

  test('R12 may be an index, RSP may not', () => {
    expect(decode('42 8a 04 20', 64)).toMatchObject({ base: 0, index: 12 })
    expect(decode('8a 04 20', 64)).toMatchObject({ base: 0, index: -1, scale: 0 })
  })

  test('a string instruction names SI where one operand lies there, else DI in ES', () => {
    expect(decode('64 a4', 32)).toMatchObject({ base: 6, seg: Seg.fs })
    expect(decode('64 aa', 32)).toMatchObject({ base: 7, seg: Seg.es, segOverride: false })
  })
})

describe('what is undefined', () => {
  test.each([
    ['LOCK before a register destination', 'f0 01 c0', 32],
    ['LOCK before an instruction that does not write', 'f0 39 00', 32],
    ['LOCK before a load', 'f0 03 00', 32],
    ['LOCK before NOP', 'f0 90', 32],
    ['MOV to CS', '8e c8', 32],
    ['MOV of segment register 6', '8c f0', 32],
    ['MOV of CR1', '0f 20 c8', 32],
    ['MOV of CR5', '0f 22 e8', 32],
    ['MOV of CR9', '44 0f 20 c8', 64],
    ['MOV of DR8', '44 0f 21 c0', 64],
    ['LEA of a register', '8d c0', 32],
    ['far CALL through a register', 'ff d8', 32],
    ['far JMP through a register', 'ff e8', 32],
    ['FF /7', 'ff 38', 32],
    ['C6 /1', 'c6 08 00', 32],
    ['8F /1', '8f 08', 32],
    ['CMPXCHG8B of a register', '0f c7 c8', 32],
    ['LES of a register: a VEX prefix, which this processor has not', 'c4 c0', 32],
    ['BOUND of a register', '62 c0', 32],
    ['LGDT of a register', '0f 01 d0', 32],
    ['POPCNT', 'f3 0f b8 c0', 32],
    ['FISTTP', 'db 08', 32],
    ['MOVDDUP', 'f2 0f 12 c0', 32],
    ['ADDPS with F3 and no such form of it: RSQRTPD', '66 0f 52 c0', 32],
    ['SYSCALL outside 64-bit mode', '0f 05', 32],
    ['SWAPGS outside 64-bit mode', '0f 01 f8', 32],
    ['PUSH ES in 64-bit mode', '06', 64],
    ['AAA in 64-bit mode', '37', 64],
    ['BOUND in 64-bit mode', '62 00', 64],
    ['82 in 64-bit mode', '82 c0 00', 64],
    ['far JMP with an immediate pointer in 64-bit mode', 'ea 00 00 00 00 00 00', 64],
    ['SALC in 64-bit mode', 'd6', 64],
  ] as const)('%s', (_, hex, bits) => {
    expect(decode(hex, bits)).toBe(Failure.undefined)
  })

  test.each([
    ['LOCK before a memory destination', 'f0 01 00', 32, 'lock add dword ptr [eax], eax'],
    ['LOCK XCHG', 'f0 87 00', 32, 'lock xchg dword ptr [eax], eax'],
    ['MOV CR with memory addressing reads as a register', '0f 20 00', 32, 'mov eax, cr0'],
    ['MOV of CR8', '44 0f 20 c0', 64, 'mov rax, cr8'],
    ['MOV of DR4', '0f 21 e0', 32, 'mov eax, dr4'],
    ['TEST F6 /1', 'f6 c8 01', 32, 'test al, 0x1'],
    ['SHL D0 /6', 'd0 f0', 32, 'shl al, 1'],
    ['ADD 82', '82 c0 01', 32, 'add al, 0x1'],
    ['SALC', 'd6', 32, 'salc'],
    ['INT1', 'f1', 32, 'int1'],
    ['UD0', '0f ff c1', 32, 'ud0 eax, ecx'],
    ['UD1', '0f b9 c1', 32, 'ud1 eax, ecx'],
    ['FCOM2', 'dc d1', 32, 'fcom2 st(1)'],
    ['FXCH4', 'dd c9', 32, 'fxch4 st(1)'],
    ['FSTP1', 'd9 d9', 32, 'fstp1 st(1)'],
    ['FFREEP', 'df c1', 32, 'ffreep st(1)'],
    ['LFENCE with any ModRM.rm', '0f ae ef', 32, 'lfence'],
  ] as const)('not %s', (_, hex, bits, expected) => {
    expect(text(hex, bits)).toBe(expected)
  })
})

describe('length', () => {
  test('15 bytes are an instruction, 16 are too long', () => {
    expect(decode(`${'66'.repeat(14)}90`, 32)).toMatchObject({ length: 15 })
    expect(decode(`${'66'.repeat(15)}90`, 32)).toBe(Failure.tooLong)
    expect(decode('66'.repeat(40), 32)).toBe(Failure.tooLong)
  })

  test('too long comes before undefined, where the length is known', () => {
    expect(decode(`${'66'.repeat(13)}ff3d00000000`, 32)).toBe(Failure.tooLong)
    expect(decode(`${'f0'.repeat(10)}0500000000`, 32)).toBe(Failure.undefined)
    expect(decode(`${'f0'.repeat(11)}0500000000`, 32)).toBe(Failure.tooLong)
  })

  test('missing bytes are asked for before an encoding is called undefined', () => {
    expect(decode('ff 3d 00 00 00', 32)).toBe(Failure.truncated)
    expect(decode('ff 3d 00 00 00 00', 32)).toBe(Failure.undefined)
  })

  test('no byte at or behind the end is read', () => {
    expect(all.decode(bytesOf('00 00'), 0, 1, 32, createInsn())).toBe(Failure.truncated)
    expect(all.decode(bytesOf('00 00'), 2, 2, 32, createInsn())).toBe(Failure.truncated)
  })
})

describe('features', () => {
  const without = (...missing: Feature[]) => {
    const features: Feature[] = ['486', 'fpu', 'mmx', 'sse', 'pause', 'nopl']
    return createDecoder({ features: features.filter((feature) => !missing.includes(feature)) })
  }

  test('an instruction of an absent feature is undefined', () => {
    expect(decode('66 0f 58 c1', 32, without())).toBe(Failure.undefined)
    expect(decode('0f 58 c1', 32, without())).toMatchObject({ op: 'addps' })
    expect(decode('0f c8', 32, without('486'))).toBe(Failure.undefined)
    expect(decode('0f 1f c0', 32, without('nopl'))).toBe(Failure.undefined)
  })

  test('PAUSE and PREFETCH fall back to NOP', () => {
    expect(decode('f3 90', 32, without('pause'))).toMatchObject({ op: 'nop' })
    const insn = decode('0f 18 00', 32, without('sse')) as Insn
    expect(insn.row.mnemonic).toBe('NOP')
  })
})

test('operands are told in the order of the manual, with their sizes', () => {
  const insn = decode('0f b6 40 01', 32) as Insn
  expect(insn.operands).toEqual([
    { kind: Kind.gpr, reg: 0, size: 32, high: false },
    { kind: Kind.mem, reg: 0, size: 8, high: false },
  ])
})
