/** Hot code under changing mappings and modes: CR3, pages with two names, instructions in two pages, real and protected mode. */
import { GuestMemory } from '@vmexit/memory'
import { Cpu, Gpr } from '@vmexit/x86'
import { describe, expect, it } from 'vitest'
import { differences } from '../../x86/test/engines/compare.ts'
import { At, Both, hex, word } from './both.ts'
import { compiled, eager } from './eager.ts'

/** mov eax, cr3; xor eax, 6000h; mov cr3, eax */
const SWITCH = '0f20d8 3500600000 0f22d8'

describe.each([1, 2] as const)('translated the %i. time', (threshold) => {
  const options = { engine: eager(threshold), paging: true }

  it('runs the function that is mapped now, whatever CR3 was when it was translated', () => {
    // switch; call b000h; jmp; b000h: inc ebx; ret; elsewhere c000h: inc ecx; ret
    const code = { [At.code]: `${SWITCH} e8f02f0000 ebee`, [At.far]: '43 c3', 49152: '41 c3' }
    const both = new Both(code, options)
    for (const { memory } of both.all) memory.write32(At.otherTable + 0xb * 4, 0xc007)
    both.sweep(700)
    expect(both.all[1].cpu.state.reg32(Gpr.bx)).toBeGreaterThan(500)
    expect(both.all[1].cpu.state.reg32(Gpr.cx)).toBeGreaterThan(500)
  })

  it('returns into other code when a function has switched CR3', () => {
    // call b000h; inc ebx; jmp, or inc ecx; b000h: switch; ret
    const main = (inc: string): string => `e8fb2f0000 ${inc} ebf8`
    const both = new Both({ [At.code]: main('43'), 57344: main('41'), [At.far]: `${SWITCH} c3` }, options)
    for (const { memory } of both.all) memory.write32(At.otherTable + 8 * 4, 0xe007)
    both.sweep(700)
    expect(both.all[1].cpu.state.reg32(Gpr.cx)).toBeGreaterThan(500)
  })

  it('returns into other code from deep within calls', () => {
    // call b000h; inc ebx; jmp; b000h: call b010h; inc esi; ret; b010h: call b020h; inc edi; ret; b020h: switch; ret
    const main = (inc: string): string => `e8fb2f0000 ${inc} ebf8`
    const both = new Both(
      {
        [At.code]: main('43'),
        57344: main('41'),
        [At.far]: 'e80b000000 46 c3',
        45072: 'e80b000000 47 c3',
        45088: `${SWITCH} c3`,
        61440: 'e80b000000 4e c3',
        61456: 'e80b000000 4f c3',
        61472: `${SWITCH} c3`,
      },
      options,
    )
    for (const { memory } of both.all) {
      memory.write32(At.otherTable + 8 * 4, 0xe007)
      memory.write32(At.otherTable + 0xb * 4, 0xf007)
    }
    both.sweep(700)
  })

  it('faults where its next page has gone, and goes on where it was put', () => {
    // jmp aff8h: 8 times inc ebx; 8 times inc ecx, in page bh, which may be absent; jmp
    const code = { [At.code]: 'e9f32f0000', 45048: `${'43'.repeat(8)} ${'41'.repeat(8)} e9ebffffff` }
    const both = new Both(code, options)
    for (let n = 0; n < 400; n++) {
      both.run(1 + (n % 37))
      if (n % 4 !== 0) continue
      for (const { memory, cpu } of both.all) {
        memory.write32(At.table + 0xb * 4, n % 8 === 0 ? 0xb006 : 0xb007)
        cpu.paging.mmu.flush()
      }
    }
    both.end()
    expect(both.counts[3]).toBeGreaterThan(10)
  })

  it('runs instructions in two pages, the second of which is mapped elsewhere or written', () => {
    // At affeh: mov eax, imm32 over two pages; add ebx, eax; call c000h; jmp. c000h: switch; ret
    const second = (value: string): string => `${value} 01c3 e8f60f0000 ebf2`
    const both = new Both(
      {
        [At.code]: 'e9f92f0000',
        45054: `b811 ${second('223344')}`,
        53248: second('556677'),
        49152: `${SWITCH} c3`,
      },
      options,
    )
    for (const { memory } of both.all) {
      memory.write32(At.otherTable + 0xb * 4, 0xd007)
    }
    for (let n = 0; n < 800; n++) {
      both.run(1 + (n % 41))
      if (n % 20 === 0) both.write(0xb000, Uint8Array.of(n))
      if (n % 30 === 0) both.write(0xd001, Uint8Array.of(n))
      if (n % 50 === 0) both.write(0xafff, Uint8Array.of(n))
    }
    both.end()
  })
})

