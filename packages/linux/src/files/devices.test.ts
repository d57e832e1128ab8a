import { expect, it } from 'vitest'
import { mapScratch, programOf, SCRATCH } from '../../test/calls.ts'
import { run } from '../../test/run.ts'

const WILD = 0x1000

it.each([
  ['/dev/urandom', -14],
  // It looks at nothing: Linux says so too.
  ['/dev/zero', 8192],
])('a write to %s from a wild address answers %i', (path, expected) => {
  const answers: (number | undefined)[] = []
  run({
    input: `${path}\0`,
    files: { '/bin/program': programOf([mapScratch, [3, 0, SCRATCH, 100], [5, SCRATCH, 1], [4, 3, WILD, 8192]]) },
    args: ['/bin/program'],
    engine: 'interpreter',
    observe: (number, answer) => {
      if (number === 4) answers.push(answer)
    },
  })
  expect(answers).toEqual([expected])
})
