/** Debian's static busybox, as `vmexit guests` fetches it. */
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { readCpio } from '@vmexit/boot'
import { type RunOptions, type RunResult, run, type Tree } from './run.ts'

const archive = join(homedir(), '.cache/vmexit/guests/busybox/initramfs.gz')
let known: Tree | undefined

/** Its files, by path; undefined where it has not been fetched. */
export function busybox(): Tree | undefined {
  if (known !== undefined || !existsSync(archive)) return known
  const files: Record<string, Tree[string]> = {}
  for (const entry of readCpio(gunzipSync(readFileSync(archive)))) {
    if (entry.kind === 'file') files[`/${entry.path}`] = entry.bytes
    else if (entry.kind === 'symlink') files[`/${entry.path}`] = { link: entry.target }
  }
  known = files
  return files
}

/** Runs a script of its shell. */
export function shell(script: string, options: Partial<RunOptions> = {}): RunResult {
  const { files = {}, ...rest } = options
  return run({ args: ['/bin/busybox', 'sh', '-c', script], engine: 'jit', ...rest, files: { ...busybox(), ...files } })
}
