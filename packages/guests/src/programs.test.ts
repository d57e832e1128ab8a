import { expect, test } from 'vitest'
import { type ProgramName, programs, readProgram } from './index.ts'

test.each([...programs.map(({ name }) => name), 'pipe' as const, 'init' as const, 'sh' as const, 'kvm' as const])(
  '%s is a static i386 program',
  (name) => {
    const bytes = readProgram(name)
    const view = new DataView(bytes.buffer)
    expect([...bytes.subarray(0, 7)]).toEqual([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]) // 32 bits, little-endian
    expect([view.getUint16(16, true), view.getUint16(18, true)]).toEqual([2, 3]) // an executable, i386
    const [at, size, count] = [view.getUint32(28, true), view.getUint16(42, true), view.getUint16(44, true)]
    const kinds = Array.from({ length: count }, (_, i) => view.getUint32(at + i * size, true))
    expect(kinds.filter((kind) => kind === 1)).not.toEqual([]) // PT_LOAD
    expect(kinds.filter((kind) => kind === 2 || kind === 3)).toEqual([]) // PT_DYNAMIC, PT_INTERP
  },
)

test('a program that was read may be changed: the next reader gets another copy', () => {
  readProgram('fork').fill(0)
  expect(readProgram('fork')[0]).toBe(0x7f)
})

test.each(['nothing', 'constructor'])('no program is %s, and the error says which there are', (name) => {
  expect(() => readProgram(name as ProgramName)).toThrow(
    expect.objectContaining({ code: 'program-unknown', message: expect.stringContaining('syscall') }),
  )
})
