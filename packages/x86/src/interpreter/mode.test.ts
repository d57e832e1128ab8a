/** A guest that loads CS with ever other bases: what an engine knows of modes does not grow without end. */
import { GuestMemory } from '@vmexit/memory'
import { expect, test } from 'vitest'
import { Cpu, type EngineChoice } from '../index.ts'

/** Paragraphs of `inc ax; jmp (next paragraph):0`, with a way back to the first behind the last. */
const PARAGRAPHS = 0x9000
const ROUNDS = 3

function run(engine: EngineChoice): { ax: number; ip: number; segment: number; modes: number | undefined } {
  const memory = new GuestMemory({
    ranges: [
      { kind: 'ram', start: 0, bytes: 0xa_0000 },
      { kind: 'rom', start: 0xffff_0000, bytes: 0x1_0000 },
    ],
  })
  const far = (segment: number): number[] => [0xea, 0, 0, segment & 0xff, segment >> 8]
  for (let n = 0; n < PARAGRAPHS; n++) memory.writeBytes(n * 16, Uint8Array.of(0x40, ...far((n + 1) % PARAGRAPHS)))
  memory.load(0xffff_fff0, Uint8Array.of(...far(0)))
  const cpu = new Cpu({ memory, engine })
  cpu.run(1 + 2 * PARAGRAPHS * ROUNDS + 100)
  const { state } = cpu
  return { ax: state.reg32(0), ip: state.ip, segment: state.segBase(1), modes: cpu.generated?.modes }
}

test('36,864 code segments, three times over, are executed as by the reference engine, and most forgotten', () => {
  const { modes, ...interpreted } = run('interpreter')
  const { modes: _, ...expected } = run('reference')
  expect(interpreted).toEqual(expected)
  expect(interpreted.ax & 0xffff).toBe((PARAGRAPHS * ROUNDS + 50) & 0xffff)
  expect(modes).toBeLessThan(16_500)
})
