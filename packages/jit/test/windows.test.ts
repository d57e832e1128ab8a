/** Accesses at several distances from the same registers, in one page and in two that do not lie beside each other. */
import { describe, expect, it } from 'vitest'
import { Random } from '../../x86/test/random.ts'
import { At, Both, hex, word } from './both.ts'
import { compiled, eager } from './eager.ts'

/** Pages d and e, and where they lie. */
const [LOW, HIGH] = [0x1_d000, 0x1_b000]
/** The entries of page d and of page e. */
const ENTRIES = { d: At.table + 0xd * 4, e: At.table + 0xe * 4 }
const byte = (value: number): string => (value & 0xff).toString(16).padStart(2, '0')
const lengthOf = (code: string): number => hex(code).length
/** `code` over and over, after `start`. */
const looped = (start: string, code: string): string => `${start} ${code} e9${word(-lengthOf(code) - 5)}`

function machine(code: string, threshold: 1 | 2, others: Readonly<Record<number, string>> = {}): Both {
  const both = new Both({ [At.code]: code, ...others }, { engine: eager(threshold), paging: true })
  for (const { memory, cpu } of both.all) {
    memory.write32(ENTRIES.d, LOW | 7)
    memory.write32(ENTRIES.e, HIGH | 7)
    cpu.paging.mmu.flush()
  }
  return both
}
/** mov esi, pointer; over and over: `code` */
const with32 = (pointer: number, code: string, threshold: 1 | 2): Both =>
  machine(looped(`be${word(pointer)}`, code), threshold)

// mov eax, [esi]; inc dword [esi+4]; add [esi+8], eax; movzx ecx, byte [esi+12]; mov [esi+16], ecx; mov edx, [esi-4]
const AROUND = '8b06 ff4604 014608 0fb64e0c 894e10 8b56fc'

describe.each([1, 2] as const)('translated the %i. time', (threshold) => {
  it.each(['df00', 'dff0', 'dff9', 'e000', 'e002'])('find the bytes around %sh', (text) => {
    const pointer = Number.parseInt(text, 16)
    const both = with32(pointer, AROUND, threshold)
    both.sweep(300)
    // inc dword [esi+4]
    const counter = pointer + 4
    expect(both.word((counter < 0xe000 ? LOW : HIGH) + (counter & 0xfff))).toBeGreaterThan(0)
  })

  it('are translated anew without a window that lies in two pages', () => {
    const inOne = with32(0xdf00, AROUND, threshold)
    inOne.sweep(300)
    const inTwo = with32(0xdff4, AROUND, threshold)
    inTwo.sweep(300)
    expect(compiled(inTwo.all[1].cpu)).toBeGreaterThan(compiled(inOne.all[1].cpu))
    // Nothing is left of it that misses: hardly anything is interpreted.
    const before = inTwo.all[1].cpu.generated!.translated!.compiled
    for (let n = 0; n < 50; n++) inTwo.run(5000 + n)
    expect(inTwo.all[1].cpu.generated!.translated!.compiled).toBe(before)
  })

  it('follow registers that are written between them', () => {
    // …; add esi, 32; …; mov si, df80h; …; lea esi, [esi+edx*4]; and esi, fffh; or esi, d000h; …
    const code = `${AROUND} 83c620 ${AROUND} 66be80df ${AROUND} 8d3496 81e6ff0f0000 81ce00d00000 ${AROUND}`
    with32(0xdf00, code, threshold).sweep(400)
  })

  it('stay through branches and loops, and end with calls', () => {
    // mov ecx, 3; loop: mov eax, [esi]; test al, 1; jz +5: inc dword [esi+4]; jmp +3; dec dword [esi+8]; inc dword [esi];
    // mov edx, [esi+12]; call +0; pop edx; add [esi+16], edx; dec ecx; jnz loop
    const body = '8b06 a801 7405 ff4604 eb03 ff4e08 ff06 8b560c e800000000 5a 015610 49'
    const code = `b903000000 ${body} 75${byte(-lengthOf(body) - 2)}`
    with32(0xdf00, code, threshold).sweep(400)
    with32(0xdff4, code, threshold).sweep(400)
  })

  it('read where a branch may write, and that is not allowed', () => {
    // mov eax, [esi]; inc ebx; test bl, 7; jnz +3: inc dword [esi+4]; mov ecx, [esi+8]
    const both = with32(0xdf00, '8b06 43 f6c307 7503 ff4604 8b4e08', threshold)
    // mov cr0 has WP: no; but the page is absent every other time
    for (let n = 0; n < 300; n++) {
      if (n % 3 === 0)
        for (const { memory, cpu } of both.all) {
          memory.write32(ENTRIES.d, LOW | (n % 2 === 0 ? 6 : 7))
          cpu.paging.mmu.flush()
        }
      both.run(1 + (n % 40))
    }
    both.end()
    expect(both.counts[3]).toBeGreaterThan(3)
  })

  // xor dword [entry of page d], 2000h; invlpg [d000h]
  const remap = `8135${word(ENTRIES.d)}${word(0x2000)} 0f013d00d00000`
  // mov eax, cr3; xor eax, 6000h; mov cr3, eax
  const load3 = '0f20d8 3500600000 0f22d8'
  it.each([
    ['INVLPG', remap],
    ['a load of CR3', load3],
  ])('go where the page is mapped by now: %s', (_what, change) => {
    with32(0xdf00, `${AROUND} ${change} ${AROUND} ${change} ${AROUND}`, threshold).sweep(400)
  })

  it.each(Array.from({ length: 12 }, (_, seed) => seed))(
    'are what the reference engine has, of random code: %i',
    (seed) => {
      const random = new Random(seed + 500)
      const pointers = [0xdf40, 0xdff0, 0xdffc, 0xe010]
      // mov ebx, esi, edi, ebp
      const start = `bb${word(random.pick(pointers))} be${word(random.pick(pointers))} bf${word(random.pick(pointers))} bd${word(random.pick(pointers))}`
      const code = Array.from({ length: 60 }, () => instruction(random)).join(' ')
      const both = machine(looped(start, code), threshold, { [At.far]: `${instruction(random)} c3` })
      for (let n = 0; n < 400; n++) {
        if (n % 37 === 0) {
          const absent = random.below(4) === 0
          for (const { memory, cpu } of both.all) {
            memory.write32(ENTRIES.d, (n % 2 === 0 ? LOW : 0x1_f000) | (absent ? 6 : 7))
            cpu.paging.mmu.flush()
          }
        }
        both.run(1 + random.below(120))
      }
      both.end()
    },
  )
})

