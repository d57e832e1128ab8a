/** What sockets answer, by a program in C whose output on Linux 6.18 was recorded. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { compile } from '../test/native.ts'
import { ENGINES, run } from '../test/run.ts'

const test = fileURLToPath(new URL('../test', import.meta.url))
const program = compile(join(test, 'programs/sockets.c'), 'static')
const reason = ' (skipped: no gcc here that makes i386 programs)'

describe.skipIf(program === undefined)(`a program that tries sockets${program === undefined ? reason : ''}`, () => {
  const files = program === undefined ? {} : { '/bin/program': readFileSync(program) }
  const recorded = readFileSync(join(test, 'recordings/sockets.txt'), 'utf8')

  it('prints what it prints on Linux', () => {
    const { output, status, wrong } = run({ files, args: ['/bin/program', '/tmp'], engine: 'jit' })
    expect(output).toBe(recorded)
    expect(status).toBe(0)
    expect(wrong).toEqual([])
  }, 60_000)

  it('counts the same on every engine, and however its run is cut', () => {
    const args = ['/bin/program', '/tmp']
    const runs = [...ENGINES.map((engine) => run({ files, args, engine })), run({ files, args, slice: 997 })]
    const facts = runs.map(({ output, retired, counts, calls, kernel }) => ({
      ...{ output, retired, counts, calls, now: kernel.now },
    }))
    for (const fact of facts.slice(1)) expect(fact).toEqual(facts[0])
  }, 60_000)
})
