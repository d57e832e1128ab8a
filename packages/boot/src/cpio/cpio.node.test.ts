import { execFileSync, spawnSync } from 'node:child_process'
import { lstatSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { CpioEntry } from './entry.ts'
import { readCpio } from './read.ts'
import { writeCpio } from './write.ts'

const installed = spawnSync('cpio', ['--version']).status === 0
const folder = mkdtempSync(join(tmpdir(), 'vmexit-cpio-'))
afterAll(() => rmSync(folder, { recursive: true }))
const text = (value: string) => new TextEncoder().encode(value)

const entries: readonly CpioEntry[] = [
  { kind: 'file', path: 'bin/busybox', mode: 0o755, bytes: text('program') },
  { kind: 'link', path: 'bin/sh', target: 'bin/busybox' },
  { kind: 'symlink', path: 'init', target: 'bin/sh' },
  { kind: 'file', path: 'etc/secret', mode: 0o600, mtime: 1_000_000_000, bytes: text('x'.repeat(1001)) },
]

test.skipIf(!installed)('cpio lists and unpacks our archives (skipped where cpio is not installed)', () => {
  const input = writeCpio([...entries, { kind: 'character', path: 'dev/console', mode: 0o600, major: 5, minor: 1 }])
  const list = execFileSync('cpio', ['-itv', '--quiet', '--numeric-uid-gid'], {
    input,
    env: { TZ: 'UTC', LC_ALL: 'C' },
  })
  const lines = String(list)
    .trim()
    .split('\n')
    .map((line) => line.replaceAll(/ +/g, ' '))
  expect(lines).toContain('crw------- 1 0 0 5, 1 Jan 1 1970 dev/console')
  expect(lines).toContain('lrwxrwxrwx 1 0 0 6 Jan 1 1970 init -> bin/sh')
  expect(lines).toContain('-rw------- 1 0 0 1001 Sep 9 2001 etc/secret')
  expect(lines.map((line) => line.replace(/ ->.*/, '').replace(/.* /, ''))).toEqual([
    ...['bin', 'bin/busybox', 'bin/sh', 'dev', 'dev/console', 'etc', 'etc/secret', 'init'],
  ])
  execFileSync('cpio', ['-idm', '--quiet'], { cwd: folder, input: writeCpio(entries) })
  const [busybox, sh] = ['bin/busybox', 'bin/sh'].map((path) => lstatSync(join(folder, path)))
  expect([busybox!.ino, busybox!.mode & 0o777, busybox!.size]).toEqual([sh!.ino, 0o755, 7])
  expect(readlinkSync(join(folder, 'init'))).toBe('bin/sh')
  expect(readFileSync(join(folder, 'etc/secret'), 'utf8')).toBe('x'.repeat(1001))
})

test.skipIf(!installed)("cpio's archives are read (skipped where cpio is not installed)", () => {
  const source = mkdtempSync(join(folder, 'source-'))
  writeFileSync(join(source, 'a'), 'contents')
  execFileSync('ln', ['a', 'b'], { cwd: source })
  execFileSync('ln', ['-s', 'a', 'c'], { cwd: source })
  const archive = execFileSync('cpio', ['-o', '-H', 'newc', '--quiet'], { cwd: source, input: 'a\nb\nc\n' })
  expect(readCpio(new Uint8Array(archive)).toSorted((a, b) => (a.path < b.path ? -1 : 1))).toMatchObject([
    { kind: 'link', path: 'a', target: 'b' },
    { kind: 'file', path: 'b', bytes: text('contents') },
    { kind: 'symlink', path: 'c', target: 'a' },
  ])
})
