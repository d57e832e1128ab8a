/** The JIT gives state and counts equal to the reference engine's on random machines, translating nearly all that runs. */
import { describe, expect, it } from 'vitest'
import { KINDS } from '../../x86/test/engines/layout.ts'
import { compareEngines } from '../../x86/test/engines/lockstep.ts'
import { jit } from '../src/index.ts'

const MACHINES = 3
const WINDOWS = 200

describe('the JIT and the reference engine give equal state and equal counts', () => {
  for (const [n, kind] of KINDS.entries()) {
    it(`on random code: ${kind.name}`, () => {
      for (let machine = 0; machine < MACHINES; machine++) {
        const seed = 500 + n * MACHINES + machine
        const engine = jit({ threshold: 1 + (machine % 2), batch: 1 })
        const { report, instructions } = compareEngines({ kind, seed, windows: WINDOWS, engine })
        expect(report).toBeUndefined()
        expect(instructions).toBeGreaterThan(WINDOWS)
      }
    })
  }
})
