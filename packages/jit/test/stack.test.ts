/** Blocks that reach the stack often, at pages that do not lie beside each other. */
import type { GuestMemory } from '@vmexit/memory'
import { describe, expect, it } from 'vitest'
import { jit } from '../src/index.ts'
import { At, Both, word } from './both.ts'
import { compiled, eager } from './eager.ts'

/** mov [esp+disp], ebx; inc ebx */
const store = (disp: number): string => `899c24${word(disp)} 43`
/** mov ecx, [esp+disp]; add ebx, ecx */
const load = (disp: number): string => `8b8c24${word(disp)} 01cb`

/** Runs a loop with the stack pointer at e000h unless stated, behind a page that lies somewhere else. */
function loop(text: string, threshold: 1 | 2, pointer = 0xe000, prepare?: (memory: GuestMemory) => void): Both {
  const body = `bc${word(pointer)} ${text}`.replaceAll(' ', '')
  const both = new Both(
    { [At.code]: `${body} e9${word(-(body.length / 2) - 5)}` },
    { engine: eager(threshold), paging: true },
  )
  for (const { memory, cpu } of both.all) {
    memory.write32(At.table + 0xd * 4, 0x1_d007)
    memory.write32(At.table + 0xe * 4, 0x1_b007)
    prepare?.(memory)
    cpu.paging.mmu.flush()
  }
  for (let n = 0; n < 40; n++) both.run(4000 + n)
  both.end()
  return both
}

it('is translated anew where it lies in two pages, and does not miss from then on', () => {
  // The stack pointer stays: mov esp; then over and over
  const body = [4, 8, -4, -8, 12].map(store).join(' ').replaceAll(' ', '')
  const run = (pointer: number): Both => {
    const code = `bc${word(pointer)} ${body} e9${word(-(body.length / 2) - 5)}`
    const both = new Both({ [At.code]: code }, { engine: jit({ threshold: 50, batch: 1 }), paging: true })
    for (let n = 0; n < 100; n++) both.run(1100)
    both.end()
    return both
  }
  const [inOne, inTwo] = [run(0xdf00), run(0xe000)]
  const before = compiled(inTwo.all[1].cpu)
  expect(before).toBe(compiled(inOne.all[1].cpu) + 1)
  for (let n = 0; n < 50; n++) inTwo.run(1100)
  expect(compiled(inTwo.all[1].cpu)).toBe(before)
})

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

  it.each([
    ['before', '658b542408', '8b542408'],
    ['behind', '8b542408', '658b542408'],
  ])('is told from what another segment has, met %s it', (_what, first, second) => {
    // lgdt [7e0h]: a fourth descriptor; mov eax, 18h; mov gs, ax: base 100h; then over and over, with mov edx, [esp+8] or gs:[esp+8]:
    // mov eax, [esp+4]; …; mov ecx, [esp+12]; inc ebx; jmp +0; …; add ebx, edx; mov eax, [esp+4]; inc dword [esp+8]
    const start = '0f0115e0070000 b818000000 8ee8'
    const body = `8b442404 ${first} 8b4c240c 43 eb00 ${second} 01d3 8b442404 ff442408`.replaceAll(' ', '')
    const both = new Both(
      { [At.code]: `${start} ${body} e9${word(-(body.length / 2) - 5)}`, 2016: `1f00${word(At.gdt)}` },
      { engine: eager(threshold), paging: true },
    )
    for (const { memory } of both.all) {
      memory.write32(At.gdt + 0x18, 0x0100_ffff)
      memory.write32(At.gdt + 0x1c, 0x00cf_9200)
    }
    both.sweep(300)
  })

  // xor dword [entry of page d], 2000h; invlpg [d000h]
  const remap = `813534400000${word(0x2000)} 0f013d00d00000`
  // mov eax, cr3; xor eax, 6000h; mov cr3, eax
  const load3 = '0f20d8 3500600000 0f22d8'

  it.each([
    ['INVLPG', remap],
    ['a load of CR3', load3],
  ])('goes where its page is mapped by now: %s', (_what, change) => {
    // push ebx, ecx; mov [esp+4], ebx; call +0; inc ebx; ret to the next by pop edx; pop ecx, edx
    const work = '53 51 895c2404 e800000000 43 5a 59 5a'
    const both = loop(`${work} ${change} ${work} ${store(-12)} ${load(-8)}`, threshold, 0xe000, (memory) => {
      memory.write32(At.otherTable + 0xd * 4, 0x1_f007)
    })
    for (const frame of [0x1_d000, 0x1_f000]) expect(both.word(frame + 0xffc)).not.toBe(0)
  })

  describe.each([0xe800, 0xefe0, 0xe000])('with the stack pointer at %i', (pointer) => {
    const around = [4, 8, 12, 16, 20].map(store).join(' ')
    const loads = [4, 8, -4].map(load).join(' ')

    it('follows the stack pointer', () => {
      // mov edi, …; push ebx; sub esp, 16; lea esp, [esp+8]; add esp, 8; pop ebx; inc esp; dec esp; xchg esp, edi; xchg edi, esp
      const moves = ['53', '83ec10', '8d642408', '83c408', '5b', '44', '4c', '87fc', '87e7']
      const moved = moves.map((move) => `${around} ${move} ${loads}`).join(' ')
      loop(`bf${word(pointer + 0x40)} ${moved}`, threshold, pointer)
    })

    it('looks once for a loop, and follows what moves within it', () => {
      // mov ecx, 9; L: push ebx; …; pop ebx; inc ebx; dec ecx; jnz L
      const inside = `53 ${store(8)} ${load(12)} 5b ${load(4)} 43 49`
      const length = inside.replaceAll(' ', '').length / 2
      loop(`${around} b909000000 ${inside} 75${(0xfe - length).toString(16)} ${loads}`, threshold, pointer)
    })

    it('looks again where another page was mapped', () => {
      // mov dword [4038h], frame; invlpg [esp]
      const map = (frame: number): string => `c70538400000${word(frame | 7)} 0f013c24`
      loop(`${around} ${map(0x1_c000)} ${around} ${loads} ${map(0x1_b000)} ${around} ${loads}`, threshold, pointer)
    })

    it('looks again behind a call', () => {
      // call F; jmp; F: xor dword [4038h], 7000h; invlpg [esp]; ret
      const flips = `e802000000 eb0f 813538400000${word(0x7000)} 0f013c24 c3`
      loop(`${around} ${flips} ${around} ${loads}`, threshold, pointer)
    })
  })
})
