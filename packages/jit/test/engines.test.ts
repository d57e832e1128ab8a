/** The JIT gives state and counts equal to the reference engine's on random machines, translating nearly all that runs. */
import { describe, expect, it } from 'vitest'
import { KINDS } from '../../x86/test/engines/layout.ts'
import { compareEngines } from '../../x86/test/engines/lockstep.ts'
import { jit } from '../src/index.ts'

const MACHINES = 3
const WINDOWS = 200

/** Random machines that once told the engines apart: by kind and seed. */
const SEEDS = [
  { kind: 9, seed: 160_201, why: 'code that straddles two pages, with a TLB of one entry' },
  { kind: 8, seed: 160_280, why: 'a head that gets hot after an action has changed the mode' },
  { kind: 0, seed: 161_776, why: 'an action in two pages' },
] as const

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
  it.each(SEEDS)('on $why', ({ kind, seed }) => {
    const engine = jit({ threshold: 2, batch: 1 })
    expect(compareEngines({ kind: KINDS[kind]!, seed, windows: 400, engine }).report).toBeUndefined()
  })
})
