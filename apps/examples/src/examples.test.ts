/** Each example prints what its text file has, to the digit, and stays short enough to be read at once. */
import { execFile } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const names = globSync('*.ts', { cwd: import.meta.dirname })
  .filter((name) => !name.includes('.test'))
  .map((name) => name.replace(/\.ts$/, ''))
const text = (file: string) => readFileSync(join(import.meta.dirname, file), 'utf8')

test.concurrent.each(names)('%s.ts prints what is in its text file', async (name) => {
  const file = join(import.meta.dirname, `${name}.ts`)
  const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=@vmexit/source', file])
  expect(stdout).toBe(text(`${name}.txt`))
})

test('each is under a hundred lines, and is in the README', () => {
  const readme = text('../README.md')
  for (const name of names) {
    expect(text(`${name}.ts`).split('\n').length).toBeLessThan(100)
    expect(readme).toContain(`src/${name}.ts`)
  }
})
