import { execFileSync } from 'node:child_process'
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { readCpio } from '@vmexit/boot'
import { expect, test } from 'vitest'
import { fakeBusybox, folder, put } from '../../test/guests.ts'
import { initScript } from './init.ts'
import { baseEntries, busyboxApplets, compressedArchive, entriesBelow } from './initramfs.ts'

test('the initramfs has /init, busybox and its applets, a console and the folders to mount upon', () => {
  const entries = readCpio(gunzipSync(compressedArchive(baseEntries(fakeBusybox))))
  const at = (path: string) => entries.find((entry) => entry.path === path)
  expect(at('init')).toMatchObject({ kind: 'file', mode: 0o755 })
  expect(at('bin/sh')).toMatchObject({ kind: 'symlink', target: 'busybox' })
  expect(at('dev/console')).toMatchObject({ kind: 'character', major: 5, minor: 1 })
  for (const path of ['proc', 'sys', 'dev', 'tmp', 'root']) expect(at(path)?.kind).toBe('directory')
})

test('the same files give the same bytes', () => {
  expect(compressedArchive(baseEntries(fakeBusybox))).toEqual(compressedArchive(baseEntries(fakeBusybox)))
})

test('the applets are those that busybox has, and one without a shell is refused', () => {
  expect(busyboxApplets(fakeBusybox).at(-1)).toBe('zcat')
  expect(() => busyboxApplets(Buffer.from('\0[\0[[\0ls\0\0'))).toThrow('no table of applets')
  expect(() => busyboxApplets(new Uint8Array(100))).toThrow("use the one of Debian's busybox-static")
})

test('a folder of the host becomes files of a guest', () => {
  const site = folder()
  put(join(site, 'src/run.sh'), '#!/bin/sh\n')
  chmodSync(join(site, 'src/run.sh'), 0o755)
  put(join(site, 'data'), 'x')
  const entries = entriesBelow(site, 'bench').sort((a, b) => (a.path < b.path ? -1 : 1))
  expect(entries).toMatchObject([
    { path: 'bench/data', mode: 0o644 },
    { path: 'bench/src/run.sh', mode: 0o755 },
  ])
})

test.skipIf(process.platform === 'win32')('a shell understands /init', () => {
  execFileSync('sh', ['-n'], { input: initScript })
})
