/**
 * Tests captured from a Harris 80C286 in real mode, on both engines. Where the 386 differs from the 286 a rule says so and
 * why; everything else must be equal to the bit.
 */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { Engine } from '../../src/index.ts'
import { SingleStepMachine } from './machine.ts'
import { readMoo, type SingleStepFile, type SingleStepTest } from './moo.ts'
import { difference } from './differences.ts'

const folder = fileURLToPath(new URL('../../../../../shared/vectors/sst-80286-real-subset/', import.meta.url))
const present = existsSync(folder)

/** What is compared of a register: the file's mask of undefined bits, and bits 12–15 of FLAGS, which the 286 forces to 0 in real mode. */
function maskOf(file: SingleStepFile, test: SingleStepTest): (register: string) => number {
  return (register) => {
    const fileMask = file.masks[register] ?? 0xffff
    return register === 'flags' ? fileMask & 0x0fff : register === 'ip' ? fileMask : fileMask & (test.final.masks[register] ?? 0xffff)
  }
}

describe.skipIf(!present)('80286 single-step tests', () => {
  const index = present ? (JSON.parse(readFileSync(`${folder}INDEX.json`, 'utf8')) as [string, number, number, number][]) : []
  for (const engine of ['reference', 'interpreter'] as Engine[]) {
    const machine = present ? new SingleStepMachine(engine, false) : undefined
    for (const [name] of index) {
      it(`${engine} ${name}`, () => {
        const file = readMoo(gunzipSync(readFileSync(folder + name)))
        const failures: string[] = []
        for (const test of file.tests) {
          if (difference(test)) continue
          const found = machine!.run(test, maskOf(file, test))
          if (found.length > 0) failures.push(`#${test.index} ${test.name}: ${found.join('; ')}`)
        }
        expect(failures.slice(0, 5), `${failures.length} of ${file.tests.length} fail`).toEqual([])
      })
    }
  }
})

if (!present) it.skip('80286 single-step tests: ../shared/vectors is not here', () => {})
