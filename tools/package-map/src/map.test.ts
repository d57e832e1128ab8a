import type { Member } from '@vmexit-tools/workspace'
import { expect, test } from 'vitest'
import { mapPage, readmeTable, replaceBetweenMarks } from './map.ts'

const member = (folder: string, dependencies: Record<string, string>): Member => ({
  top: 'packages',
  folder,
  path: `/w/${folder}`,
  manifest: { name: `@vmexit/${folder}`, description: `The ${folder}`, dependencies, vmexit: { alone: `a ${folder}` } },
})
const members = [member('x86', { '@vmexit/core': '', memfs: '' }), member('core', {}), member('unknown', {})]

test('packages stand in the order of their floors; one without a floor is left to the floor check', () => {
  expect(readmeTable(members).split('\n').slice(2)).toEqual([
    '| [@vmexit/core](packages/core/README.md) | The core | a core |',
    '| [@vmexit/x86](packages/x86/README.md) | The x86 | a x86 |',
  ])
})

test('the map says what each depends on', () => {
  expect(mapPage(members)).toContain('| 2 | [@vmexit/x86](../../packages/x86/README.md) | The x86 | core, memfs | no |')
})

test('only what stands between the marks is replaced, and a second time changes nothing', () => {
  const text = 'a\n<!-- packages: written by `npx -y pnpm@12 package-map` -->\nold\n<!-- /packages -->\nb\n'
  const once = replaceBetweenMarks(text, 'new')
  expect(once).toBe(text.replace('old', 'new'))
  expect(replaceBetweenMarks(once, 'new')).toBe(once)
  expect(() => replaceBetweenMarks('no marks', 'new')).toThrow('README.md has no place')
})
