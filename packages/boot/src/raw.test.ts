import { Gpr } from '@vmexit/x86'
import { expect, test } from 'vitest'
import { codeOf, MIB, pc } from '../test/machine.ts'
import { raw } from './raw.ts'

test('a boot sector begins at 0000:7c00, with its drive in DL', () => {
  const { boot, cpu, memory } = pc(1)
  // mov [cs:7e00h],dl; hlt
  const image = Uint8Array.of(0x2e, 0x88, 0x16, 0, 0x7e, 0xf4)
  boot(raw({ image, address: 0x7c00, mode: 'real', registers: { dx: 0x80 } }))
  cpu.run(10)
  expect([memory.read8(0x7e00), cpu.state.selector(1), cpu.state.ip]).toEqual([0x80, 0, 0x7c06])
})

test('above 64 KiB, real mode begins in the paragraph of the entry', () => {
  const { boot, cpu } = pc(1)
  boot(raw({ image: Uint8Array.of(0, 0, 0xf4), address: 0x1_2345, entry: 0x1_2347, mode: 'real' }))
  expect([cpu.state.selector(1), cpu.state.ip, cpu.state.reg32(Gpr.dx)]).toEqual([0x1234, 7, 0])
  cpu.run(10)
  expect(cpu.halted).toBe(true)
})

test('a flat program begins in 32-bit protected mode and can reload its segments', () => {
  const { boot, cpu } = pc(4)
  // mov eax,ds; mov es,eax; mov eax,[ebx]; hlt
  const image = Uint8Array.of(0x8c, 0xd8, 0x8e, 0xc0, 0x8b, 0x03, 0xf4)
  boot(raw({ image, address: 3 * MIB, mode: 'flat', registers: { bx: 3 * MIB } }))
  cpu.run(10)
  expect([cpu.halted, cpu.state.reg32(Gpr.ax) >>> 0]).toEqual([true, 0xc08e_d88c])
})

test.each([
  ['outside of RAM', { address: 0xf_0000 }],
  ['half outside of RAM', { address: MIB - 0x6_0000 - 1 }],
  ['in real mode above 1 MiB', { address: MIB, mode: 'real' }],
  ['over its own descriptor table', { address: 0x7ff, mode: 'flat' }],
] as const)('a program %s is refused', (_, options) => {
  const image = Uint8Array.of(0x90, 0xf4)
  expect(codeOf(() => pc(4).boot(raw({ image, mode: 'flat', ...options })))).toBe('raw-image')
})
