/** Blocks that reach the stack often: where it crosses pages that do not lie beside each other, or is mapped elsewhere meanwhile. */
import { Gpr } from '@vmexit/x86'
import { describe, expect, it } from 'vitest'
import { At, Both, word } from './both.ts'
import { eager } from './eager.ts'

describe.each([1, 2] as const)('translated the %i. time', (threshold) => {
  const options = { engine: eager(threshold), paging: true }
  /** mov [esp+disp], ebx, or mov ecx, [esp+disp]; inc ebx behind each. */
  const store = (disp: number): string => `899c24${word(disp)} 43`
  const load = (disp: number): string => `8b8c24${word(disp)} 01cb`

  it('reads and writes both pages of what lies in two, wherever the last access was', () => {
    // The pages d000h and e000h are 1d000h and 1b000h in memory. mov esp, e000h; in and across them; jmp
    const across = [-8, 4, -2, -4, 8, -3, 16, -1].map(store).join(' ')
    const back = [-2, 0, -3, 4, -1, -6, 2].map(load).join(' ')
    // push eax, ebx, ecx: 12 bytes from dffah on.
    const pushes = `8d6424 06 50 53 51 58 59 5a`
    const body = `bc00e00000 ${across} ${back} ${pushes}`.replaceAll(' ', '')
    const code = { [At.code]: `${body} e9${word(-(body.length / 2) - 5)}` }
    const both = new Both(code, options)
    for (const { memory } of both.all) {
      memory.write32(At.table + 0xd * 4, 0x1_d007)
      memory.write32(At.table + 0xe * 4, 0x1_b007)
    }
    for (const { cpu } of both.all) cpu.paging.mmu.flush()
    both.sweep(900, 300)
    expect(both.all[1].cpu.state.reg32(Gpr.bx)).not.toBe(0)
  })
})
