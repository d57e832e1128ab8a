/**
 * The JIT gives state and counts equal to the reference engine's, and to the interpreter's, on random machines and through
 * gates, translating nearly all that runs.
 */
import { expect, it } from 'vitest'
import { enginesSuite } from '../../x86/test/engines/engines.suite.ts'
import { gatesSuite } from '../../x86/test/engines/gates.suite.ts'
import { KINDS } from '../../x86/test/engines/layout.ts'
import { compareEngines } from '../../x86/test/engines/lockstep.ts'
import { eager } from './eager.ts'

/** Random machines that once told the engines apart: by kind and seed. */
const SEEDS = [
  { kind: 9, seed: 160_201, why: 'code that straddles two pages, with a TLB of one entry' },
  { kind: 8, seed: 160_280, why: 'a head that gets hot after an action has changed the mode' },
  { kind: 0, seed: 161_776, why: 'an action in two pages' },
] as const

const engineOf = (machine: number) => eager(machine % 2 === 0 ? 1 : 2)

enginesSuite(engineOf, { seed: 500, machines: 2, windows: 200 })
enginesSuite(engineOf, { seed: 900, machines: 1, windows: 200, with: 'interpreter' })
gatesSuite(eager())

it.each(SEEDS)('the JIT and the reference engine are equal on $why', ({ kind, seed }) => {
  const engines = ['reference', eager(2)] as const
  expect(compareEngines({ kind: KINDS[kind]!, seed, windows: 400, engines }).report).toBeUndefined()
})
