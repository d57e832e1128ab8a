/** Debian finds the card and counts its interrupts: skipped where `vmexit guests linux-686 pciutils` has not been run. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'vmexit', 'guests')
const files = ['linux-686/vmlinuz', 'linux-686/initramfs.gz', 'pciutils/pciutils.gz'].map((file) => join(cache, file))
const missing = files.find((file) => !existsSync(file))

test.skipIf(missing !== undefined)(
  missing === undefined ? 'lspci shows the card, and /proc/interrupts counts its beats' : `skipped: no ${missing}`,
  { timeout: 300_000 },
  async () => {
    const main = join(import.meta.dirname, 'main.ts')
    const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=@vmexit/source', main, ...files])
    expect(stdout).toMatch(/^00:03\.0 System peripheral \[0880\]: .*\[1234:0be7\]$/m)
    const [, count] = /^ *\d+: +(\d+) .*uio_pci_generic$/m.exec(stdout) ?? []
    expect(Number(count)).toBeGreaterThanOrEqual(5)
  },
)
