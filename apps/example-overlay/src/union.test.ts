import { expect, test } from 'vitest'
import { expected } from './expected.ts'
import { unionOfVolumes } from './union.ts'

test('what is changed in the view is in the second volume alone', async () => {
  expect(await unionOfVolumes()).toEqual(expected)
})
