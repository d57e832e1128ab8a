/** Builds the test programs and packs them: what `test/kernel.node.test.ts` boots. Needs gcc with -m32. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { writeCpio } from '@vmexit/vmexit'

const folder = mkdtempSync(join(tmpdir(), 'kernel-tests-'))
execFileSync(join(import.meta.dirname, 'build.sh'), [folder], { stdio: 'inherit' })
const entries = readdirSync(folder)
  .toSorted()
  .map((name) => ({
    kind: 'file' as const,
    path: name === 'init' ? 'init' : `tests/${name}`,
    mode: 0o755,
    bytes: new Uint8Array(readFileSync(join(folder, name))),
  }))
writeFileSync(join(import.meta.dirname, '../../test/kernel-tests.cpio.gz'), gzipSync(writeCpio(entries), { level: 9 }))
rmSync(folder, { recursive: true })
