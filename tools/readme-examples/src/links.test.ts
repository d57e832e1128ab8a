import { expect, test } from 'vitest'
import { relativeLinks } from './links.ts'

test('links to files are found, without their anchors', () => {
  expect(relativeLinks('[a](b.md) and [c](../d/e.md#f)')).toEqual(['b.md', '../d/e.md'])
})

test('links to elsewhere, to the same file and within code are left alone', () => {
  expect(relativeLinks('[a](https://example.org) [b](#c) `[d](e)`\n```md\n[f](g)\n```\n')).toEqual([])
})
