/** An engine gives state and counts equal to another's on random machines: see `lockstep.ts`. */
import { describe, expect, it } from 'vitest'
import type { EngineChoice } from '../../src/index.ts'
import { nameOf } from '../engine.ts'
import { KINDS } from './layout.ts'
import { compareEngines } from './lockstep.ts'

/** What is compared: machines of each kind from a seed on, in so many windows each. */
export interface Extent {
  readonly seed: number
  readonly machines: number
  readonly windows: number
  /** What the engine is compared with; the reference engine unless stated. */
  readonly with?: EngineChoice
}

/** The engine of each machine by its number, so that options of an engine can differ from one to the next. */
export function enginesSuite(engineOf: (machine: number) => EngineChoice, extent: Extent): void {
  const { seed, machines, windows, with: other = 'reference' } = extent
  describe(`the ${nameOf(other)} and the ${nameOf(engineOf(0))} give equal state and equal counts`, () => {
    for (const [n, kind] of KINDS.entries()) {
      it(`on random code: ${kind.name}`, () => {
        for (let machine = 0; machine < machines; machine++) {
          const plan = {
            kind,
            seed: seed + n * machines + machine,
            windows,
            engines: [other, engineOf(machine)] as const,
          }
          const { report, instructions } = compareEngines(plan)
          expect(report).toBeUndefined()
          expect(instructions).toBeGreaterThan(windows)
        }
      })
    }
  })
}
