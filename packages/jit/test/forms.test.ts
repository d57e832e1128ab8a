/** Instructions whose constants decide what they do with flags. */
import { Gpr } from '@vmexit/x86'
import { describe, it } from 'vitest'
import { At, Both, word } from './both.ts'

/** ROL … SAR of AH and of EDX by a constant, SHLD and SHRD of EDX; one that does something before one that may not. */
const shifts = [0, 1, 2, 3, 4, 5, 7].flatMap((n) => [
  `c0${(0xc4 + n * 8).toString(16)}`,
  `66c1${(0xc2 + n * 8).toString(16)}`,
  `c1${(0xc2 + n * 8).toString(16)}`,
])

describe('a shift or rotate by a constant', () => {
  const code = [...shifts, '0fa4ca', '0facca']
  for (const count of ['00', '20', '40', 'e0', '08', '09', '10', '11', '1f', '21'])
    it(`of ${count}h leaves the flags that it is to leave`, () => {
      // The same with a count of 5; add al, 80h; the shift; pushf; pop ebx; and so on; jmp
      const all = code
        .map((shift) => `${shift}05 0480 ${shift}${count} 9c 5b 01de 1480 ${shift}${count} 83d700`)
        .join('')
      const length = all.replaceAll(' ', '').length / 2
      const back = (-(length + 5) >>> 0).toString(16).match(/../g)!.reverse().join('')
      const both = new Both({ [At.code]: `${all} e9${back}` })
      for (const { cpu } of both.all) for (const reg of [Gpr.ax, Gpr.dx, Gpr.cx]) cpu.state.setReg32(reg, 0x8765_4321)
      both.sweep(60)
      both.run(2000)
      both.end()
    })
})

describe('a branch on flags that were made elsewhere', () => {
  it.each([0x71, 0x72, 0x73, 0x74, 0x76, 0x78, 0x7c])('asks for them, whatever branch was met before: %i', (branch) => {
    // sub al, 5; jo; inc ebx; push 8100h; ret; and there: the branch; inc edx; push 8000h; ret
    const elsewhere = `${branch.toString(16)}01 42 68${word(At.code)} c3`
    const both = new Both({ [At.code]: `2c05 7001 43 68${word(0x8100)} c3`, 33024: elsewhere })
    both.sweep(300)
  })
})
