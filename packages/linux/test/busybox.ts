/** Debian's static busybox, as `vmexit guests` fetches it. */
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { readCpio } from '@vmexit/boot'
import type { Tree } from './run.ts'

const archive = join(homedir(), '.cache/vmexit/guests/busybox/initramfs.gz')
export const isBusyboxThere: boolean = existsSync(archive)
export const WHY_NOT = ' (skipped: `vmexit guests` has not fetched it)'

/** Its files, by path. */
export function busybox(): Tree {
  const entries = readCpio(gunzipSync(readFileSync(archive)))
  const files: Record<string, Tree[string]> = {}
  for (const entry of entries) {
    if (entry.kind === 'file') files[`/${entry.path}`] = entry.bytes
    else if (entry.kind === 'symlink') files[`/${entry.path}`] = { link: entry.target }
  }
  return files
}
