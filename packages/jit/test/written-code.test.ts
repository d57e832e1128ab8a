/** Code that is written while it is hot: by itself, by other code, from outside, by a device during an instruction. */
import { describe, expect, it } from 'vitest'
import { At, Both } from './both.ts'
import { eager } from './eager.ts'

/** mov cl, n; add ebx, ecx; ret */
const ADDS = 'b100 01cb c3'

describe.each([1, 2] as const)('translated the %i. time', (threshold) => {
  const engine = eager(threshold)

  it('sees what it writes to an instruction ahead in its block', () => {
    // inc byte [8007h]; mov cl, n; add ebx, ecx; jmp
    new Both({ [At.code]: 'fe0507800000 b100 01cb ebf4' }, { engine }).sweep(160)
  })

  it('sees what it writes to the next block', () => {
    // inc byte [8009h]; jmp +0; mov cl, n; add ebx, ecx; jmp
    new Both({ [At.code]: 'fe0509800000 eb00 b100 01cb ebf2' }, { engine }).sweep(160)
  })

  it('sees what it writes now and then, between long runs of it as it is', () => {
    // inc eax; test al, 3fh; jnz +6; inc byte [800dh]; mov cl, n; add ebx, ecx; jmp
    const both = new Both({ [At.code]: '40 a83f 7506 fe050c800000 b100 01cb ebef' }, { engine })
    both.sweep(160)
    for (let n = 0; n < 20; n++) both.run(9973)
    both.end()
  })

  it('sees what it writes to a function in another page', () => {
    // inc byte [b001h]; call b000h; jmp
    new Both({ [At.code]: 'fe0501b00000 e8f52f0000 ebf3', [At.far]: ADDS }, { engine }).sweep(160)
  })

  it('sees that a function writes to its caller, behind the call', () => {
    // call b000h; mov cl, n; add ebx, ecx; jmp; b000h: inc byte [8006h]; ret
    const code = { [At.code]: 'e8fb2f0000 b100 01cb ebf5', [At.far]: 'fe0506800000 c3' }
    new Both(code, { engine }).sweep(160)
  })

  it('sees what a string instruction writes to it', () => {
    // mov edi, 8011h; mov ecx, 1; mov al, bl; rep stosb; jmp +0; mov dl, n; inc ebx; add ebp, edx; jmp
    const code = { [At.code]: 'bf11800000 b901000000 88d8 f3aa eb00 b200 43 01d5 ebea' }
    new Both(code, { engine }).sweep(160)
  })

  it('executes step by step what is written before each call, and translates it when that ends', () => {
    // inc ecx; test ecx, 200h; jnz +6; inc dword [b001h]; call b000h; jmp; b000h: mov eax, n; add ebx, eax; ret
    const code = '41 f7c100020000 7506 ff0501b00000 e8ec2f0000 ebea'
    const both = new Both({ [At.code]: code, [At.far]: 'b800000000 01c3 c3' }, { engine })
    both.sweep(160)
    for (let n = 0; n < 20; n++) both.run(9973)
    both.end()
    // 11,000 calls of it as it was rewritten, and as many of it as it was.
    const { runs } = both.all[1].cpu.generated!
    expect(runs).toBeGreaterThan(32)
    expect(runs).toBeLessThan(1000)
  })

  it('runs what was written from outside between two runs', () => {
    // call b000h; jmp
    const both = new Both({ [At.code]: 'e8fb2f0000 ebf9', [At.far]: ADDS }, { engine })
    for (let n = 0; n < 200; n++) {
      both.run(1 + ((n * 37) % 101))
      if (n % 3 === 0) both.write(At.far + 1, Uint8Array.of(n))
      if (n % 7 === 0) both.write(At.code, Uint8Array.of(0xe8))
    }
    both.end()
  })

  it('runs what a device has written during an instruction, to the next one or to a function', () => {
    // out 10h, al; mov cl, n; add ebx, ecx; inc eax; call b000h; jmp
    const onPort: NonNullable<ConstructorParameters<typeof Both>[1]>['onPort'] = (memory, value) => {
      memory.write8(At.code + 3, value)
      if (value % 3 === 0) memory.write8(At.far + 1, value >> 1)
    }
    const code = { [At.code]: 'e610 b100 01cb 40 e8f42f0000 ebf2', [At.far]: ADDS }
    new Both(code, { engine, onPort }).sweep(160)
  })

  it('runs what is written through another name of the page', () => {
    // call b000h; call c000h; inc byte [c001h]; jmp, c000h being another name of b000h
    const both = new Both(
      { [At.code]: 'e8fb2f0000 e8f63f0000 fe0501c00000 ebee', [At.far]: ADDS },
      { engine, paging: true },
    )
    for (const { memory } of both.all) memory.write32(At.table + 0xc * 4, At.far | 7)
    both.sweep(160)
    expect(both.word(At.far) & 0xff).toBe(0xb1)
  })
})
