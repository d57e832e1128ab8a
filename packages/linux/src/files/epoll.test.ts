import { expect, it } from 'vitest'
import { mapScratch, programOf, SCRATCH } from '../../test/calls.ts'
import { run } from '../../test/run.ts'

it('refuses EPOLLEXCLUSIVE for an epoll in an epoll, as epoll_ctl(2) says', () => {
  const answers: (number | undefined)[] = []
  const { wrong } = run({
    // EPOLLIN and EPOLLEXCLUSIVE, then EPOLLIN alone: the first word of two `struct epoll_event`.
    input: new Uint8Array([1, 0, 0, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
    files: {
      '/bin/program': programOf([
        mapScratch,
        [3, 0, SCRATCH, 24],
        // epoll_create1(2) twice: descriptors 3 and 4.
        [329, 0],
        [329, 0],
        [255, 3, 1, 4, SCRATCH],
        [255, 3, 1, 4, SCRATCH + 12],
      ]),
    },
    args: ['/bin/program'],
    engine: 'interpreter',
    observe: (number, answer) => {
      if (number === 329 || number === 255) answers.push(answer)
    },
  })
  expect(answers).toEqual([3, 4, -22, 0])
  expect(wrong).toEqual([])
})
