import { expect, it } from 'vitest'
import { otherNames } from './names.ts'
import { i386 } from './table.ts'

it('names no call that is in the table', () => {
  expect(otherNames.filter(([number]) => i386.rows[number] !== undefined)).toEqual([])
})
