/** Blocks that reach the stack often, at pages that do not lie beside each other. */
import { describe, expect, it } from 'vitest'
import { At, Both, word } from './both.ts'
import { eager } from './eager.ts'

/** mov [esp+disp], ebx; inc ebx */
const store = (disp: number): string => `899c24${word(disp)} 43`
/** mov ecx, [esp+disp]; add ebx, ecx */
const load = (disp: number): string => `8b8c24${word(disp)} 01cb`

/** Runs a loop with the stack pointer at e000h, behind a page that lies somewhere else. */
function loop(text: string, threshold: 1 | 2): Both {
  const body = `bc00e00000 ${text}`.replaceAll(' ', '')
  const both = new Both(
    { [At.code]: `${body} e9${word(-(body.length / 2) - 5)}` },
    { engine: eager(threshold), paging: true },
  )
  for (const { memory, cpu } of both.all) {
    memory.write32(At.table + 0xd * 4, 0x1_d007)
    memory.write32(At.table + 0xe * 4, 0x1_b007)
    cpu.paging.mmu.flush()
  }
  for (let n = 0; n < 40; n++) both.run(4000 + n)
  both.end()
  return both
}

describe.each([1, 2] as const)('translated the %i. time', (threshold) => {
  it('finds what it has just written, and what lies beside it', () => {
    const both = loop(
      [4, 8, 12, 16, 20, -4, 24, -8].map(store).join(' ') + [4, -4, 20, -8].map(load).join(' '),
      threshold,
    )
    expect(both.word(0x1_b004)).toBeGreaterThan(0)
  })

  it.each([-1, -2, -3])('looks at both pages of what lies in two: %i', (disp) => {
    const around = [4, 8, 12, 16, 20].map(store).join(' ')
    const both = loop(`${around} ${store(disp)} ${load(disp)} ${around} ${load(-4)} ${load(0)}`, threshold)
    expect(both.word(0x1_dffc)).not.toBe(0)
  })

  it('pushes over the end of a page', () => {
    // lea esp, [esp+6]; push eax, ebx, ecx; pop them; in e000h on both sides
    const around = [4, 8, 12, 16, 20].map(store).join(' ')
    loop(`${around} 8d642406 50 53 51 58 59 5a 8d6424fa ${around}`, threshold)
  })
})
