import { expect, it } from 'vitest'
import { mapScratch, programOf, SCRATCH } from '../../test/calls.ts'
import { run } from '../../test/run.ts'

const MAP = 0x2000_0000
const NAME = '/tmp/semaphore\0'

it('shows the data of a file that lost its name and was closed before anybody looked: as semaphores of multiprocessing are', () => {
  const { output, wrong, kernel } = run({
    input: `${NAME}value`,
    files: {
      '/bin/program': programOf([
        mapScratch,
        [3, 0, SCRATCH, 64], // read
        [5, SCRATCH, 0o102, 0o600], // open
        [4, 3, SCRATCH + NAME.length, 5], // write
        [192, MAP, 4096, 1, 0x11, 3, 0], // mmap2, shared
        [10, SCRATCH], // unlink
        [6, 3], // close
        [4, 1, MAP, 5],
      ]),
    },
    args: ['/bin/program'],
    engine: 'interpreter',
  })
  expect(output).toBe('value')
  expect(wrong).toEqual([])
  // With the mapping the file has gone, and its pages.
  expect([...kernel.pageCache.all()].filter(({ size, inode }) => inode?.nlink === 0 && size > 0)).toEqual([])
})
