/**
 * Prints a stamp of what tests use from outside the workspace, from names, sizes and times of change: the recorded vectors
 * in `../shared/vectors` beside it, and the guests that `vmexit guests` has fetched. Nx takes it as an input of the
 * cached tests, since it cannot hash files there. Plain JavaScript: Nx may start it with any Node.
 */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const vectors = fileURLToPath(new URL('../../../shared/vectors/', import.meta.url))
const guests = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'vmexit', 'guests')

/** Every file below the folder, and of a guest what says what it is made of. */
function stamp(folder, isPartOf = () => true) {
  if (!existsSync(folder)) return 'absent'
  const hash = createHash('sha256')
  for (const name of readdirSync(folder, { recursive: true }).filter(isPartOf).sort()) {
    const { size, mtimeMs } = statSync(join(folder, name))
    hash.update(`${name} ${size} ${mtimeMs}\n`)
  }
  return hash.digest('hex')
}

console.log(
  stamp(vectors),
  stamp(guests, (name) => name.endsWith('guest.json')),
)
