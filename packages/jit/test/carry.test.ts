/** INC and DEC leave the carry alone: whoever asks for it behind them has that of whatever set it, on whichever way. */
import { describe, it } from 'vitest'
import { At, Both, word } from './both.ts'
import { eager } from './eager.ts'

/** Loops over `text`. */
function loop(text: string, threshold: 1 | 2): void {
  const body = text.replaceAll(' ', '')
  const both = new Both({ [At.code]: `${body} e9${word(-(body.length / 2) - 5)}` }, { engine: eager(threshold) })
  both.sweep(400, 180)
}

/** add eax, 61c88647h; test al, 2; jz +3; add ecx, 7fffffffh or what is as long; there the ways meet */
const ways = (other: string): string =>
  `0547 86c861 a802 74${(other.replaceAll(' ', '').length / 2).toString(16).padStart(2, '0')} ${other}`

const SETTERS = [
  ['ADD', '01c1'],
  ['CMP', '39c1'],
  ['ADC', '11c1'],
  ['SHL', 'd1e1'],
  ['ROL', 'd1c1'],
  ['MUL', 'f7e1'],
  ['STC', 'f9'],
] as const
const STEPS = [
  ['INC', '43'],
  ['DEC', '4b'],
  ['INC twice', '43 46'],
  ['DEC, then INC of a byte in memory', '4b fe0500070000'],
  // mov [700h], ebx; mov ebx, [704h]; inc ebx
  ['INC between accesses', '891d00070000 43 8b1504070000'],
] as const
const USERS = [
  ['ADC', '83d200'],
  ['SBB', '19d2'],
  ['SETC', '0f92c2'],
  // jbe +1; inc esi
  ['JBE', '7601 46'],
  ['JC', '7201 46'],
  ['JNZ', '7501 46'],
  ['JG', '7f01 46'],
  ['RCL', 'd1d2'],
  ['PUSHF', '9c 5a'],
  ['ROL', 'd1c2 0f92c6'],
  ['LAHF', '9f'],
  // jmp +0; adc edx, 0
  ['the next block', 'eb00 83d200'],
] as const

describe.each([1, 2] as const)('translated the %i. time', (threshold) => {
  it.each(STEPS)('%s is looked through by whoever asks', (_step, step) => {
    const all = USERS.flatMap(([, user], n) => [ways(SETTERS[n % SETTERS.length]![1]), step, user])
    loop(all.join(' '), threshold)
  })
  it.each(SETTERS)('%s has set it on one of two ways', (_setter, setter) => {
    const all = USERS.flatMap(([, user], n) => [ways(setter), STEPS[n % STEPS.length]![1], user])
    loop(all.join(' '), threshold)
  })
})
