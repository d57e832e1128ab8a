/** Calls and returns: nested deeper than frames of the host are, and returns to where nobody called from. */
import { NESTING } from '@vmexit/x86/engine'
import { describe, expect, it } from 'vitest'
import { At, Both, word } from './both.ts'
import { eager } from './eager.ts'

const CALL_FAR = 'e8fb2f0000'

describe.each([1, 2] as const)('translated the %i. time', (threshold) => {
  const engine = eager(threshold)

  it.each([NESTING - 1, NESTING, NESTING + 1, 3 * NESTING])('nests %i calls', (depth) => {
    // mov ecx, depth; call; jmp; b000h: dec ecx; jz +5; call b000h; inc ebx; ret
    const code = { [At.code]: `b9${word(depth)} e8f62f0000 ebf4`, [At.far]: '49 7405 e8f8ffffff 43 c3' }
    const both = new Both(code, { engine })
    both.sweep(200, 97)
    both.run(100_000)
    both.end()
  })

  it('nests calls through a register', () => {
    // mov edx, b000h; mov ecx, 500; call edx; jmp; b000h: dec ecx; jz +2; call edx; inc ebx; ret
    const code = { [At.code]: `ba${word(At.far)} b9${word(500)} ffd2 ebf2`, [At.far]: '49 7402 ffd2 43 c3' }
    const both = new Both(code, { engine })
    both.sweep(200, 97)
    both.run(50_000)
    both.end()
  })

  it('returns to somewhere else than it was called from', () => {
    // call; inc ebx; inc ebp; jmp; b000h: inc edx; mov eax, edx; and eax, 1; add [esp], eax; ret
    const code = { [At.code]: `${CALL_FAR} 43 45 ebf7`, [At.far]: '42 89d0 83e001 010424 c3' }
    new Both(code, { engine }).sweep(600)
  })

  it('leaves a function by a jump, and comes back by a return that nobody has called', () => {
    // call; inc ebx; jmp; b000h: pop eax; test dl, 1; inc edx; jz +2; push eax; ret; jmp eax
    const code = { [At.code]: `${CALL_FAR} 43 ebf8`, [At.far]: '58 42 f6c201 7402 50 c3 ffe0' }
    new Both(code, { engine }).sweep(600)
  })

  it('skips callers, as longjmp does', () => {
    // mov edi, esp; call; inc ebx; jmp; b000h: inc edx; test dl, 3; jz; call itself; ret; mov esp, edi; jmp 8000h
    const code = { [At.code]: `89e7 e8f92f0000 43 ebf6`, [At.far]: '42 f6c203 7406 e8f5ffffff c3 89fc ffe6' }
    const both = new Both(code, { engine })
    for (const { cpu } of both.all) cpu.state.setReg32(6, At.code)
    both.sweep(600)
  })

  it('takes parameters from the stack as it returns', () => {
    // push ebx; push 5; call; jmp; b000h: add ebx, [esp+4]; ret 8
    new Both({ [At.code]: '53 6a05 e8f82f0000 ebf6', [At.far]: '035c2404 c20800' }, { engine }).sweep(600)
  })

  it('saves and restores many registers at once, on a stack that ends between two pages', () => {
    // mov esp, 2000ch; L: call; inc ebx; jmp L; b000h: push ebx, esi, edi, ebp; inc esi; pop …; ret
    const code = { [At.code]: 'bc0c000200 e8f62f0000 43 ebf8', [At.far]: '53 56 57 55 46 43 5d 5f 5e 5b c3' }
    new Both(code, { engine, paging: true, tlb: { data: 4, instruction: 2 } }).sweep(600)
  })

  it('runs a jump table', () => {
    // inc eax; and eax, 3; jmp [eax*4+700h]; four targets: inc ebx; jmp …
    const code = {
      [At.code]: '40 83e003 ff248500070000',
      1792: [0x8020, 0x8024, 0x8028, 0xb000].map(word).join(''),
      32800: '43 ebdd',
      32804: '45 ebd9',
      32808: '46 ebd5',
      [At.far]: '47 e9facfffff',
    }
    const both = new Both(code, { engine })
    both.sweep(600)
    expect(both.all[1].cpu.state.reg32(3)).toBeGreaterThan(100)
  })
})
