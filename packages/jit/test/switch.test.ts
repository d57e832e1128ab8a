/** Jumps through tables, as compilers make of a switch: what a table leads to is guessed, and may be wrong. */
import { describe, expect, it } from 'vitest'
import { At, Both, word } from './both.ts'
import { eager } from './eager.ts'

const TABLE = 0xa000
const [FIRST, SECOND, THIRD, FOURTH, FAR] = [0x8100, 0x8120, 0x8140, 0x8160, At.far]

/** Code at `at`, and a jump back to the loop. */
const back = (at: number, text: string): [number, string] => {
  const bytes = text.replaceAll(' ', '').length / 2
  return [at, `${text} e9${word(At.code - (at + bytes + 5))}`]
}
const table = (targets: readonly number[]): [number, string] => [TABLE, targets.map(word).join('')]
/** inc ebx; mov ecx, ebx; and ecx, 3; jmp [TABLE + 4 * ecx] */
const SWITCH: [number, string] = [At.code, `43 89d9 83e103 ff248d${word(TABLE)}`]
const CASES = [
  // add eax, 1; inc edx; xor esi, ebx; adc edi, eax
  back(FIRST, '83c001'),
  back(SECOND, '42'),
  back(THIRD, '31de'),
  back(FAR, '11c7'),
]

describe.each([1, 2] as const)('translated the %i. time', (threshold) => {
  const engine = eager(threshold)
  const run = (code: readonly [number, string][], paging = false): Both => {
    const both = new Both(Object.fromEntries(code), { engine, paging, tlb: { data: 4, instruction: 2 } })
    both.sweep(600)
    return both
  }

  it.each([false, true])('goes to each case, in this page and in another, with paging %s', (paging) => {
    run([SWITCH, ...CASES, table([FIRST, SECOND, THIRD, FAR])], paging)
  })

  it('goes to one case from several entries', () => {
    run([SWITCH, ...CASES, table([SECOND, FAR, SECOND, SECOND])])
  })

  it('goes where the table leads by now', () => {
    // The second case swaps the third one for another and back: xor dword [TABLE + 8], 20h
    const swaps = back(SECOND, `8135${word(TABLE + 8)}${word(THIRD ^ FOURTH)}`)
    const both = run([SWITCH, ...CASES, swaps, back(FOURTH, '83ef03'), table([FIRST, SECOND, THIRD, FAR])])
    expect([THIRD, FOURTH]).toContain(both.word(TABLE + 8))
  })

  it('goes to a case that was rewritten', () => {
    // The first case counts in the immediate of the third: inc byte [THIRD + 2]
    run([
      SWITCH,
      ...CASES,
      back(FIRST, `fe05${word(THIRD + 2)}`),
      back(THIRD, '83c601'),
      table([FIRST, SECOND, THIRD, FAR]),
    ])
  })

  it('goes to the switch itself, and into the middle of the way there', () => {
    run([SWITCH, ...CASES, table([FIRST, At.code, At.code + 1, FAR])])
  })

  it('faults where an entry leads to no code', () => {
    // A handler counts the fault, and the loop goes on: the case beyond is UD2, behind which it returns to.
    run([SWITCH, ...CASES, back(THIRD, '0f0b'), table([FIRST, SECOND, THIRD, FAR])])
  })
})
