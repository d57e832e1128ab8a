import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const folder = fileURLToPath(new URL('../guest/', import.meta.url))

/** Why the image cannot be built here, if so: other versions of the compiler give other code. */
function obstacle(): string | undefined {
  try {
    const version = execFileSync('gcc', ['-dumpfullversion'], { encoding: 'utf8' }).trim()
    if (version.startsWith('12.2.') && process.arch === 'x64') return undefined
    return `the image was built with gcc 12.2 for x86-64, here is ${version} for ${process.arch}`
  } catch {
    return 'there is no gcc'
  }
}

describe('the image of the guest', () => {
  const reason = obstacle()
  it.skipIf(reason !== undefined)(`is what its sources give${reason === undefined ? '' : ` (${reason})`}`, () => {
    const out = mkdtempSync(join(tmpdir(), 'guest-'))
    try {
      execFileSync('sh', [join(folder, 'build.sh'), out])
      expect(readFileSync(join(out, 'demo.bin')).equals(readFileSync(join(folder, 'demo.bin')))).toBe(true)
    } finally {
      rmSync(out, { recursive: true })
    }
  })
})
