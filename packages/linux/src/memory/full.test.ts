import { expect, it } from 'vitest'
import { type Call, mapScratch, programOf, SCRATCH } from '../../test/calls.ts'
import { run } from '../../test/run.ts'

const MAP = 0x2000_0000
const PAGE = 4096
const STRINGS = ['/tmp/m\0', 'tmpfs\0', 'size=8k\0', '/tmp/m/file\0']
const TEXT = STRINGS.join('')
const EFAULT = -14

it('refuses stores through a mapping for which a file system has no room', () => {
  const found: (number | undefined)[] = []
  const [place, kind, options, file] = STRINGS.map((each) => SCRATCH + TEXT.indexOf(each)) as [
    ...[number, number, number, number],
  ]
  const { wrong } = run({
    input: `${TEXT}abcd`,
    files: {
      '/bin/program': programOf([
        ...[mapScratch, [3, 0, SCRATCH, TEXT.length]],
        ...[
          [39, place, 0o755], // mkdir
          [21, kind, place, kind, 0, options], // mount
          [5, file, 0o102, 0o600], // open
          [93, 3, 16 * PAGE], // ftruncate
          [192, MAP, 16 * PAGE, 3, 0x11, 3, 0], // mmap2, shared
        ],
        ...[2, 5, 7, 2].map((page) => [3, 0, MAP + page * PAGE, 1]), // read
      ] as Call[]),
    },
    args: ['/bin/program'],
    engine: 'interpreter',
    observe: (_number, answer) => found.push(answer),
  })
  expect(found.slice(2, 11)).toEqual([0, 0, 3, 0, MAP, 1, 1, EFAULT, 1])
  expect(wrong).toEqual([])
})
