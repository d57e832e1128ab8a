import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { pages } from './pages.ts'
import { files, folder, run } from './write.ts'

test('numbers and figures of docs/concepts are what runs give today; else write them anew with tools/concepts', {
  timeout: 400_000,
}, async () => {
  for (const [name, text] of files(await run())) {
    const path = join(folder, name)
    expect(existsSync(path) ? readFileSync(path, 'utf8') : '', name).toBe(text)
  }
})

test('every page has a figure that it shows, and stands in the list', () => {
  const list = readFileSync(join(folder, 'README.md'), 'utf8')
  const there = readdirSync(folder).filter((name) => name.endsWith('.md') && name !== 'README.md')
  expect(there.sort()).toEqual(
    Object.keys(pages)
      .map((name) => `${name}.md`)
      .sort(),
  )
  for (const name of Object.keys(pages)) {
    expect(readFileSync(join(folder, `${name}.md`), 'utf8')).toContain(`](figures/${name}.svg)`)
    expect(list).toContain(`](${name}.md)`)
  }
})
