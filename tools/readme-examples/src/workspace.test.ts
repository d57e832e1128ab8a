/**
 * Every ```ts block of a README or of the docs runs as it stands, from source, and has no type errors; every link to a
 * file leads to one. A package's own examples run in its folder, with what it declares; those of the root README and of
 * `docs` may import all packages.
 */
import { execFile } from 'node:child_process'
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { promisify } from 'node:util'
import { workspaceMembers, workspaceRoot } from '@vmexit-tools/workspace'
import { expect, test } from 'vitest'
import { examplesOf } from './examples.ts'
import { relativeLinks } from './links.ts'

const run = promisify(execFile)
const everything = join(import.meta.dirname, '..')

/** Each README and page of the docs, and the folder whose dependencies they may import. */
const documents = [
  ...workspaceMembers().map(({ path }) => ({ path: join(path, 'README.md'), folder: path })),
  ...['README.md', ...globSync('docs/**/*.md', { cwd: workspaceRoot })].map((name) => ({
    path: join(workspaceRoot, name),
    folder: everything,
  })),
].filter(({ path }) => existsSync(path))

for (const { folder } of documents) rmSync(join(folder, '.readme'), { recursive: true, force: true })

const examples = documents.flatMap(({ path, folder }) => {
  const name = relative(workspaceRoot, path)
  return examplesOf(readFileSync(path, 'utf8')).map(({ line, runs, text }) => {
    const file = join(folder, '.readme', `${name.replaceAll(/[\\/]/g, '-').replace(/\.md$/, '')}-${line}.ts`)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
    return { title: `${name}:${line}`, file, runs }
  })
})

for (const { title, file, runs } of examples) {
  if (!runs) continue
  test.concurrent(`${title} runs`, async () => {
    await run(process.execPath, ['--conditions=@vmexit/source', file], { cwd: dirname(dirname(file)), timeout: 60_000 })
  })
}

test('the examples have no type errors', async () => {
  const config = join(everything, '.readme', 'tsconfig.json')
  mkdirSync(dirname(config), { recursive: true })
  const include = examples.map(({ file }) => file)
  writeFileSync(config, JSON.stringify({ extends: '../../../tsconfig.test.json', files: include }))
  const tsc = join(workspaceRoot, 'node_modules/typescript/bin/tsc')
  const { stdout } = await run(process.execPath, [tsc, '-p', config]).catch((error: { stdout: string }) => error)
  // Errors in the packages themselves are for the check "types" to find.
  const elsewhere = /packages\/[^/]+\/(src|test)\//
  expect(stdout.split('\n').filter((line) => line.includes('error TS') && !elsewhere.test(line))).toEqual([])
})

test('every link to a file leads to one', () => {
  const broken = documents.flatMap(({ path }) =>
    relativeLinks(readFileSync(path, 'utf8'))
      .filter((target) => !existsSync(join(dirname(path), target)))
      .map((target) => `${relative(workspaceRoot, path)}: ${target}`),
  )
  expect(broken).toEqual([])
})

test('every published package has a README with an example', () => {
  const bare = workspaceMembers()
    .filter(
      ({ top, folder }) => top === 'packages' && !examples.some(({ title }) => title.startsWith(`packages/${folder}/`)),
    )
    .map(({ folder }) => folder)
  expect(bare).toEqual([])
})
