import { expect, test } from 'vitest'
import { decode } from './decode.ts'
import { type DisassembleOptions, disassemble } from './disassemble.ts'

function text(hex: string, bits: 16 | 32 | 64, ip: number | bigint = 0, options: DisassembleOptions = {}): string {
  const bytes = Uint8Array.from(hex.match(/[0-9a-f]{2}/g)!, (digits) => Number.parseInt(digits, 16))
  return disassemble(decode(bytes, { bits }), ip, options)
}

test('memory shows its size, its segment where overridden, and a signed displacement', () => {
  expect(text('8b4410f0', 32)).toBe('mov eax, dword ptr [eax+edx*1-0x10]')
  expect(text('648b00', 32)).toBe('mov eax, dword ptr fs:[eax]')
  expect(text('8d00', 32)).toBe('lea eax, [eax]')
  expect(text('8b04cd00000080', 32)).toBe('mov eax, dword ptr [ecx*8-0x80000000]')
  expect(text('8b042500000080', 64)).toBe('mov eax, dword ptr [0xffffffff80000000]')
})

test('branch targets are absolute and wrap at the operand size', () => {
  expect(text('ebfe', 32, 0x1000)).toBe('jmp 0x1000')
  expect(text('e90d00', 16, 0xfff0)).toBe('jmp 0x0')
  expect(text('e800000080', 64, 0xffff_ffff_8000_0000n)).toBe('call 0xffffffff00000005')
})

test('conditions, sizes and REP are spelled out', () => {
  expect([text('7400', 32), text('0f94c0', 32), text('0f4dc1', 32)]).toEqual(['je 0x2', 'sete al', 'cmovge eax, ecx'])
  expect([text('98', 16), text('98', 32), text('4898', 64)]).toEqual(['cbw', 'cwde', 'cdqe'])
  expect([text('e300', 32), text('67e300', 32), text('e300', 64)]).toEqual(['jecxz 0x2', 'jcxz 0x3', 'jrcxz 0x2'])
  expect(text('f3a6', 32)).toBe('repe cmpsb byte ptr [esi], byte ptr es:[edi]')
  expect(text('f2ae', 32)).toBe('repne scasb al, byte ptr es:[edi]')
})

test('far pointers are selector and offset', () => {
  expect(text('9a785634120800', 32)).toBe('call far 0x8:0x12345678')
})

test('an override of memory that no operand shows stands in front', () => {
  expect([text('64d7', 32), text('640ff7c1', 32)]).toEqual(['fs xlatb', 'fs maskmovq mm0, mm1'])
})

test('hexadecimal may be written with a suffix', () => {
  const options = { hex: 'suffix' } as const
  expect(text('05ffffffff', 32, 0, options)).toBe('add eax, 0FFFFFFFFh')
  expect(text('8b40f0', 32, 0, options)).toBe('mov eax, dword ptr [eax-10h]')
})
