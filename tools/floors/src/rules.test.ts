import type { Manifest, Member, SourceFile, Top } from '@vmexit-tools/workspace'
import { expect, test } from 'vitest'
import { check, type House } from './rules.ts'

function house(name: string, manifest: Partial<Manifest>, files: Record<string, string>, top: Top = 'packages'): House {
  const folder = name.replace(/.*\//, '')
  const member: Member = {
    top,
    folder,
    path: `/w/${folder}`,
    manifest: { name, exports: { '.': {} }, vmexit: { browser: true }, ...manifest },
  }
  const source = ([path, text]: [string, string]): SourceFile => ({
    member,
    name: path,
    kind: path.includes('.test') ? 'test' : 'source',
    text,
  })
  return { member, files: Object.entries(files).map(source) }
}

const core = house('@vmexit/core', {}, {})
const breaches = (...houses: House[]) =>
  check(houses, new Set(['vitest'])).map(({ where, what }) => `${where}: ${what}`)

test('an import of a declared package below is fine; an undeclared one and one above are not', () => {
  const memory = (dependencies: Record<string, string>) =>
    house('@vmexit/memory', { dependencies }, { 'src/index.ts': "import { a } from '@vmexit/core'" })
  expect(breaches(core, memory({ '@vmexit/core': 'workspace:*' }))).toEqual([])
  expect(breaches(core, memory({}))).toEqual([
    'packages/memory/src/index.ts:1: @vmexit/core is not a dependency of @vmexit/memory',
  ])
  const upward = house('@vmexit/core', { dependencies: { '@vmexit/memory': 'workspace:*' } }, {})
  expect(breaches(upward, memory({}))[0]).toBe(
    'packages/core/package.json: @vmexit/core (floor 0) depends on @vmexit/memory (floor 1)',
  )
})

test('a package without a floor is told where to get one', () => {
  expect(breaches(house('@vmexit/novelty', {}, {}))).toEqual([
    'packages/novelty/package.json: @vmexit/novelty stands on no floor',
  ])
})

test('packages are entered through their exports only', () => {
  const deep = "import '@vmexit/core/src/clock.ts'; import '../../core/src/clock.ts'"
  const memory = house('@vmexit/memory', { dependencies: { '@vmexit/core': '' } }, { 'src/index.ts': deep })
  expect(breaches(core, memory)).toEqual([
    'packages/memory/src/index.ts:1: @vmexit/core does not export "@vmexit/core/src/clock.ts"',
    'packages/memory/src/index.ts:1: "../../core/src/clock.ts" leaves the package\'s folder',
  ])
})

test('tests may run the suites of a package below, from its folder of tests', () => {
  const suite = "import '../../core/test/suite.ts'"
  const memory = (dependencies: Record<string, string>, file: string) =>
    house('@vmexit/memory', { dependencies }, { [file]: suite })
  expect(breaches(core, memory({ '@vmexit/core': '' }, 'src/a.test.ts'))).toEqual([])
  expect(breaches(core, memory({ '@vmexit/core': '' }, 'src/a.ts'))).toHaveLength(1)
  expect(breaches(core, memory({}, 'src/a.test.ts'))).toHaveLength(1)
})

test('node: and the host’s time stay out of packages, except in the adapter ./node, tests and apps', () => {
  const text = "import 'node:fs'; Date.now()"
  const files = { 'src/a.ts': text, 'src/node/a.ts': text, 'src/a.node.test.ts': text }
  expect(breaches(house('@vmexit/core', {}, files))).toEqual([
    'packages/core/src/a.ts:1: node:fs below apps',
    'packages/core/src/a.ts:1: Date.now below apps',
  ])
  expect(breaches(house('@vmexit/cli', {}, { 'src/a.ts': text }, 'apps'))).toEqual([])
})

test('a test that also runs in Chromium says by its name that it cannot', () => {
  const files = { 'src/a.test.ts': "import 'node:fs'; import { test } from 'vitest'" }
  expect(breaches(house('@vmexit/core', {}, files))).toEqual([
    'packages/core/src/a.test.ts:1: node:fs in a test that also runs in Chromium',
  ])
  expect(breaches(house('@vmexit/core', { vmexit: {} }, files))).toEqual([])
})

test('circles of files and of packages are found', () => {
  const files = { 'src/a.ts': "import './b.ts'", 'src/b.ts': "import type { A } from './a.ts'" }
  expect(breaches(house('@vmexit/core', {}, files))).toEqual([
    'packages/core: these files import each other in a circle: src/a.ts, src/b.ts',
  ])
  const testing = house('@vmexit/core', { devDependencies: { '@vmexit/memory': '' } }, {})
  const memory = house('@vmexit/memory', { dependencies: { '@vmexit/core': '' } }, {})
  expect(breaches(testing, memory)).toEqual([
    'package.json: these packages depend on each other in a circle: @vmexit/core, @vmexit/memory',
  ])
})
