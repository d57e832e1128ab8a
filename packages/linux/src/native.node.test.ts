/** Programs in C that this machine's own kernel runs too: the same output on both. */
import { existsSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { compile, libraries, native } from '../test/native.ts'
import { run, type Tree } from '../test/run.ts'

const here = fileURLToPath(new URL('.', import.meta.url))
const glibc = compile(join(here, '../test/programs/glibc.c'), 'dynamic')
const cwd = mkdtempSync(join(tmpdir(), 'vmexit-'))
const reason = ' (skipped: no gcc here that makes i386 programs, or a kernel that does not run them)'

describe.skipIf(glibc === undefined)(`a dynamic program${glibc === undefined ? reason : ''}`, () => {
  it('does what it does on this machine', () => {
    const expected = native(glibc!, [], cwd)
    if (expected === undefined) return
    const files: Record<string, Tree[string]> = { '/bin/program': readFileSync(glibc!), ...libraries() }
    const shell = compile(join(here, '../test/programs/echo-shell.c'), 'static')
    files['/bin/sh'] = readFileSync(shell!)
    const { output, status, wrong } = run({ files, args: ['/bin/program'], engine: 'jit' })
    expect(output).toBe(expected.output)
    expect(status).toBe(15)
    expect(wrong).toEqual([])
  }, 60_000)
})

const events = compile(join(here, '../test/programs/events.c'), 'static')

describe.skipIf(events === undefined)(`files that are none${events === undefined ? reason : ''}`, () => {
  it('tell of signals, watched files and memory what they tell on this machine', () => {
    const expected = native(events!, [], cwd)
    if (expected === undefined) return
    const { output, status, wrong } = run({ files: { '/bin/program': readFileSync(events!) }, args: ['/bin/program'] })
    expect(output).toBe(expected.output)
    expect(status).toBe(0)
    expect(wrong).toEqual([])
  }, 60_000)
})

const latency = compile(join(here, '../test/programs/latency.c'), 'static')

describe.skipIf(latency === undefined)(`a program that sleeps${latency === undefined ? reason : ''}`, () => {
  it('runs as soon as it is woken, though another one is busy', () => {
    const { output } = run({ files: { '/bin/program': readFileSync(latency!) }, args: ['/bin/program'] })
    expect(Number(output)).toBeLessThan(50)
  }, 60_000)
})

/** Where the programs of the comparison with other machines may lie. */
const bench = join(here, '../../../../shared/bench/src')
const programs: readonly (readonly [name: string, ...args: string[]])[] = [
  ['sieve', '2'],
  ['intmix', '500'],
  ['syscalls', '2000'],
  ['pingpong', '200'],
  ['mapfault', '5'],
  ['copy', '2'],
  ['forks', '10'],
  ['codegen', '200'],
  ['matmul', '1'],
  ['gentext', '64'],
]
const masked = (text: string): string => text.replace(/ns=\d+/g, 'ns=').replace(/ns\/op=[\d.]+/g, 'ns/op=')
const haveBench = glibc !== undefined && existsSync(bench)

describe.skipIf(!haveBench)(`programs that measure${haveBench ? '' : reason}`, () => {
  it.each(programs)(
    '%s prints what it prints on this machine',
    (name, ...args) => {
      const program = compile(join(bench, `${name}.c`), 'static')!
      const expected = native(program, args, cwd)
      if (expected === undefined) return
      const { output, status, wrong } = run({
        files: { [program]: readFileSync(program) },
        args: [program, ...args],
        engine: 'jit',
      })
      expect(masked(output)).toBe(masked(expected.output))
      expect(status).toBe(0)
      expect(wrong).toEqual([])
    },
    60_000,
  )
})
