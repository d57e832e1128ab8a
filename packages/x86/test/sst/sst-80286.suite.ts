/**
 * Tests captured from a Harris 80C286 in real mode, on any engine. Where an 80386 differs a rule says so and why (see
 * `differences.ts`); everything else must be equal to the bit.
 */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { EngineChoice } from '../../src/index.ts'
import { nameOf } from '../engine.ts'
import { RULES } from './differences.ts'
import { type MooResult, runMooFile } from './run.ts'

const folder = fileURLToPath(new URL('../../../../../shared/vectors/sst-80286-real-subset/', import.meta.url))
const present = existsSync(folder)

/** To how many of the 162,500 tests each rule applies: a rule that becomes wider is noticed here. */
const APPLIED: Readonly<Record<string, number>> = {
  LOCK: 3048,
  'FS and GS': 44,
  'more than 10 bytes': 218,
  'IDIV overflow': 3,
  'FLAGS bits 12–15 in real mode': 162_500,
  'flags at a division error': 389,
  'stack faults': 3894,
  'string instructions at a fault': 682,
  'POP to memory at a fault': 16,
  'AF after shifts': 10_596,
  'OF after shifts by more than 1': 1683,
  'flags of multiplications': 2752,
  'flags of divisions': 1547,
  'OF of DAA and DAS': 1000,
  'flags of AAA and AAS': 1000,
  'flags of AAD and AAM': 966,
}
const index = present
  ? (JSON.parse(readFileSync(`${folder}INDEX.json`, 'utf8')) as [string, number, number, number][])
  : []

/** `every`: of so many tests, one; `check` is given what came of each file. */
export function sst80286Suite(engine: EngineChoice, every = 1, check: (result: MooResult) => void = () => {}): void {
  const title = present ? '80286 single-step tests' : '80286 single-step tests: ../shared/vectors is not here'
  describe.skipIf(!present)(`${title}, on the ${nameOf(engine)}`, () => {
    const applied: Record<string, number> = {}
    let tests = 0

    it.each(index)('%s', (name, _original, count) => {
      const result = runMooFile(folder + name, engine, every)
      const { tests: run, rules, failures } = result
      expect(run).toBe(Math.ceil(count / every))
      expect(failures.slice(0, 5), `${failures.length} of ${count} fail`).toEqual([])
      tests += run
      for (const [rule, n] of Object.entries(rules)) applied[rule] = (applied[rule] ?? 0) + n
      check(result)
    })

    if (every > 1) return
    it('applied each rule to exactly as many tests as are written here', () => {
      expect(Object.keys(APPLIED).sort()).toEqual(RULES.map(({ name }) => name).sort())
      expect(tests).toBe(162_500)
      expect(applied).toEqual(APPLIED)
    })
  })
}
