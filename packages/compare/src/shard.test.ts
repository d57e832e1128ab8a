import { pentium4 } from '@vmexit/core'
import { expect, test } from 'vitest'
import { kernel, technique, workload } from '../test/made.ts'
import { type Comparison, compare, mergeComparisons, parseComparison, parseShard } from './index.ts'

const all = {
  workloads: [workload('a'), workload('b')],
  techniques: [
    technique('x', { instructions: 30 }),
    technique('native', { instructions: 20 }),
    technique('y', { 'vm-exits-io': 1 }),
  ],
  kernel,
  profile: pentium4,
}
const shard = (text: string) => compare({ ...all, shard: parseShard(text) })
/** As it is after a way through a file. */
const filed = (comparison: Comparison) => parseComparison(JSON.stringify(comparison), 'a file')

test('shards merge to what one machine would have measured, in whatever order they come', async () => {
  const whole = await compare(all)
  const parts = [await shard('2/2'), await shard('1/2')].map(filed)
  expect(parts[0]).toMatchObject({ partial: 'shard 2/2', cells: [{ technique: 'native' }, { technique: 'native' }] })
  expect(parts[1]?.cells[0]).toMatchObject({ technique: 'x' })
  expect(filed(mergeComparisons(parts))).toEqual(filed(whole))
  expect(await shard('1/1')).toEqual(whole)
})

test('what is missing stays missing, and is said', async () => {
  const merged = mergeComparisons([await shard('1/3'), await shard('2/3')])
  expect(merged.partial).toBe('shard 1/3, shard 2/3')
  expect(merged.cells).toHaveLength(4)
  expect(merged.cells[0]?.ratio).toBe(1.5)
})

test('only parts of one comparison merge, and they must agree', async () => {
  const [one, two] = [await shard('1/2'), await shard('2/2')]
  expect(() => mergeComparisons([])).toThrow('cannot be merged: nothing is given: name the files of all shards')
  expect(() => mergeComparisons([one, { ...two, kernel: 'other' }])).toThrow('part 2 has another kernel than part 1')
  const changed = one.cells.map((cell) => ({ ...cell, events: { instructions: 31 } }))
  expect(() => mergeComparisons([one, { ...one, cells: changed }])).toThrow('different counts of a under x')
})

test.each(['0/3', '4/3', '1', '1/0', '-1/2', '1/2/3', 'a/b'])('%s is no shard', (text) => {
  expect(() => parseShard(text)).toThrow(`'${text}' is no shard: write I/N`)
})

test('more shards than columns are refused: a column cannot be divided', async () => {
  await expect(shard('4/4')).rejects.toThrow('there are 4 shards, and 3 techniques to share among them')
})
