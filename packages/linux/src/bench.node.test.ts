/** A script of many workloads, with busybox and programs in C: what it prints here is what it prints on this machine. */
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { readCpio } from '@vmexit/boot'
import { describe, expect, it } from 'vitest'
import { compile } from '../test/native.ts'
import { run, type Tree } from '../test/run.ts'

const bench = fileURLToPath(new URL('../../../../shared/bench/', import.meta.url))
const archive = join(homedir(), '.cache/vmexit/guests/busybox/initramfs.gz')
const there = existsSync(archive) && existsSync(join(bench, 'run.sh'))
const reason = ' (skipped: no busybox in the cache of guests, no ../shared/bench, or no gcc that makes i386 programs)'
const PROGRAMS = [
  'sieve',
  'intmix',
  'syscalls',
  'pingpong',
  'mapfault',
  'copy',
  'forks',
  'codegen',
  'gentext',
  'matmul',
]
const SSE = ['-march=pentium4', '-msse2', '-mfpmath=sse', '-DNAME="matmul-sse"']

/** A folder as the script expects it at ROOT, on this machine; undefined where it cannot be made. */
function makeRoot(): string | undefined {
  const root = mkdtempSync(join(tmpdir(), 'vmexit-'))
  for (const name of ['bin', 'bench', 'tmp', 'tree']) mkdirSync(join(root, name))
  for (const [name, more] of [...PROGRAMS.map((one) => [one, []] as const), ['matmul-sse', SSE] as const]) {
    const made = compile(join(bench, `src/${name.replace('-sse', '')}.c`), 'static', ...more)
    if (made === undefined) return undefined
    copyFileSync(made, join(root, 'bench', name))
  }
  for (const entry of readCpio(gunzipSync(readFileSync(archive))))
    if (entry.kind === 'file' && entry.path === 'bin/busybox') writeFileSync(join(root, entry.path), entry.bytes)
  chmodSync(join(root, 'bin/busybox'), 0o755)
  symlinkSync('busybox', join(root, 'bin/true'))
  for (let d = 1; d <= 40; d++) {
    mkdirSync(join(root, `tree/d${d}/sub`), { recursive: true })
    for (let f = 1; f <= 25; f++) {
      writeFileSync(join(root, `tree/d${d}/file${f}`), '')
      writeFileSync(join(root, `tree/d${d}/sub/leaf${f}`), '')
    }
  }
  copyFileSync(join(bench, 'run.sh'), join(root, 'bench/run.sh'))
  return root
}

/** The same in a kernel, under the same path. */
function filesOf(root: string): Tree {
  const files: Record<string, Tree[string]> = {}
  for (const name of [...PROGRAMS, 'matmul-sse', 'run.sh'].map((one) => `bench/${one}`).concat('bin/busybox'))
    files[join(root, name)] = readFileSync(join(root, name))
  files[join(root, 'bin/true')] = { link: 'busybox' }
  files[join(root, 'tmp/zeros')] = new Uint8Array()
  for (let d = 1; d <= 40; d++)
    for (let f = 1; f <= 25; f++)
      for (const name of [`file${f}`, `sub/leaf${f}`]) files[join(root, `tree/d${d}/${name}`)] = new Uint8Array()
  return files
}

const masked = (text: string): string => text.replace(/ns=\d+/g, 'ns=').replace(/ns\/op=[\d.]+/g, 'ns/op=')
const root = there ? makeRoot() : undefined

describe.skipIf(root === undefined)(`the table of workloads${root === undefined ? reason : ''}`, () => {
  it('prints what it prints on this machine', () => {
    const args = [`${root}/bin/busybox`, 'sh', '-c', `exec 2>&1; . ${root}/bench/run.sh`]
    const env = { PATH: '/bin', ROOT: root! }
    const expected = spawnSync(args[0]!, args.slice(1), { env, encoding: 'latin1' })
    // A kernel that runs no i386 programs.
    if (expected.status === null) return
    const { output, status, wrong } = run({
      files: filesOf(root!),
      args,
      env,
      engine: 'jit',
      memory: '256 MiB',
      most: 5e10,
    })
    expect(masked(output)).toBe(masked(expected.stdout))
    expect(status).toBe(0)
    expect(wrong).toEqual([])
  }, 240_000)
})
