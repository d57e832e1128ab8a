/** Both engines give equal state and equal counts on random machines: see `lockstep.ts`. */
import { describe, expect, it } from 'vitest'
import { KINDS } from './layout.ts'
import { compareEngines } from './lockstep.ts'

const MACHINES = 3
const WINDOWS = 200

describe('both engines give equal state and equal counts', () => {
  for (const [n, kind] of KINDS.entries()) {
    it(`on random code: ${kind.name}`, () => {
      for (let machine = 0; machine < MACHINES; machine++) {
        const { report, instructions } = compareEngines({ kind, seed: 100 + n * MACHINES + machine, windows: WINDOWS })
        expect(report).toBeUndefined()
        expect(instructions).toBeGreaterThan(WINDOWS)
      }
    })
  }
})
