import { expect, test } from 'vitest'
import { withPart } from '../docs.ts'
import { CALL_ROWS } from './calls.ts'
import { parseProcessOptions } from './options.ts'
import { PROGRAM_ROWS } from './programs.ts'
import { callRows, differing, programRows } from './results.ts'
import { byTurns } from './turns.ts'

const all = (names: readonly string[], value: number) => Object.fromEntries(names.map((name) => [name, value]))
const calls = CALL_ROWS.map(({ program }) => program)
const times = (cpu: number, found = 'x') => ({
  cpu: all(PROGRAM_ROWS, cpu),
  elapsed: all(PROGRAM_ROWS, cpu / 2 + 10),
  found: Object.fromEntries(PROGRAM_ROWS.map((row) => [row, found])),
})
const samples = {
  // The host was slower in one round.
  callsHere: [0.5, 9, 0.4].map((each) => all(calls, each)),
  callsInPc: [1, 20, 0.7].map((each) => all(calls, each)),
  programsHere: [times(151), times(151)],
  programsInQemu: [times(100), times(100)],
}

test("the medians of the rounds' ratios are held against the bars", () => {
  expect(callRows(samples).map(({ ratio, holds }) => [ratio, holds])).toEqual(calls.map(() => [0.5, true]))
  expect(programRows(samples, 'cpu').map(({ ratio, holds }) => [ratio, holds])).toEqual(
    PROGRAM_ROWS.map(() => [1.51, false]),
  )
  expect(programRows(samples, 'elapsed').map(({ ratio, holds }) => [ratio, holds])).toEqual(
    PROGRAM_ROWS.map(() => [1.425, true]),
  )
})

test('a program that computes something else is named', () => {
  expect(differing(samples)).toEqual([])
  expect(differing({ ...samples, programsInQemu: [times(100, 'y')] })).toEqual([...PROGRAM_ROWS])
})

test('options that mean nothing are refused with what to say instead', () => {
  for (const args of [
    ['--rounds', '0'],
    ['a', 'b'],
    ['--here', 'elsewhere'],
    ['--rows', 'all'],
  ])
    expect(() => parseProcessOptions(args)).toThrow(/give|name|say|see/)
  expect(parseProcessOptions(['/guests']).kernel).toBe('/guests/vmlinuz')
})

test('the page has the part behind that on file systems', () => {
  const page = '# Benchmarks\n\nkernels\n\n## File systems\n\nfiles\n'
  expect(withPart(page, '## Processes', '## Processes\n\nnew')).toBe(`${page}\n## Processes\n\nnew\n`)
})

test('one of two that work by turns fails: what it said is in the error, and the other one is stopped', async () => {
  const args = ['process', '--here', 'programs-process', '--initrd', '/nowhere/initramfs']
  const both = byTurns([
    { what: 'the programs here', args },
    { what: 'the programs there', args },
  ])
  await expect(both).rejects.toThrow(/the programs here[\s\S]*\/nowhere\/initramfs/)
})
