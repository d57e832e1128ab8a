/** What comes between two instructions, or in the middle of one: interrupts, page faults in strings, single steps, breakpoints. */
import { Layout } from '@vmexit/x86'
import { describe, expect, it } from 'vitest'
import { At, Both, word } from './both.ts'
import { eager } from './eager.ts'

describe.each([1, 2] as const)('translated the %i. time', (threshold) => {
  const engine = eager(threshold)

  it('takes an interrupt at every instruction of a loop, and an NMI', () => {
    // inc eax; add [700h], eax; cmp al, 10h; jb +2; xor ebx, eax; push eax; pop ecx; call b000h; jmp; b000h: adc edx, 1; ret
    const code = { [At.code]: '40 010500070000 3c10 7202 31c3 50 59 e8eb2f0000 ebe9', [At.far]: '83d201 c3' }
    const both = new Both(code, { engine })
    for (let n = 0; n < 600; n++) {
      both.run(1 + (n % 40))
      for (const { pin, cpu } of both.all) {
        if (n % 5 === 4) cpu.nmi()
        else pin.raise(0x20 + (n % 16))
      }
    }
    both.end()
    expect(both.counts[2]).toBeGreaterThan(400)
  })

  it('lets STI cast its shadow, and CLI and POPF hold interrupts off', () => {
    // cli; inc eax; sti; inc ebx; inc ecx; pushf; cli; inc edx; popf; inc esi; jmp
    const both = new Both({ [At.code]: 'fa 40 fb 43 41 9c fa 42 9d 46 ebf4' }, { engine })
    for (let n = 0; n < 600; n++) {
      if (n % 3 === 0) for (const { pin } of both.all) pin.raise(0x21)
      both.run(1 + ((n * 7) % 23))
    }
    both.end()
    expect(both.counts[2]).toBeGreaterThan(150)
  })

  it.each(['f3a4', 'f3a5', '66f3a5', 'f3aa', 'f3ab', 'f3a6', 'f3a7', 'f3ae', 'f3ad', 'a4a5', 'aba7'])(
    'meets page faults in the middle of %s',
    (string) => {
      // mov esi; mov edi; mov ecx, 40h; the instruction; pages 20h and 30h become absent; inc ebx; jmp
      const start = 'befdff0100 bffeff0200 b940000000'
      const drop = '832580400000fe 8325c0400000fe 0f013d00000200 0f013d00000300 43'
      const length = (15 + string.length / 2 + 29 + 2) & 0xff
      const jump = `eb${(0x100 - length).toString(16)}`
      const both = new Both({ [At.code]: start + string + drop + jump }, { engine, paging: true })
      both.sweep(300)
      expect(both.counts[0]).toBe(0)
      expect(both.counts[3]).toBeGreaterThan(20)
    },
  )

  it('meets page faults in instructions that read, modify and write, and in operands of PUSH, POP and CALL', () => {
    // mov esi, 20ffeh; add [esi], eax; push [21010h]; pop [20ff8h]; call [21004h]; pages 20h, 21h absent; inc ebx; jmp
    const drop = '832580400000fe 832584400000fe 0f20d8 0f22d8 43'
    const code = {
      [At.code]: `befe0f0200 0106 ff3510100200 8f05f80f0200 ff1504100200 ${drop} ebd0`,
      [At.far]: '46 c3',
      135172: word(At.far),
    }
    const both = new Both(code, { engine, paging: true })
    both.sweep(400)
    expect(both.counts[0]).toBe(0)
    expect(both.counts[3]).toBeGreaterThan(100)
  })

  it('steps single instructions where it is asked to, and goes on translated', () => {
    // pushf; or dword [esp], 100h; popf; inc ebx; inc ecx; mov edx, 20h; dec edx; jnz -3; jmp
    const code = { [At.code]: '9c 810c2400010000 9d 43 41 ba20000000 4a 75fd ebeb' }
    const both = new Both(code, { engine })
    both.sweep(500)
    expect(both.counts[1]).toBeGreaterThan(100)
  })

  it.each([
    ['execution of an instruction in a loop', At.code + 9, 0x401],
    ['execution of a function', At.far, 0x402],
    ['a store', 0x700, 0x1_0401 | (1 << 18) | (1 << 19)],
    ['a load or store', 0x702, 0x3_0401],
  ])('stops at breakpoints on %s, set and taken away while it is hot', (_, address, dr7) => {
    // mov eax, [710h]; mov dr7, eax; inc ebx; inc dword [700h]; call b000h; jmp; b000h: inc ecx; ret
    const code = { [At.code]: 'a110070000 0f23f8 43 ff0500070000 e8ec2f0000 ebea', [At.far]: '41 c3' }
    const both = new Both(code, { engine })
    for (const { cpu } of both.all) for (const n of [0, 1]) cpu.state.setNumber(Layout.dr + n * 8, address)
    const set = (value: number): void => {
      for (const { memory } of both.all) memory.write32(0x710, value)
    }
    set(0x400)
    both.sweep(100)
    expect(both.counts[1]).toBe(0)
    for (let n = 0; n < 12; n++) {
      set(n % 2 === 0 ? dr7 : 0x400)
      both.sweep(60)
    }
    expect(both.counts[1]).toBeGreaterThan(20)
  })
})
