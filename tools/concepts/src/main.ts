/** Writes the numbers and figures of docs/concepts. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { files, folder, run } from './write.ts'

for (const [name, text] of files(await run())) {
  mkdirSync(dirname(join(folder, name)), { recursive: true })
  writeFileSync(join(folder, name), text)
}
