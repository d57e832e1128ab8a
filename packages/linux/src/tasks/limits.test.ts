import { expect, it } from 'vitest'
import { mapScratch, programOf, SCRATCH } from '../../test/calls.ts'
import { kernelWith, run } from '../../test/run.ts'
import { applyLimit } from './apply-limit.ts'
import { Limit } from './limits.ts'

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

it('limits the process that it is meant for, and nothing of whoever sets it', () => {
  const kernel = kernelWith({ engine: 'interpreter' }, { '/bin/program': programOf([mapScratch]) })
  const [mine, other] = [1, 2].map(() => kernel.spawn({ path: '/bin/program', args: ['program'] }))
  const before = [mine!.leader.context.fileSizeLimit, mine!.leader.space.dataLimit, mine!.cpuTimers]
  applyLimit(other!, Limit.FSIZE, 1000, 2000)
  applyLimit(other!, Limit.DATA, 8192, 8192)
  applyLimit(other!, Limit.CPU, 1, 1)
  expect([other!.leader.context.fileSizeLimit, other!.leader.space.dataLimit]).toEqual([1000, 2])
  expect(other!.cpuTimers).toBeDefined()
  expect([mine!.leader.context.fileSizeLimit, mine!.leader.space.dataLimit, mine!.cpuTimers]).toEqual(before)
})
