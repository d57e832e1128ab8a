import { expect, it } from 'vitest'
import { mapScratch, programOf, SCRATCH } from '../../test/calls.ts'
import { run } from '../../test/run.ts'

it('takes a limit just below infinity as a large one: the next mapping still succeeds', () => {
  const answers: (number | undefined)[] = []
  const { wrong } = run({
    // One byte: the lowest of the soft limit, in place of 255. In UTF-8 that is no text, so it is the first byte of one that is.
    input: '\u00e9',
    files: {
      '/bin/program': programOf([
        mapScratch,
        [340, 0, 9, 0, SCRATCH],
        [3, 0, SCRATCH, 1],
        [340, 0, 9, SCRATCH, 0],
        [192, 0, 4096, 3, 0x22, -1, 0],
      ]),
    },
    args: ['/bin/program'],
    engine: 'interpreter',
    observe: (number, answer) => {
      if (number === 340 || number === 192) answers.push(answer)
    },
  })
  expect(answers[1]).toBe(0)
  expect(answers[2]).toBe(0)
  expect(answers[3]).toBeGreaterThan(0)
  expect(wrong).toEqual([])
})
