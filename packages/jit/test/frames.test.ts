/** The flags in the frames of faults that come between the code that sets them and the code that sets them anew. */
import { describe, expect, it } from 'vitest'
import { At, Both, SUM_FLAGS, word } from './both.ts'
import { eager } from './eager.ts'

/** clts; fnclex; inc dword [600h]; …; iret */
const HANDLER = `0f06 dbe2 ff0500060000 ${SUM_FLAGS} cf`
/** mov eax, cr0; or eax, 20h; mov cr0, eax; fninit: #MF is an exception */
const START = '0f20c0 83c820 0f22c0 dbe3'

const lengthOf = (code: string): number => code.replaceAll(' ', '').length / 2
/** `code` with a jump back to an offset in it. */
const looped = (code: string, to: number): string => `${code} e9${word(to - lengthOf(code) - 5)}`
const callFrom = (code: string, target: number): string => `${code} e8${word(target - (At.code + lengthOf(code)) - 5)}`
const calls = (code: string, target: number, count: number): string =>
  count === 0 ? code : calls(callFrom(code, target), target, count - 1)

describe.each([1, 2] as const)('translated the %i. time', (threshold) => {
  const engine = eager(threshold)

  it('has them where the x87 unit is not ready', () => {
    // add edi, 7fffffffh; jmp +0; fld1; fstp st0; add ecx, 1; ret
    const far = '81c7ffffff7f eb00 d9e8 ddd8 83c101 c3'
    // Called six times; then: mov eax, cr0; or eax, 8; mov cr0, eax; cmp eax, eax, and called again
    const code = callFrom(`${calls(START, At.far, 6)} 0f20c0 83c808 0f22c0 39c0`, At.far)
    const both = new Both(
      { [At.code]: looped(code, lengthOf(START)), [At.far]: far, [At.handlers]: HANDLER },
      { engine },
    )
    for (let n = 0; n < 200; n++) both.run(97)
    both.end()
    expect(both.counts[0]).toBeGreaterThan(3)
  })

  it('has them where an exception is not masked any more', () => {
    // fninit; fld1; fldz; fdivp; fld1; xor eax, eax; fldcw [700h]; add edi, 7fffffffh; fxch; add ecx, 1
    const code = `${START} dbe3 d9e8 d9ee def9 d9e8 31c0 d92d00070000 81c7ffffff7f d9c9 83c101`
    const both = new Both(
      { [At.code]: looped(code, lengthOf(START)), [At.handlers]: HANDLER, 1792: '7b03' },
      { engine },
    )
    for (let n = 0; n < 200; n++) both.run(97)
    both.end()
    expect(both.counts[0]).toBeGreaterThan(3)
  })

  it('has them where the next page is absent', () => {
    // cff9h: add edi, 7fffffffh; d000h: add ecx, 1; ret
    const far = 0xcffa
    // Called three times; then: and dword [page d], ~1; invlpg [d000h]; cmp eax, eax, and called again
    const code = callFrom(`${calls('', far, 3)} 832534400000fe 0f013d00d00000 39c0`, far)
    const both = new Both(
      { [At.code]: looped(code, 0), [far]: '81c7ffffff7f', 53248: '83c101 c3' },
      { engine, paging: true },
    )
    for (let n = 0; n < 200; n++) both.run(97)
    both.end()
    expect(both.counts[3]).toBeGreaterThan(3)
  })
})