it('forgets all of its translations with the records, and makes them again', () => {
  // mov ecx, 40h; L: inc ebx; dec ecx; jnz L; jmp 100000h; a sled of 350 pages of NOP; jmp 8000h
  const SLED = 350 << 12
  const both = new Both(
    { [At.code]: `b940000000 43 49 75fc e9${word(0x10_0000 - At.code - 14)}` },
    { engine: eager(2), bytes: 4 << 20 },
  )
  for (const { memory } of both.all) {
    memory.writeBytes(0x10_0000, new Uint8Array(SLED).fill(0x90))
    memory.writeBytes(0x10_0000 + SLED, hex(`e9${word(At.code - (0x10_0000 + SLED + 5))}`))
  }
  both.run(100)
  expect(both.all[1].cpu.generated?.translated?.translations).toBeGreaterThan(0)
  for (let n = 0; n < 33; n++) both.run(99_991)
  both.end()
})

describe.each([1, 2] as const)('between real and protected mode, translated the %i. time', (threshold) => {
  it('runs the same bytes as 16- and 32-bit code', () => {
    // lgdt [3100h]; PE; jmp 8:pm
    const real = '0f01160031 0f20c0 0c01 0f22c0 66ea157c00000800'
    // mov ax, 10h; mov ds, ax; mov ss, ax; call 7d00h; jmp 18h:pm16
    const wide = '66b81000 8ed8 8ed0 e8de000000 ea297c00001800'
    // mov ax, 20h; mov ds, ax; mov ss, ax; not PE; jmp 0:again
    const narrow = 'b82000 8ed8 8ed0 0f20c0 24fe 0f22c0 ea3d7c0000'
    // xor cx, cx; mov ds, cx; mov ss, cx; call 7d00h; jmp 7c00h
    const again = '31c9 8ed9 8ed1 e8ba00 ebb8'
    const cpus = (['reference', eager(threshold)] as const).map((engine) => {
      const memory = new GuestMemory({ ranges: [{ kind: 'ram', start: 0, bytes: 1 << 20 }] })
      memory.writeBytes(0x7c00, hex(real + wide + narrow + again))
      // inc eax; add ebx, eax; loop of four; ret
      memory.writeBytes(0x7d00, hex('40 01c3 a803 75f9 c3'))
      const gdt = [0, 0, 0xffff, 0x00cf_9a00, 0xffff, 0x00cf_9200, 0xffff, 0x9a00, 0xffff, 0x9200]
      for (const [n, value] of gdt.entries()) memory.write32(0x3000 + n * 4, value)
      memory.writeBytes(0x3100, hex('270000300000'))
      const cpu = new Cpu({ memory, engine })
      cpu.state.setReg16(Gpr.sp, 0x7000)
      cpu.startAt(0, 0x7c00)
      return cpu
    })
    const [a, b] = cpus as [Cpu, Cpu]
    for (let n = 0; n < 600; n++) {
      a.run(1 + (n % 53))
      b.run(1 + (n % 53))
      expect([n, ...differences(a, b)]).toEqual([n])
    }
    expect(b.state.reg32(Gpr.bx)).not.toBe(0)
    expect(b.counts.exceptions.every((count) => count === 0)).toBe(true)
    expect(compiled(b)).toBeGreaterThan(0)
  })
})
