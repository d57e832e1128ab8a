import { createPc, raw } from '@vmexit/vmexit'
import { expect, test } from 'vitest'
import { SlopeMeter } from './index.ts'

/** Of one length, as the programs print them. The texts are behind the code. */
const LINES = ['@@begin loop 10', '@@middle loop', '@@end loop 00000000'].map((line) => `${line.padEnd(19)}\n`)
const START = 0x7c00
const CODE = 64

/** In real mode: prints a line, works 10 times, prints, works 20 times, prints, and ends the run. */
function program(): Uint8Array {
  const text = new TextEncoder()
  const lines = LINES.map((line) => text.encode(`${line}\0`))
  const at = lines.map((_, i) => START + CODE + lines.slice(0, i).reduce((sum, { length }) => sum + length, 0))
  const word = (value: number) => [value & 0xff, value >> 8]
  const code: number[] = []
  const print = 50 // where the routine is
  const call = (line: number) => [0xbe, ...word(at[line]!), 0xe8, ...word((print - (code.length + 6)) & 0xffff)]
  const work = (count: number) => [0xb9, ...word(count), 0x90, 0xe2, 0xfd] // mov cx,count; L: nop; loop L
  code.push(...call(0))
  code.push(...work(10))
  code.push(...call(1))
  code.push(...work(20))
  code.push(...call(2))
  code.push(0xb0, 0, 0xe6, 0xf4, 0xf4) // mov al,0; out 0f4h,al; hlt
  const image = new Uint8Array(CODE + 100)
  image.set(code)
  // mov dx,3f8h; L: lodsb; test al,al; jz E; out dx,al; jmp L; E: ret
  image.set([0xba, 0xf8, 0x03, 0xac, 0x84, 0xc0, 0x74, 0x03, 0xee, 0xeb, 0xf8, 0xc3], print)
  for (const [i, bytes] of lines.entries()) image.set(bytes, at[i]! - START)
  return image
}

test.each(['reference', 'interpreter', 'jit'] as const)('a PC’s cost of a loop is exact: %s', async (engine) => {
  const loader = raw({ image: program(), address: START, mode: 'real' })
  await using pc = await createPc({ memory: '2 MiB', loader, engine })
  const meter = new SlopeMeter(() => pc.counts)
  pc.console.onTransmit((bytes) => meter.feed(bytes))
  expect((await pc.run()).reason).toBe('off')
  expect(meter.slopes).toMatchObject([{ program: 'loop', count: 10, checksum: '00000000', costs: { instructions: 2 } }])
})
