/** What sockets answer, by programs in C whose output on Linux 6.18 was recorded. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { compile } from '../test/native.ts'
import { ENGINES, run } from '../test/run.ts'

const test = fileURLToPath(new URL('../test', import.meta.url))
const names = ['sockets', 'more-sockets']
const programs = names.map((name) => compile(join(test, `programs/${name}.c`), 'static'))
const isMissing = programs.includes(undefined)
const reason = ' (skipped: no gcc here that makes i386 programs)'

describe.skipIf(isMissing).each(names)(`a program that tries %s${isMissing ? reason : ''}`, (name) => {
  const program = programs[names.indexOf(name)]
  const files = program === undefined ? {} : { '/bin/program': readFileSync(program) }
  const recorded = readFileSync(join(test, `recordings/${name}.txt`), 'utf8')
  const args = ['/bin/program', '/tmp']

  it('prints what it prints on Linux', () => {
    const { output, status, wrong } = run({ files, args, engine: 'jit' })
    expect(output).toBe(recorded)
    expect(status).toBe(0)
    expect(wrong).toEqual([])
  }, 60_000)

  it('counts the same on every engine, and however its run is cut', () => {
    const runs = [...ENGINES.map((engine) => run({ files, args, engine })), run({ files, args, slice: 997 })]
    const facts = runs.map(({ output, retired, counts, calls, kernel }) => ({
      ...{ output, retired, counts, calls, now: kernel.now },
    }))
    for (const fact of facts.slice(1)) expect(fact).toEqual(facts[0])
  }, 60_000)
})
