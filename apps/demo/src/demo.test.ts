import { comparisonText } from '@vmexit/compare'
import { expect, it } from 'vitest'
import { demoComparison } from './demo.ts'
import { sentences } from './sentences.ts'
import { wrapped } from './wrapped.ts'

it('says what one sees with the figures of its tables, and the same each time', async () => {
  const comparison = await demoComparison()
  const text = sentences(comparison).join('\n')
  expect(text).not.toMatch(/NaN|undefined/)
  expect(text).toContain('0 exits under VT-x with shadow paging, 0 with nested paging')
  expect(text).toContain('14 memory references a walk instead of 2 (11 with pages of 2 MiB)')
  expect(text).toMatch(/2 exits for a changed entry, 2 for a round trip .* \d+ for a fork/)
  expect(text).toMatch(/takes 0 exits for the same fork/)
  const again = await demoComparison()
  expect(again).toEqual(comparison)
  for (const line of comparisonText(comparison).split('\n')) expect(line.length).toBeLessThanOrEqual(100)
})

it('breaks lines at spaces', () => {
  expect(wrapped('one two three', 7)).toBe('one two\nthree')
})
