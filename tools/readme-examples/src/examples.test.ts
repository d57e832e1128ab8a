import { expect, test } from 'vitest'
import { examplesOf } from './examples.ts'

test('a ts block is found, and its lines keep their numbers', () => {
  const [example, ...others] = examplesOf('# Title\n\n```ts\nconst a = 1\n```\n')
  expect(others).toEqual([])
  expect(example).toMatchObject({ line: 3, runs: true })
  expect(example!.text.split('\n')[3]).toBe('const a = 1')
})

test('blocks of other languages are left alone, and so is a fence within a longer fence', () => {
  expect(examplesOf('```sh\nls\n```\n````md\n```ts\n1\n```\n````\n')).toEqual([])
})

test('"no-run" marks a block that is only type-checked', () => {
  expect(examplesOf('```ts no-run\n1\n```')[0]!.runs).toBe(false)
})

test('a block that is never closed is an error that names the line', () => {
  expect(() => examplesOf('\n```ts\n1')).toThrow('line 2')
})
