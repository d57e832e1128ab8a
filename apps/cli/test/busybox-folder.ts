/** Debian's static busybox in a folder: the root of a bundle, or what an image is made of. */
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { readCpio } from '@vmexit/boot'

const archive = join(homedir(), '.cache/vmexit/guests/busybox/initramfs.gz')
export const isBusyboxThere: boolean = existsSync(archive)
export const WHY_NOT = ' (skipped: `vmexit guests` has not fetched busybox)'

/** Makes /bin, /etc and /tmp below a folder. */
export function busyboxFolder(folder: string): void {
  for (const name of ['bin', 'etc', 'tmp', 'root']) mkdirSync(join(folder, name), { recursive: true })
  for (const entry of readCpio(gunzipSync(readFileSync(archive)))) {
    if (!entry.path.startsWith('bin/')) continue
    const path = join(folder, entry.path)
    if (entry.kind === 'file') writeFileSync(path, entry.bytes, { mode: 0o755 })
    else if (entry.kind === 'symlink') symlinkSync(entry.target, path)
  }
  writeFileSync(join(folder, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n')
}
