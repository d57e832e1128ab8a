import { expect, test } from 'vitest'
import { withPart } from '../docs.ts'
import type { IdleSample } from './idle.ts'
import { parseContainerOptions } from './options.ts'
import { type ContainerSamples, judgeContainers, startTable } from './results.ts'
import type { StartTimes } from './start.ts'
import { WORK } from './work.ts'

const start = (library: number): StartTimes => ({
  library,
  libraryCpu: 1,
  first: 100,
  command: 300,
  runc: 40,
  unshare: 5,
})
const idle = (peak: number): IdleSample => ({ peak, before: 100, charged: 170_000, cpu: 5 })
const work = (cpu: number, instructions = 10, output = 'x') =>
  Object.fromEntries(
    WORK.map(({ title }) => [
      title,
      {
        container: { cpu, instructions, output },
        process: { cpu: 100, instructions: 10, output: 'x' },
        tmpfs: { cpu: 90, instructions: 11, output: 'x' },
      },
    ]),
  )
const samples: ContainerSamples = {
  starts: [5, 50, 6].map((library) => ({ busybox: start(library) })),
  idle: { sh: [idle(400)], sleep: [idle(400)] },
  work: [work(104), work(105), work(500)],
}
const missed = (some: Partial<ContainerSamples>): string[] =>
  judgeContainers({ ...samples, ...some })
    .filter(({ holds }) => !holds)
    .map(({ title }) => title)

test('medians over rounds are held against the bars, and an image that is not there is left out', () => {
  expect(missed({})).toEqual([])
  expect(startTable(samples).map((row) => row.slice(0, 2))).toEqual([
    ['ms', 'createContainer'],
    ['busybox', '6.0'],
  ])
  expect(missed({ starts: [{ busybox: start(41), debian: start(1) }] })).toEqual([
    'start, busybox: createContainer / runc',
  ])
  expect(missed({ idle: { sh: [idle(960)], sleep: [idle(2)] } })).toEqual(['MiB of 500 that wait in sh'])
  expect(missed({ work: [work(120)] })).toEqual(
    WORK.filter(({ bar }) => bar < 1.2).map(({ title }) => `${title}, container / process`),
  )
})

test('one instruction more is a bar that is missed, and so is another output', () => {
  const title = 'scripts with other instructions, or another output, than the bare process'
  expect(missed({ work: [work(100, 10), work(100, 11)] })).toEqual([title])
  expect(missed({ work: [work(100, 10, 'y')] })).toEqual([title])
})

test('options that mean nothing are refused with what to say instead', () => {
  for (const args of [['--rounds', '0'], ['a'], ['--here', 'elsewhere'], ['--files', '1']])
    expect(() => parseContainerOptions(args)).toThrow(/give|name|say|see/)
  expect(parseContainerOptions(['--debian', 'x', '--rounds', '2'])).toMatchObject({ debian: 'x', rounds: 2 })
})

test('the page has the part behind that on processes', () => {
  const page = '# Benchmarks\n\nkernels\n\n## Processes\n\nprograms\n'
  expect(withPart(page, '## Containers', '## Containers\n\nnew')).toBe(`${page}\n## Containers\n\nnew\n`)
})