/** Registers that lead to memory; EAX, ECX and EDX are values. */
const POINTERS = [3, 5, 6, 7]
/** One instruction or a few. */
function instruction(random: Random): string {
  const base = random.pick(POINTERS)
  const value = random.below(3)
  const at = byte(random.below(12) * 4 - 16 + (random.below(8) === 0 ? 1 : 0))
  const operand = (reg: number): string => `${byte(0x40 + reg * 8 + base)}${at}`
  const inner = (): string => random.pick([`8b${operand(value)}`, `89${operand(value)}`, `83${operand(0)}05`])
  const skipped = inner()
  return random.pick([
    // mov, add, cmp, movzx, xchg; inc; add [..], 5; test [..], 5
    () => `8b${operand(value)}`,
    () => `8b${operand(value)}`,
    () => `89${operand(value)}`,
    () => `03${operand(value)}`,
    () => `3b${operand(value)}`,
    () => `0fb6${operand(value)}`,
    () => `87${operand(value)}`,
    () => `ff${operand(0)}`,
    () => `83${operand(0)}05`,
    () => `f7${operand(0)}05000000`,
    // movq mm, [..]; cmovz; shl dword [..], cl; fld m32; fstp m32
    () => `0f6f${operand(value)}`,
    () => `0f44${operand(value)}`,
    () => `d3${operand(4)}`,
    () => `d9${operand(0)} d9${operand(3)}`,
    // The same, with an index that is small: and eax, 12; mov ecx, [base+eax*1+..]
    () => `83e00c 8b4c${byte(base)}${at} 894c${byte(base)}${byte(8)}`,
    // jz over one; cmp first
    () => `3b${operand(value)} 74${byte(lengthOf(skipped))} ${skipped}`,
    // push; pop; a call of the next and its address; xor base, 4
    () => `50 59`,
    () => `e800000000 5a`,
    () => `83${byte(0xf0 + base)}04`,
  ])()
}
