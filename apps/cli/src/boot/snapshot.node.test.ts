/** Saved in the middle of a boot and restored in a fresh process: skipped where `vmexit guests` has fetched no kernel. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { missing } from '../../test/session.ts'
import { findGuests } from '../guests/index.ts'

const { 'linux-686': linux } = findGuests()

/** Runs `vmexit boot` with --json, and returns the object it printed. */
async function boot(...flags: string[]) {
  const main = join(import.meta.dirname, '..', 'main.ts')
  const command = ['--conditions=@vmexit/source', main, 'boot', 'linux-686', '--json', '--idle', 'skip', ...flags]
  const child = promisify(execFile)(process.execPath, command, { maxBuffer: 1 << 26 })
  child.child.stdin!.end()
  return JSON.parse((await child).stdout) as { reason: string; console: string; counts: Record<string, number> }
}

test.skipIf(linux === undefined)(
  linux === undefined ? missing('linux-686') : 'the counts at the end are those of the uninterrupted run',
  { timeout: 600_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'vmexit-snapshot-'))
    try {
      const state = join(folder, 'middle.state')
      const flags = ['--append', 'cryptomgr.notests -- sh -c "dmesg | md5sum"']
      const whole = await boot(...flags)
      const first = await boot(...flags, '--until', '26', '--save', state)
      const second = await boot(...flags, '--restore', state)
      expect([first.reason, second.reason, whole.reason]).toEqual(['limit', 'off', 'off'])
      expect(first.console + second.console).toBe(whole.console)
      expect(second.counts).toEqual(whole.counts)
      expect(second.counts.instructions! - first.counts.instructions!).toBeGreaterThan(100e6)
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
)
