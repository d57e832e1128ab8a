/**
 * Prints a stamp of the recorded vectors in `../shared/vectors` beside the workspace, from names, sizes and times of
 * change. Nx takes it as an input of the cached tests, since it cannot hash files outside the workspace.
 * Plain JavaScript: Nx may start it with any Node.
 */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('../../../shared/vectors/', import.meta.url))

if (existsSync(folder)) {
  const hash = createHash('sha256')
  for (const name of readdirSync(folder, { recursive: true }).sort()) {
    const { size, mtimeMs } = statSync(`${folder}${name}`)
    hash.update(`${name} ${size} ${mtimeMs}\n`)
  }
  console.log(hash.digest('hex'))
} else {
  console.log('absent')
}
