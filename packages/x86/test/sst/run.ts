/** Runs the tests of a MOO file on an engine. */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type { EngineChoice } from '../../src/index.ts'
import { createModel } from '../../src/system/models.ts'
import { Reader386 } from './differences.ts'
import { SingleStepMachine } from './machine.ts'
import { readMoo, type SingleStepFile } from './moo.ts'

const model = createModel('i386')
const reader = new Reader386(model)
const machines = new Map<EngineChoice, SingleStepMachine>()

export interface MooResult {
  readonly tests: number
  /** By name of a rule: how many tests it applied to. */
  readonly rules: Readonly<Record<string, number>>
  /** The machine that ran them. */
  readonly machine: SingleStepMachine
  /** One line for each test that failed. */
  readonly failures: readonly string[]
}

/** Read a file, gzip or plain. */
export function loadMoo(file: string): SingleStepFile {
  const bytes = readFileSync(file)
  return readMoo(bytes[0] === 0x1f ? gunzipSync(bytes) : bytes)
}

/**
 * Run all tests of a file: those of an 80286 as the rules read them (see `differences.ts`), those of an 80386 as they are.
 * The file's own masks hold in either case. `every`: of so many, one.
 */
export function runMooFile(file: string | SingleStepFile, engine: EngineChoice, every = 1): MooResult {
  const { masks, tests } = typeof file === 'string' ? loadMoo(file) : file
  const machine = machines.get(engine) ?? new SingleStepMachine(engine, model)
  machines.set(engine, machine)
  const rules: Record<string, number> = {}
  const failures: string[] = []
  const undefinedBits = Object.fromEntries(Object.entries(masks).map(([name, bits]) => [name, ~bits]))
  const chosen = tests.filter((_, n) => n % every === 0)
  for (const test of chosen) {
    let found: string[]
    if ('eip' in test.initial.registers) found = machine.run(test, { ignored: undefinedBits })
    else {
      const { rules: applied, instead, draft } = reader.read(test)
      for (const { name } of applied) rules[name] = (rules[name] ?? 0) + 1
      for (const [name, bits] of Object.entries(undefinedBits)) draft.ignored[name] = (draft.ignored[name] ?? 0) | bits
      if (instead === undefined) found = machine.run(test, draft)
      else {
        const raised = machine.raises(test) ?? -1
        found = raised === instead ? [] : [`raises ${raised}, not ${instead}`]
      }
    }
    if (found.length > 0) failures.push(`#${test.index} ${test.name}: ${found.join('; ')}`)
  }
  return { tests: chosen.length, rules, failures, machine }
}
